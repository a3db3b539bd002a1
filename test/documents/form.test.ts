import { describe, expect, it } from 'vitest';
import { dateQuestions } from '../../src/documents/date-questions.ts';
import { parseDocumentForm } from '../../src/documents/form.ts';
import { readUbl } from '../../src/documents/read-ubl.ts';
import { fixture, fixtures, invoice } from './content.ts';

const filled = {
  kind: 'invoice',
  number: '',
  issueDate: '2026-11-21',
  dueDate: '2026-12-05',
  currency: 'eur',
  party: { name: ' Northgate Café ', email: '', country: 'ie' },
  lines: [
    { name: 'Oak counter', quantity: '2', unitPrice: '1.234,50', taxRate: '23' },
    { name: '', quantity: '1', unitPrice: '', taxRate: '23' },
  ],
  notes: 'Thank you.',
  partyId: 'read by the page',
};
const problemsOf = (body: unknown) => {
  const form = parseDocumentForm(body);
  return form.ok ? [] : form.problems;
};

describe('the form of a record', () => {
  it('keeps nothing that nobody can see in what is one line: numbers, references, an address', () => {
    const hidden = (text: string) => `\u202e${text.slice(0, 2)}\u200b\u0007${text.slice(2)}\u2069`;
    const one = { number: 'RE-77', reference: 'Ref 1', orderReference: 'PO 2', invoiceReference: 'RE-76' };
    const address = {
      taxId: 'IE1234567T',
      phone: '+353 1 2',
      street: '3 Lane',
      city: 'Galway',
      postalCode: 'H91',
      region: 'West',
    };
    const dressed = (fields: object) =>
      Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, hidden(value)]));
    const form = parseDocumentForm({ ...filled, ...dressed(one), party: { ...filled.party, ...dressed(address) } });
    expect(form).toMatchObject({ ok: true, content: { ...one, party: address } });
  });

  it('becomes content, trimmed, without the empty row, and without a number where none is typed', () => {
    expect(parseDocumentForm(filled)).toEqual({
      ok: true,
      guesses: [],
      content: {
        kind: 'invoice',
        number: undefined,
        issueDate: '2026-11-21',
        dueDate: '2026-12-05',
        currency: 'EUR',
        party: { name: 'Northgate Café', country: 'IE' },
        lines: [
          { name: 'Oak counter', quantity: '2', unitPrice: '1234.50', taxRate: '23', adjustments: [], extras: [] },
        ],
        adjustments: [],
        notes: ['Thank you.'],
        extras: [],
      },
    });
  });

  it('tells everything that is wrong at once, beside its field', () => {
    const problems = problemsOf({
      ...filled,
      issueDate: '2026-02-30',
      currency: 'EURO',
      party: {},
      lines: {
        0: { name: '' },
        4: { name: 'A', unitPrice: '', taxRate: '230' },
        30: { name: 'B', quantity: '1,234', unitPrice: 'x' },
      },
    });
    expect(Object.fromEntries(problems.map(({ field, message }) => [field, message]))).toEqual({
      issueDate: 'Date is not a date such as 2026-11-21.',
      currency: 'Currency is not a currency code such as EUR.',
      'party[name]': 'Name is missing.',
      'lines[4][unitPrice]': 'Price is missing.',
      'lines[4][taxRate]': 'Tax rate must be between 0 and 100.',
      'lines[30][quantity]': 'Quantity could be 1234 or 1.234. Write 1234 for the first, 1.2340 for the second.',
      'lines[30][unitPrice]': 'Price is not a number: “x”. Write it like 1234.50.',
    });
  });

  it('keeps the order of many rows, which arrive as an object', () => {
    const lines = Object.fromEntries(
      Array.from({ length: 120 }, (_, i) => [String(119 - i), { name: `Line ${119 - i}`, unitPrice: '1' }]),
    );
    const form = parseDocumentForm({ ...filled, lines });
    expect(form.ok && form.content.lines.map((line) => line.name)).toEqual(
      Array.from({ length: 120 }, (_, i) => `Line ${i}`),
    );
  });

  it('drops nothing in silence: a row with a quantity needs a name, a field nobody knows is named', () => {
    expect(problemsOf({ ...filled, lines: [{ quantity: '5' }] }).map(({ field }) => field)).toEqual([
      'lines[0][name]',
      'lines[0][unitPrice]',
    ]);
    expect(problemsOf({ ...filled, surprise: '1' })).toEqual([
      { field: 'surprise', message: expect.stringContaining('not known') },
    ]);
  });

  it.each([[undefined], ['text'], [null], [[]], [{ lines: 'x', party: ['y'], notes: { a: { b: 1 } } }]])(
    'refuses %j without throwing',
    (body) => {
      expect(parseDocumentForm(body).ok).toBe(false);
    },
  );

  it.each([
    [{ lines: [{ name: 'A', unitPrice: '€1,250.00', taxRate: '23 %', discountPercent: '5%' }] }, '1250.00'],
    [{ lines: [{ name: 'A', unitPrice: '1.250,00 €', taxRate: '23%', discountPercent: '5 %' }] }, '1250.00'],
    [{ lines: [{ name: 'A', unitPrice: "1'250.00", taxRate: '23', discountPercent: '5' }] }, '1250.00'],
  ])('reads numbers with the unit of their field beside them: %j', (fields, unitPrice) => {
    const form = parseDocumentForm({ ...filled, ...fields });
    expect(form.ok && form.content.lines[0]).toMatchObject({ unitPrice, taxRate: '23', discountPercent: '5' });
  });

  it('reads what could be two numbers as the page’s place does, and says as what', () => {
    const typed = { ...filled, lines: [{ name: 'A', unitPrice: '1,250', quantity: '2.500' }] };
    expect(parseDocumentForm(typed, undefined, 'en-IE')).toMatchObject({
      ok: true,
      content: { lines: [{ unitPrice: '1250', quantity: '2.500' }] },
      guesses: [
        { field: 'lines[0][quantity]', value: '2.500' },
        { field: 'lines[0][unitPrice]', value: '1250' },
      ],
    });
    expect(parseDocumentForm(typed, undefined, 'en-DE')).toMatchObject({
      content: { lines: [{ unitPrice: '1.250', quantity: '2500' }] },
    });
    expect(parseDocumentForm(typed).ok).toBe(false);
  });
});

