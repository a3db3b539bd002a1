import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capabilitiesOf, readCapabilities, scopesFor } from '../../src/mailboxes/capabilities.ts';
import { type Capability, capabilities } from '../../src/platform/capability.ts';

const gmail = (name: string) => `https://www.googleapis.com/auth/gmail.${name}`;
const names = ['send', 'compose', 'metadata', 'readonly', 'modify', 'settings.basic', 'labels', 'settings.sharing'];
const some = <T>(all: readonly T[]) => fc.subarray([...all]);
const wanted = some(capabilities);
const granted = some(names.map(gmail));
const short = (scopes: readonly string[]) => scopes.map((scope) => scope.replace(/.*gmail\./, ''));

describe('what can be done with a grant', () => {
  const rows: [scopes: string[], can: Capability[]][] = [
    [[], []],
    [['send'], ['send']],
    [['labels', 'settings.sharing'], []],
    [['settings.basic'], ['aliases']],
    [['compose'], ['send', 'safe_retry']],
    [
      ['send', 'compose', 'settings.basic'],
      ['send', 'safe_retry', 'aliases'],
    ],
    [
      ['send', 'metadata'],
      ['send', 'tracking'],
    ],
    [['readonly'], ['aliases', 'tracking']],
    [['modify'], ['send', 'safe_retry', 'aliases', 'tracking', 'inbox']],
    // Beside metadata, modify cannot read a message: incoming mail is out, the rest stays.
    [
      ['modify', 'metadata'],
      ['send', 'safe_retry', 'aliases', 'tracking'],
    ],
  ];

  it.each(rows)('%j opens %j', (scopes, can) => {
    expect(capabilitiesOf(scopes.map(gmail), capabilities)).toEqual(can);
  });

  it('is never more than what is wanted, whatever the token holds', () => {
    fc.assert(
      fc.property(granted, wanted, (scopes, want) => {
        const can = capabilitiesOf(scopes, want);
        expect(want).toEqual(expect.arrayContaining(can));
        expect(capabilitiesOf(scopes, capabilities).filter((each) => want.includes(each))).toEqual(can);
      }),
    );
  });

  it('is not less with one more scope, but for incoming mail beside metadata', () => {
    fc.assert(
      fc.property(granted, fc.constantFrom(...names.map(gmail)), (scopes, more) => {
        const before = capabilitiesOf(scopes, capabilities);
        const after = capabilitiesOf([...scopes, more], capabilities);
        const lost = before.filter((each) => !after.includes(each));
        expect(lost).toEqual(more === gmail('metadata') ? lost.filter((each) => each === 'inbox') : []);
      }),
    );
  });

  it('is nothing by what was asked for: only Google’s own spelling counts', () => {
    expect(capabilitiesOf(['gmail.send', 'https://mail.google.com/', 'email'], capabilities)).toEqual([]);
  });
});

describe('what a consent asks for', () => {
  const rows: [want: Capability[], scopes: string[]][] = [
    [[], ['send']],
    [['send'], ['send']],
    [['aliases'], ['send', 'settings.basic']],
    [
      ['send', 'safe_retry'],
      ['send', 'compose'],
    ],
    [
      ['tracking', 'send'],
      ['send', 'metadata'],
    ],
    [
      ['send', 'safe_retry', 'aliases', 'tracking'],
      ['send', 'compose', 'settings.basic', 'metadata'],
    ],
    [['inbox'], ['send', 'modify']],
    [
      ['send', 'safe_retry', 'aliases', 'tracking', 'inbox'],
      ['send', 'modify'],
    ],
  ];

  it.each(rows)('%j asks for %j', (want, scopes) => {
    const asked = scopesFor(want);
    expect(asked.slice(0, 2)).toEqual(['openid', 'email']);
    expect(short(asked.slice(2))).toEqual(scopes);
  });

  it('is enough for all of it, in any order, and names gmail.send always', () => {
    fc.assert(
      fc.property(wanted, (want) => {
        const asked = scopesFor(want);
        expect(asked).toContain(gmail('send'));
        expect(capabilitiesOf(asked, want)).toEqual(readCapabilities(want));
        expect(scopesFor([...want].reverse())).toEqual(asked);
      }),
    );
  });

  it('is never metadata beside readonly or modify', () => {
    fc.assert(
      fc.property(wanted, (want) => {
        const asked = scopesFor(want);
        const reads = [gmail('modify'), gmail('readonly')].filter((scope) => asked.includes(scope));
        expect(asked.includes(gmail('metadata')) ? reads : []).toEqual([]);
      }),
    );
  });

  it('is nothing that could be left out', () => {
    fc.assert(
      fc.property(wanted, (want) => {
        for (const scope of scopesFor(want).slice(3)) {
          const less = scopesFor(want).filter((each) => each !== scope);
          expect(capabilitiesOf(less, want).length, scope).toBeLessThan(want.length);
        }
      }),
    );
  });
});

it('reads capabilities out of words, each once and in their order, and no others', () => {
  expect(readCapabilities(['tracking', 'send', 'everything', 'send', ''])).toEqual(['send', 'tracking']);
});
