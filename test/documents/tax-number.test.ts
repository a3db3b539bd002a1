import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identityKeys, sameParty } from '../../src/documents/party-identity.ts';
import { compareTaxNumbers, taxNumberKeys } from '../../src/documents/tax-number.ts';
import { propertyRuns } from '../support/at-length.ts';

/** A number of each country as its invoices carry it, with the country and without. */
const numbers: [country: string, withCountry: string, without: string][] = [
  ['AT', 'ATU12345675', 'U12345675'],
  ['BE', 'BE 0123.456.749', '0123456749'],
  ['BG', 'BG175074752', '175074752'],
  ['CY', 'CY10259033P', '10259033P'],
  ['CZ', 'CZ25123891', '25123891'],
  ['DE', 'DE136695976', '136695976'],
  ['DE', 'DE123', '123'],
  ['DK', 'DK 13 58 56 28', '13585628'],
  ['EE', 'EE100931558', '100931558'],
  ['GR', 'EL094259216', '094259216'],
  ['GR', 'GR094259216', '094259216'],
  ['ES', 'ESB58378431', 'B58378431'],
  ['ES', 'ESX5253868R', 'X5253868R'],
  ['FI', 'FI20774740', '20774740'],
  ['FR', 'FR40303265045', '40303265045'],
  ['FR', 'FRK7399859412', 'K7399859412'],
  ['FR', 'FRAB399859412', 'AB399859412'],
  ['HR', 'HR33392005961', '33392005961'],
  ['HU', 'HU12892312', '12892312'],
  ['IE', 'IE6433435OA', '6433435OA'],
  ['IE', 'IE8D79739I', '8D79739I'],
  ['IT', 'IT00743110157', '00743110157'],
  ['LT', 'LT119511515', '119511515'],
  ['LU', 'LU15027442', '15027442'],
  ['LV', 'LV40003521600', '40003521600'],
  ['MT', 'MT11679112', '11679112'],
  ['NL', 'NL004495445B01', '004495445B01'],
  ['PL', 'PL8567346215', '856-734-62-15'],
  ['PT', 'PT501964843', '501964843'],
  ['RO', 'RO18547290', '18547290'],
  ['SE', 'SE123456789701', '123456789701'],
  ['SI', 'SI50223054', '50223054'],
  ['SK', 'SK2022749619', '2022749619'],
  ['GB', 'GB 980 7806 84', '980780684'],
  ['GB', 'XI980780684', '980780684'],
  ['GB', 'GBGD001', 'GD001'],
  ['NO', 'NO 923 609 016 MVA', '923609016'],
  ['CH', 'CHE-123.456.788 MWST', '123456788'],
  ['AU', 'AU51824753556', '51 824 753 556'],
];

describe('a tax number', () => {
  it.each(numbers)('of %s is one with its country (%s) and without it (%s)', (country, withCountry, without) => {
    const [a, b] = [{ taxId: withCountry }, { taxId: without, country }];
    // A number of its own country is read as such by the address alone, elsewhere by its letters.
    const at = country === 'AU' ? { ...a, country } : a;
    expect(compareTaxNumbers(at, b)).toBe('same');
    expect(compareTaxNumbers(b, at)).toBe('same');
    expect(compareTaxNumbers({ ...a, country }, b)).toBe('same');
    const shared = taxNumberKeys(at).filter((key) => taxNumberKeys(b).includes(key));
    expect(shared).not.toEqual([]);
    const elsewhere = country === 'LT' ? 'LV' : 'LT';
    expect(compareTaxNumbers(at, { taxId: without, country: elsewhere })).toBe('different');
  });

  it.each<[string, string, string]>([
    ['Greece’s two letters', 'EL094259216', 'GR094259216'],
    ['the United Kingdom’s', 'GB980780684', 'XI980780684'],
    ['Switzerland’s languages', 'CHE-123.456.788 MWST', 'CHE 123456788 TVA'],
    ['Norway’s ending', 'NO923609016MVA', 'NO923609016'],
    ['Belgium’s zero', 'BE123456749', 'BE0123456749'],
  ])('is one with %s', (_what, a, b) => {
    expect(compareTaxNumbers({ taxId: a }, { taxId: b })).toBe('same');
    expect(sameParty({ name: 'A', taxId: a }, { name: 'B', taxId: b })).toBe('tax');
  });

  it.each<[string, object, object, 'same' | 'different' | 'unsaid']>([
    ['of two countries', { taxId: 'DE123456789' }, { taxId: 'AT123456789' }, 'different'],
    ['of an address elsewhere, with its country', { taxId: 'DE123', country: 'FR' }, { taxId: 'DE123' }, 'same'],
    ['without a country, and one with', { taxId: '123456789' }, { taxId: 'DE123456789' }, 'unsaid'],
    ['without a country, written alike', { taxId: '12-3' }, { taxId: '123' }, 'same'],
    [
      'that begins like a country',
      { taxId: 'BEGA850101AB1', country: 'MX' },
      { taxId: 'GA850101AB1', country: 'BE' },
      'different',
    ],
    [
      'of Monaco, as France’s',
      { taxId: 'FR12345678901', country: 'MC' },
      { taxId: '12345678901', country: 'MC' },
      'same',
    ],
    ['that nobody has', { taxId: ' - ' }, { taxId: 'DE1' }, 'unsaid'],
    ['that differ', { taxId: '1', country: 'DE' }, { taxId: 'DE2' }, 'different'],
  ])('%s', (_what, a, b, expected) => {
    expect(compareTaxNumbers(a, b)).toBe(expected);
    expect(compareTaxNumbers(b, a)).toBe(expected);
  });

  it('that is the same is found by a key, also where the other was stored as it was written', () => {
    const written = fc.constantFrom(
      ...numbers.flatMap(([country, a, b]) => [{ taxId: a }, { taxId: b, country }, { taxId: a, country }]),
    );
    fc.assert(
      fc.property(written, written, (a, b) => {
        const compared = compareTaxNumbers(a, b);
        expect(compareTaxNumbers(b, a)).toBe(compared);
        if (compared !== 'same') return;
        const [keysA, keysB] = [a, b].map((each) => identityKeys({ name: 'A', ...each }));
        expect(keysA?.some((key) => key.startsWith('tax:') && keysB?.includes(key))).toBe(true);
      }),
      { numRuns: propertyRuns(2_000) },
    );
  });
});
