import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { differencesFromOwn } from '../../src/documents/differences.ts';
import { wordsOf } from '../../src/documents/format.ts';
import { readUbl } from '../../src/documents/read-ubl.ts';
import { asksForPayment, typeCodeOf } from '../../src/documents/type-codes.ts';
import { whoseIs } from '../../src/documents/whose-file.ts';
import { atOnce } from '../../src/platform/turns.ts';

const folder = path.join(import.meta.dirname, '../fixtures/cases');
const files = readdirSync(folder).filter((name) => name.endsWith('.xml'));
const read = (name: string) => readUbl(readFileSync(path.join(folder, name)), name);
const company = { name: 'Brightwater Joinery', taxId: null, email: null };

/** What each file must become: who it is for, what is to pay, whose it is, and what else it is about. */
const expected: Record<
  string,
  { party: string; payable: string; kind?: string; whose?: string; [more: string]: unknown }
> = {
  'allowance-without-category.xml': { party: 'Nordlicht Handel GmbH', payable: '209.88' },
  'endpoint-email-only.xml': { party: 'Nordlicht Handel GmbH', payable: '119.00', email: 'rechnung@nordlicht.example' },
  'huf-decimals.xml': { party: 'Nordlicht Handel GmbH', payable: '127.64' },
  'line-tax-in-taxtotal.xml': { party: 'Nordlicht Handel GmbH', payable: '125.00', taxRate: '25' },
  'person-customer.xml': { party: 'Elif Kaya', payable: '119.00' },
  'reexported-1.xml': { party: 'Nordlicht Handel GmbH', payable: '119.00' },
  'reexported-2.xml': { party: 'Nordlicht Handel GmbH', payable: '119.00' },
  'rounding-in-taxinclusive.xml': { party: 'Nordlicht Handel GmbH', payable: '120.00', rounding: '-0.30' },
  'same-name-A.xml': { party: 'Weber GmbH', payable: '119.00', email: 'buchhaltung@weber-kiel.example' },
  'same-name-B.xml': { party: 'WEBER GmbH', payable: '119.00', email: undefined },
  'sbdh-wrapped.xml': { party: 'Nordlicht Handel GmbH', payable: '119.00' },
  'self-billed-389.xml': {
    party: 'Hartmann Werkzeuge KG',
    payable: '119.00',
    title: 'Self-billed invoice',
    asks: false,
  },
  'seller-is-somebody-else.xml': { party: 'Nordlicht Handel GmbH', payable: '119.00', whose: 'theirs' },
  'third-party-payment.xml': { party: 'Nordlicht Handel GmbH', payable: '129.00' },
  'two-emails-semicolon.xml': {
    ...{ party: 'Nordlicht Handel GmbH', payable: '119.00' },
    email: 'ap@nordlicht.example, cfo@nordlicht.example',
  },
  'two-subtotals-same-rate.xml': { party: 'Nordlicht Handel GmbH', payable: '700.00' },
  'type-325-proforma.xml': {
    party: 'Nordlicht Handel GmbH',
    payable: '119.00',
    title: 'Pro-forma invoice',
    asks: false,
  },
  'type-381-in-invoice.xml': {
    ...{ party: 'Nordlicht Handel GmbH', payable: '119.00', kind: 'credit_note' },
    ...{ title: 'Credit note', asks: false },
  },
};

describe('small files that went wrong once', () => {
  it('all have an expectation here', () => {
    expect(files.toSorted()).toEqual(Object.keys(expected).toSorted());
  });

  it.each(files)('%s becomes what it says', (name) => {
    const { content, totals, issuer } = read(name);
    const wanted = expected[name];
    expect({ party: content.party.name, payable: totals.payable, kind: content.kind }).toEqual({
      party: wanted?.party,
      payable: wanted?.payable,
      kind: wanted?.kind ?? 'invoice',
    });
    expect(whoseIs(issuer, company)).toBe(wanted?.whose ?? 'ours');
    expect(wordsOf(content).title).toBe(wanted?.['title'] ?? 'Invoice');
    expect(asksForPayment(content)).toBe(wanted?.['asks'] ?? true);
    if (wanted && 'email' in wanted) expect(content.party.email).toBe(wanted['email']);
    if (wanted?.['taxRate']) expect(content.lines[0]?.taxRate).toBe(wanted['taxRate']);
    if (wanted?.['rounding']) expect(totals.rounding).toBe(wanted['rounding']);
    // All of them add up in our terms as well, so that nobody is told of a difference.
    expect(atOnce(differencesFromOwn(content))).toEqual([]);
  });

  it('names what is owed to a third party', () => {
    expect(read('third-party-payment.xml').content.furtherAmounts).toEqual([{ label: 'Parkgebühr', amount: '10' }]);
  });
});

describe('the type of an invoice', () => {
  const text = readFileSync(path.join(folder, 'type-325-proforma.xml'), 'utf8');
  const typed = (code: string) => readUbl(Buffer.from(text.replace('>325<', `>${code}<`)), 'a.xml').content;

  it.each([
    ['380', 'invoice', 'Invoice', true],
    ['326', 'invoice', 'Partial invoice', true],
    ['384', 'invoice', 'Corrected invoice', true],
    ['386', 'invoice', 'Prepayment invoice', true],
    ['388', 'invoice', 'Tax invoice', true],
    ['325', 'invoice', 'Pro-forma invoice', false],
    ['389', 'invoice', 'Self-billed invoice', false],
    ['527', 'invoice', 'Self-billed debit note', false],
    ['261', 'credit_note', 'Self-billed credit note', false],
    ['381', 'credit_note', 'Credit note', false],
    ['83', 'credit_note', 'Credit note', false],
    ['SATIS', 'invoice', 'Invoice', true],
    ['999', 'invoice', 'Invoice', true],
  ])('%s makes a %s, printed as %s', (code, kind, title, asks) => {
    const content = typed(code);
    expect(content.kind).toBe(kind);
    expect(wordsOf(content).title).toBe(title);
    expect(asksForPayment(content)).toBe(asks);
    // A code of no list is kept where the record shows what has no place of its own.
    if (!typeCodeOf(code)) expect(content.extras.map(({ value }) => value)).toContain(code);
  });
});
