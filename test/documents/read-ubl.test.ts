import { XMLParser } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { readUbl } from '../../src/documents/read-ubl.ts';
import { sameAmount } from '../../src/documents/totals.ts';
import { ImportError } from '../../src/documents/ubl/import-error.ts';
import { fixture, fixtures } from './content.ts';

/** Another parser's reading of a file: every text and attribute with its path. */
function leavesOf(bytes: Buffer): { path: string; value: string }[] {
  const parsed: unknown = new XMLParser({
    ignoreAttributes: false,
    removeNSPrefix: true,
    parseTagValue: false,
    ignoreDeclaration: true,
  }).parse(bytes);
  const leaves: { path: string; value: string }[] = [];
  const walk = (node: unknown, path: string): void => {
    if (Array.isArray(node)) for (const entry of node) walk(entry, path);
    else if (typeof node === 'object' && node !== null) {
      for (const [key, value] of Object.entries(node)) walk(value, key === '#text' ? path : `${path}/${key}`);
    } else if (String(node).trim() !== '') leaves.push({ path, value: String(node).trim() });
  };
  walk(parsed, '');
  // Namespaces and schema hints speak to parsers.
  return leaves.filter(
    ({ path }) => !/@_(xmlns|schemaLocation|cac$|cbc$|qdt$|udt$|ccts$|xsi$|xs$|ext$|\w*-2$)/.test(path),
  );
}

const payableOf = (bytes: Buffer) =>
  leavesOf(bytes).find(({ path }) => /MonetaryTotal\/PayableAmount$/.test(path))?.value ?? '';

