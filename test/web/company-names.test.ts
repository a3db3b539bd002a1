import fc from 'fast-check';
import { expect, it } from 'vitest';
import { companyName, toldApartBy } from '../../src/web/company-names.ts';
import { propertyRuns } from '../support/at-length.ts';

const day = new Date('2026-05-03T10:00:00Z');
const own = { tenantId: 'a', tenantName: 'Brightwater Ltd', ownerEmail: 'dana@b.example', createdAt: day };

it.each<[string, Partial<typeof own>, string | null]>([
  ['another name', { tenantName: 'Northgate' }, null],
  ['the same name and another owner', { ownerEmail: 'eve@b.example' }, 'owner dana@b.example'],
  [
    'a name that looks the same',
    { tenantName: 'BRIGHTWATER  Ltd.', ownerEmail: 'eve@b.example' },
    'owner dana@b.example',
  ],
  [
    'the same name and owner',
    { createdAt: new Date('2026-06-01T00:00:00Z') },
    'owner dana@b.example, created 3 May 2026',
  ],
  ['the same name, owner and day', {}, 'owner dana@b.example, created 3 May 2026, number 1 of 2'],
])('a company beside one of %s is told apart by what differs', (_what, over, words) => {
  expect(toldApartBy(own, [own, { ...own, tenantId: 'b', ...over }])).toBe(words);
});

it('no two of somebody’s companies are called the same, whatever they are', () => {
  const company = fc.record({
    tenantId: fc.uuid(),
    tenantName: fc.constantFrom('Brightwater Ltd', 'brightwater ltd', 'Northgate', 'Northgate.'),
    ownerEmail: fc.constantFrom('dana@b.example', 'eve@b.example', null),
    createdAt: fc.constantFrom(day, new Date(day.getTime() + 1), new Date('2026-06-01T00:00:00Z')),
  });
  const companies = fc.uniqueArray(company, { selector: ({ tenantId }) => tenantId, maxLength: 6 });
  fc.assert(
    fc.property(companies, (all) => {
      const names = all.map((each) => companyName(each, all).toLowerCase().replaceAll('.', ''));
      expect(new Set(names).size).toBe(all.length);
    }),
    { numRuns: propertyRuns(500) },
  );
});