describe('dates worth a second look', () => {
  const dates = { issueDate: '2026-11-30' };
  it.each([
    [{ issueDate: '0026-11-30', dueDate: '0026-12-01' }, ['issueDate', 'dueDate']],
    [{ ...dates, dueDate: '2026-11-29' }, ['dueDate']],
    [{ ...dates, validUntil: '2026-11-29' }, ['validUntil']],
    [{ ...dates, dueDate: '2126-12-30' }, ['dueDate']],
    [{ ...dates, deliveryDate: '1989-12-31' }, ['deliveryDate']],
    [{ ...dates, dueDate: '2026-11-30', deliveryDate: '2026-11-01' }, []],
    [{ issueDate: '1990-01-01', dueDate: '2100-12-31' }, []],
  ])('%j: %j', (content, fields) => {
    expect(dateQuestions(content).map(({ field }) => field)).toEqual(fields);
  });
});

describe('editing a record', () => {
  it('keeps what the form does not have, and clears what is emptied', () => {
    const base = invoice({
      reference: 'PO 7',
      paymentTerms: '14 days',
      extras: [{ label: 'Seller', value: 'Us', path: 'x' }],
    });
    const form = parseDocumentForm({ paymentTerms: '' }, base);
    expect(form.ok && form.content).toEqual({ ...base, paymentTerms: undefined });
  });

  it.each(fixtures.map(({ name, bytes }) => [name, readUbl(bytes, name).content] as const))(
    'leaves %s as it is when nothing is changed',
    (_name, base) => {
      const form = parseDocumentForm({ lines: base.lines.map((_, index) => ({ origin: String(index) })) }, base);
      expect(form.ok && form.content).toEqual(base);
    },
  );

  it('lets the stated amount of a line go when its arithmetic is changed', () => {
    const base = readUbl(Buffer.from(fixture('en16931-example3.xml')), 'x').content;
    expect(base.lines.map((line) => line.statedNet)).toEqual(['800', '800']);
    const form = parseDocumentForm({ lines: [{ origin: '0', quantity: '3' }, { origin: '1' }] }, base);
    expect(form.ok && form.content.lines.map((line) => line.statedNet)).toEqual([undefined, '800']);
  });
});