/** Every text that the record holds, wherever. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

const numeric = /^-?\d+(\.\d+)?$/;

describe('the published examples', () => {
  it('are all here', () => {
    expect(fixtures).toHaveLength(13);
  });

  it.each(fixtures.map((file) => [file.name, file.bytes] as const))(
    '%s imports, and comes to what it says',
    (name, bytes) => {
      const { content, totals, source } = readUbl(bytes, name);
      expect(sameAmount(totals.payable, payableOf(bytes))).toBe(true);
      expect(source).toMatchObject({
        fileName: name,
        format: expect.stringMatching(/^UBL (Invoice|CreditNote|Order)$/),
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
      expect(source.declared['PayableAmount']).toBeDefined();
      expect(content.lines.length).toBeGreaterThan(0);
      expect(content.party.name).not.toBe('');
    },
  );

  it.each(fixtures.map((file) => [file.name, file.bytes] as const))('%s loses nothing', (name, bytes) => {
    const { content, source, totals, files } = readUbl(bytes, name);
    const embedded = files.map((file) => Buffer.from(file).toString('base64'));
    const held = textsOf([content, source.declared, totals, embedded]);
    const numbers = held.filter((text) => numeric.test(text));
    const lost = leavesOf(bytes).filter(({ path, value }) => {
      // These three say what the record says otherwise: its kind of adjustment, its one currency, that a tax is VAT.
      if (/ChargeIndicator$/.test(path)) return false;
      if (/@_currencyID$/.test(path) && value === content.currency) return false;
      if (/TaxScheme\/ID$/.test(path) && value === 'VAT') return false;
      if (numeric.test(value) && numbers.some((number) => sameAmount(number, value))) return false;
      return !held.some((text) => text.includes(value));
    });
    expect(lost).toEqual([]);
    expect(leavesOf(bytes).length).toBeGreaterThan(40);
  });
});

describe('a mark in any place of a file', () => {
  const marked = [
    'peppol-Allowance-example.xml',
    'peppol-base-creditnote-correction.xml',
    'peppol-order-uc4.xml',
    'en16931-example5.xml',
  ];

  it.each(marked)('is found in what %s becomes, or the file is refused', (name) => {
    const text = fixture(name);
    // Texts of elements, and attributes behind the root element's own.
    const places = [...text.matchAll(/[^<>\s](?=\s*<\/c[ab]c:)|(?<=\w{3,} ?= ?"[^"]*)[^"](?=")/g)].map(
      (match) => match.index + 1,
    );
    const inside = places.filter((place) => place > text.indexOf('CustomizationID>'));
    let refused = 0;
    const lost = inside.filter((place) => {
      try {
        const { content, files } = readUbl(Buffer.from(`${text.slice(0, place)}Zq7${text.slice(place)}`), name);
        const embedded = files.map((file) => Buffer.from(file).toString('base64'));
        return !JSON.stringify([content, embedded]).includes('Zq7');
      } catch (error) {
        expect(error).toBeInstanceOf(ImportError);
        refused += 1;
        return false;
      }
    });
    expect(lost.map((place) => text.slice(place - 60, place + 20))).toEqual([]);
    expect(inside.length).toBeGreaterThan(100);
    // Amounts, dates, rates, currencies and quantities have no room for a mark; the rest must have been looked at.
    expect(inside.length - refused).toBeGreaterThan(60);
  });
});

describe('what an example becomes', () => {
  it('makes an invoice out to the customer, with the rest kept under readable labels', () => {
    const { content } = readUbl(Buffer.from(fixture('peppol-Allowance-example.xml')), 'a.xml');
    expect(content).toMatchObject({
      kind: 'invoice',
      party: {
        name: 'Buyer Official Name',
        email: 'lj@buyer.se',
        taxId: 'SE4598375937',
        region: 'Södermalm',
        country: 'SE',
      },
      reference: '0150abc',
      prepaid: '1000',
      deliveryDate: '2017-11-01',
      paymentDetails: 'Account: IBAN32423940\nAccount name: AccountName\nBank: BIC324098\nPayment reference: Snippet1',
    });
    expect(content.extras).toContainEqual({
      label: 'Seller › Electronic address',
      value: '7300010000001',
      path: 'cac:AccountingSupplierParty/cac:Party/cbc:EndpointID',
      attributes: { schemeID: '0088' },
    });
    expect(content.lines[1]?.extras[0]).toMatchObject({ label: 'AdditionalItemName', value: 'AdditionalItemValue' });
  });

  it('makes an order out to the supplier', () => {
    const { content } = readUbl(Buffer.from(fixture('peppol-order-uc4.xml')), 'a.xml');
    expect(content).toMatchObject({
      kind: 'purchase_order',
      party: { name: 'Cod Liver Oil Limited', contactName: 'Öystein', country: 'NO' },
      validUntil: '2013-07-30',
      deliveryDate: '2013-07-16',
    });
  });

  it('keeps the amount that a line states where EN 16931 lets it differ from quantity × price', () => {
    const { content, totals } = readUbl(Buffer.from(fixture('en16931-example1.xml')), 'a.xml');
    expect(content.lines.at(-1)).toMatchObject({ quantity: '6', unitPrice: '18.33', statedNet: '-109.98' });
    expect(totals.lines.at(-1)).toMatchObject({ net: '-109.98', ownNet: '109.98' });
  });
});

const base = fixture('peppol-base-example.xml');
const problem = (text: string | Uint8Array): ImportError => {
  try {
    readUbl(typeof text === 'string' ? Buffer.from(text) : text, 'file.xml');
  } catch (error) {
    if (error instanceof ImportError) return error;
    throw error;
  }
  throw new Error('It was imported.');
};

describe('totals that do not agree', () => {
  it.each<[string, (text: string) => string, RegExp]>([
    [
      'what is to pay',
      (text) => text.replace('1656.25</cbc:PayableAmount>', '1656.26</cbc:PayableAmount>'),
      /1656\.26 EUR as cbc:PayableAmount.*1656\.25 EUR/,
    ],
    [
      'a line of a file that follows Peppol',
      (text) => text.replace('2800</cbc:LineExtensionAmount>', '2800.03</cbc:LineExtensionAmount>'),
      /2800\.03 EUR.*2800\.00 EUR/,
    ],
    [
      'the taxable amount of a rate',
      (text) => text.replace('1325</cbc:TaxableAmount>', '1326</cbc:TaxableAmount>'),
      /1326 EUR.*1325\.00 EUR/,
    ],
    [
      'a tax by a whole unit',
      (text) => text.replaceAll('331.25</cbc:TaxAmount>', '332.25</cbc:TaxAmount>'),
      /332\.25 EUR.*331\.25 EUR/,
    ],
  ])('are refused: %s', (_what, change, message) => {
    const error = problem(change(base));
    expect(error.code).toBe('totals_differ');
    expect(error.message).toMatch(message);
    expect(error.line).toBeGreaterThan(1);
  });

  it('are accepted within the slack of the norm, with the numbers of the file', () => {
    const cent = base.replaceAll('331.25</cbc:TaxAmount>', '331.26</cbc:TaxAmount>').replaceAll('1656.25<', '1656.26<');
    const { content, totals } = readUbl(Buffer.from(cent), 'a.xml');
    expect(content.statedTaxes).toEqual([{ taxCategory: 'S', taxRate: '25', amount: '331.26' }]);
    expect(totals.payable).toBe('1656.26');
  });

  it('take the anticipated tax of an order whose lines name no rate', () => {
    const order = fixture('peppol-order-uc1.xml').replace(
      /<cac:ClassifiedTaxCategory>.*?<\/cac:ClassifiedTaxCategory>/gs,
      '',
    );
    const { content, totals } = readUbl(Buffer.from(order), 'a.xml');
    expect(content.statedTaxes).toEqual([{ amount: '28.75' }]);
    expect(totals.payable).toBe('143.75');
  });
});

describe('a file under other names', () => {
  it('is read with any prefixes', () => {
    const renamed = base
      .replaceAll('cac:', 'a:')
      .replaceAll('xmlns:cac', 'xmlns:a')
      .replaceAll('cbc:', '')
      .replace(/<Invoice([^>]*)>/, '<u:Invoice$1>')
      .replace('</Invoice>', '</u:Invoice>');
    const prefixed = renamed
      .replace(
        'xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"',
        'xmlns:u="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"',
      )
      .replace(/xmlns:cbc=/, 'xmlns=');
    expect(readUbl(Buffer.from(prefixed), 'a.xml').content).toEqual(readUbl(Buffer.from(base), 'a.xml').content);
  });

  it.each([
    ['utf16le', '\ufeff'],
    ['latin1', ''],
  ] as const)('is read in %s', (encoding, mark) => {
    const declared = encoding === 'latin1' ? base.replace('UTF-8', 'ISO-8859-1') : base.replace('UTF-8', 'UTF-16');
    const { content } = readUbl(Buffer.from(mark + declared, encoding), 'a.xml');
    expect(content).toEqual(readUbl(Buffer.from(base), 'a.xml').content);
  });
});

describe('a broken or hostile file', () => {
  const bomb = `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">${Array.from({ length: 30 }, (_, i) => `<!ENTITY a${i} "${`&a${i - 1};`.repeat(10)}">`).join('')}]><a>&a29;</a>`;
  it.each<[string, string | Uint8Array, string, RegExp]>([
    ['nothing', '', 'empty', /Export it again/],
    ['no XML', 'Hello', 'not_xml', /not well-formed/],
    ['a PDF', Buffer.from('%PDF-1.7\n\xe2\xe3\xcf\xd3', 'latin1'), 'not_text', /PDF/],
    ['half a file', base.slice(0, 5_000), 'not_xml', /Line \d+/],
    ['an entity bomb', bomb, 'doctype', /DOCTYPE/],
    ['an external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 'doctype', /DOCTYPE/],
    ['an unknown entity', '<a>&nbsp;</a>', 'not_xml', /entity/],
    ['a deep nest', '<a>'.repeat(10_000), 'too_complex', /40 levels/],
    ['a flood of elements', `<a>${'<b/>'.repeat(100_001)}</a>`, 'too_complex', /100000 elements/],
    ['too many bytes', new Uint8Array(5_000_001), 'too_large', /5\.0 MB/],
    ['other XML', '<html xmlns="http://www.w3.org/1999/xhtml"/>', 'not_ubl', /“html”/],
    [
      'another kind of UBL',
      '<Reminder xmlns="urn:oasis:names:specification:ubl:schema:xsd:Reminder-2"/>',
      'not_ubl',
      /Invoice, CreditNote or Order/,
    ],
    ['an unknown encoding', '<?xml version="1.0" encoding="x-made-up"?><a/>', 'not_text', /x-made-up/],
    ['no lines', base.replace(/<cac:InvoiceLine>.*<\/cac:InvoiceLine>/s, ''), 'missing', /no lines/],
    [
      'no customer',
      base.replace(/<cac:AccountingCustomerParty>.*<\/cac:AccountingCustomerParty>/s, ''),
      'missing',
      /who it is for/,
    ],
    ['no number', base.replace(/<cbc:ID>Snippet1<\/cbc:ID>/, ''), 'missing', /its number/],
    ['a bad date', base.replace(/<cbc:IssueDate>.*?</, '<cbc:IssueDate>2017-02-30<'), 'invalid_value', /2017-02-30/],
    ['a number that is none', base.replace('2800<', '28OO<'), 'invalid_value', /28OO/],
    [
      'a number to hang on',
      base.replace(/(<cbc:PriceAmount[^>]*>)\d+/, '$11e999999999'),
      'invalid_value',
      /1e999999999/,
    ],
    ['two currencies', base.replace(/(<cbc:PriceAmount currencyID=)"EUR"/, '$1"USD"'), 'mixed_currencies', /USD.*EUR/],
    [
      'no such currency',
      base.replace(/<cbc:DocumentCurrencyCode>EUR/, '<cbc:DocumentCurrencyCode>EU'),
      'invalid_value',
      /“EU”/,
    ],
  ])('is refused with a reason: %s', (_what, text, code, message) => {
    const error = problem(text);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('is refused at every cut, and never with anything but an ImportError', () => {
    for (let length = 0; length < base.length; length += 97)
      expect(problem(base.slice(0, length))).toBeInstanceOf(ImportError);
  });
});
