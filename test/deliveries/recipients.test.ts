import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress, isAddress, parseAddresses } from '../../src/deliveries/recipients.ts';

const mira = { name: 'Mira Okafor', email: 'mira@northgate.example' };

describe('what a person typed', () => {
  it.each([
    ['one bare address', 'mira@northgate.example', [{ name: '', email: mira.email }]],
    ['a name', 'Mira Okafor <mira@northgate.example>', [mira]],
    ['a quoted name with a comma', '"Okafor, Mira" <mira@northgate.example>', [{ ...mira, name: 'Okafor, Mira' }]],
    ['quotes in the name', '"Mira \\"Mo\\" Okafor" <mira@northgate.example>', [{ ...mira, name: 'Mira "Mo" Okafor' }]],
    [
      'commas, semicolons and new lines',
      'a@x.example, b@x.example; c@x.example\nd@x.example\r\n\r\ne@x.example,',
      ['a', 'b', 'c', 'd', 'e'].map((local) => ({ name: '', email: `${local}@x.example` })),
    ],
    ['a group', 'Office: a@x.example, b@x.example;', ['a', 'b'].map((l) => ({ name: '', email: `${l}@x.example` }))],
    ['an international domain', 'søren@bücher.example', [{ name: '', email: 'søren@bücher.example' }]],
    ['a name in another script', '三好 <miyoshi@例え.example>', [{ name: '三好', email: 'miyoshi@例え.example' }]],
    ['nothing', ' \n , ; ', []],
  ])('is understood: %s', (_what, text, addresses) => {
    expect(parseAddresses(text)).toEqual({ addresses, unreadable: [] });
  });

  it.each([
    ['mira', 'mira'],
    ['mira@', 'mira@'],
    ['@northgate.example', '@northgate.example'],
    ['mira@localhost', 'mira@localhost'],
    ['mira okafor', 'mira okafor'],
    ['Mira <mira at northgate>', 'mira at northgate'],
  ])('is named where it is no address: %s', (text, unreadable) => {
    expect(parseAddresses(text)).toEqual({ addresses: [], unreadable: [unreadable] });
  });

  it('keeps the good ones beside a bad one', () => {
    const { addresses, unreadable } = parseAddresses('mira@northgate.example, nonsense');
    expect(addresses).toEqual([{ name: '', email: mira.email }]);
    expect(unreadable).toEqual(['nonsense']);
  });

  it('takes a hundred and one, and leaves it to the form to say that this is too many', () => {
    const many = Array.from({ length: 101 }, (_, index) => `p${index}@x.example`).join(', ');
    expect(parseAddresses(many).addresses).toHaveLength(101);
  });

  it.each([
    'mira@northgate.example\r\nBcc: spy@evil.example',
    'Mira\r\nBcc: spy@evil.example <mira@northgate.example>',
    '"Mira\nBcc: spy@evil.example" <mira@northgate.example>',
  ])('brings no line break into an address or a name: %j', (text) => {
    for (const { name, email } of parseAddresses(text).addresses) expect(`${name}${email}`).not.toMatch(/[\r\n]/);
  });

  it('does not let a quoted local part stand in for another address', () => {
    const { addresses } = parseAddresses('"spy@evil.example x"@northgate.example');
    expect(addresses.map(({ email }) => email)).not.toContain('spy@evil.example');
  });
});

describe('an address', () => {
  it.each(['a@b.example', 'a.b+c@d-e.example', "o'brien@x.example", 'ü@ü.example', 'a@xn--bcher-kva.example'])(
    '%s can get mail',
    (text) => expect(isAddress(text)).toBe(true),
  );
  it.each([
    '',
    'a',
    'a@b',
    'a b@x.example',
    'a@x .example',
    'a@x.example\n',
    'a@@x.example',
    'a@.example',
    'a@x..example',
    'a@x.example.',
    'a@x.example>',
    'a<b@x.example',
    'a,b@x.example',
    `${'a'.repeat(250)}@x.example`,
  ])('%j cannot', (text) => expect(isAddress(text)).toBe(false));
});

describe('an address that is written out', () => {
  it('is read back as the same', () => {
    const name = fc
      .string({ unit: 'grapheme', maxLength: 30 })
      .map((text) => text.replaceAll(/[\p{C}\s]+/gu, ' ').trim());
    const email = fc.constantFrom('mira@northgate.example', 'søren@bücher.example', "o'brien@x.example");
    fc.assert(
      fc.property(fc.record({ name, email }), (address) => {
        expect(parseAddresses(formatAddress(address))).toEqual({ addresses: [address], unreadable: [] });
      }),
      { numRuns: 500 },
    );
  });
});
