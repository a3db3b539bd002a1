import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PartyDetails } from '../../src/documents/document.ts';
import { foldName, identityKeys, sameParty } from '../../src/documents/party-identity.ts';
import { propertyRuns } from '../support/at-length.ts';

const kiel = { name: 'Weber GmbH', street: 'Kai 1', postalCode: '24103', city: 'Kiel', country: 'DE' };

describe('two descriptions are of one party', () => {
  it.each<[string, PartyDetails, PartyDetails, string | null]>([
    [
      'by their tax number, however it is written',
      { name: 'A', taxId: 'DE 111.111-111' },
      { name: 'B', taxId: 'de111111111' },
      'tax',
    ],
    [
      'never with two tax numbers',
      { ...kiel, email: 'a@x.example', taxId: 'DE1' },
      { ...kiel, email: 'a@x.example', taxId: 'DE2' },
      null,
    ],
    [
      'by their electronic address',
      { name: 'A', endpoint: '0088:73' },
      { name: 'B', endpoint: '0088: 73' },
      'endpoint',
    ],
    ['not with two of one scheme', { ...kiel, endpoint: '0088:73' }, { ...kiel, endpoint: '0088:74' }, null],
    [
      'though each has one of another scheme',
      { ...kiel, endpoint: '0088:73' },
      { ...kiel, endpoint: '9930:de1' },
      'place',
    ],
    ['by email, in any letters', { name: 'A', email: 'AP@x.example' }, { name: 'B', email: 'ap@X.example' }, 'email'],
    [
      'by email, where one knows more',
      { name: 'A', email: 'ap@x.example' },
      { name: 'A', email: 'cfo@x.example, ap@x.example' },
      'email',
    ],
    [
      'not by an accountant’s address beside their own',
      { name: 'A', email: 'a@a.example, acc@tax.example' },
      { name: 'B', email: 'b@b.example, acc@tax.example' },
      null,
    ],
    ['by name with address', kiel, { ...kiel, name: 'WEBER  GmbH.', postalCode: '24 103' }, 'place'],
    ['not by name with another address', kiel, { ...kiel, street: 'Kai 2' }, null],
    [
      'not by name and city',
      { name: 'Maria Schmidt', city: 'Berlin' },
      { name: 'Maria Schmidt', city: 'Berlin' },
      null,
    ],
    ['not by name', { name: 'Maria Schmidt' }, { name: 'Maria Schmidt' }, null],
    ['not by an address without the name', kiel, { ...kiel, name: 'Müller GmbH' }, null],
    ['not by an email that is none', { name: 'A', email: 'n/a' }, { name: 'A', email: 'n/a' }, null],
  ])('%s', (_what, a, b, proof) => expect(sameParty(a, b)).toBe(proof));

  const maybe = (...values: string[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
  const party = fc.record({
    name: fc.constantFrom('Maria Schmidt', 'MARIA SCHMIDT', 'Weber GmbH'),
    email: maybe('a@x.example', 'A@x.example', 'b@x.example', 'a@x.example, b@x.example', 'none'),
    taxId: maybe('DE1', 'de 1', 'DE2'),
    endpoint: maybe('0088:1', '0088:2', '9930:1'),
    street: maybe('Kai 1', 'Kai 2'),
    postalCode: maybe('1', '2'),
    city: maybe('Kiel', 'Passau'),
  });

  it('whichever is asked about first, and never by the name alone', () => {
    fc.assert(
      fc.property(party, party, (a, b) => {
        const proof = sameParty(a, b);
        expect(sameParty(b, a)).toBe(proof);
        if (a.taxId && b.taxId && a.taxId.toUpperCase().replace(' ', '') !== b.taxId.toUpperCase().replace(' ', ''))
          expect(proof).toBeNull();
        const { name } = a;
        expect(sameParty({ name }, { ...b, name })).toBeNull();
        // Whatever proves it is found by its key.
        const shared = identityKeys(a).filter((key) => !key.startsWith('name:') && identityKeys(b).includes(key));
        if (proof) expect(shared.some((key) => key.startsWith(`${proof}:`))).toBe(true);
      }),
      { numRuns: propertyRuns(2_000) },
    );
  });
});

it('folds what people write one way or the other, and nothing else', () => {
  expect(foldName('Café  Noir, Ltd.')).toBe(foldName('CAFE NOIR LTD'));
  expect(foldName('Groß & Söhne')).toBe(foldName('GROSS Söhne'));
  expect(foldName('Northgate')).not.toBe(foldName('Northgate Café'));
  expect(foldName('***')).toBe('***');
});
