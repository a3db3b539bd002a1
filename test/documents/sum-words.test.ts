import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentKinds, documentStatuses } from '../../src/documents/document.ts';
import { kindInstead, type PayableRecord, type Payment, paidWord, paymentOf } from '../../src/documents/payment.ts';
import { payableWord, sumNotice, sumOf, taxWordOf } from '../../src/documents/sum-words.ts';
import { nextStatuses, statusPill } from '../../src/web/record-words.ts';

const root = path.join(import.meta.dirname, '../..');

describe('the words of a record’s sums', () => {
  it('are those of one module, on pages and on paper: none of the older names stands anywhere', () => {
    const files = ['views/**/*.ejs', 'src/documents/**/*.ts', 'src/web/*.ts'].flatMap((each) =>
      globSync(each, { cwd: root }),
    );
    expect(files.length).toBeGreaterThan(200);
    const older =
      /Sum of lines|Total with(?:out)? \$|>To pay<|'To pay'|<dt>(?:Lines|Net|Total|Tax|Rounding)\b|Paid already|'Allowance'|>Allowances</;
    expect(files.filter((file) => older.test(readFileSync(path.join(root, file), 'utf8')))).toEqual([]);
  });

  it('say of the tax what it is called there', () => {
    const countries = ['IE', 'US', 'AU', undefined];
    expect(countries.map(taxWordOf)).toEqual(['VAT', 'Tax', 'GST', 'Tax']);
  });
});

const positive = '120.00';
const negative = '-120.00';
const zero = '0.00';

describe('a sum is said as what it means', () => {
  it.each<[PayableRecord, string, Payment, string, string, string, 'paid' | 'settled']>([
    [{ kind: 'invoice' }, positive, 'due', 'Amount due', 'Amount due', '€120.00', 'paid'],
    [{ kind: 'invoice' }, zero, 'nothing', 'Nothing to pay', 'Nothing to pay', '€0.00, nothing to pay', 'settled'],
    [
      { kind: 'invoice' },
      ...([negative, 'in_favour', 'Amount in your favour', 'Amount in the customer’s favour'] as const),
      ...(['€120.00 in their favour', 'settled'] as const),
    ],
    [{ kind: 'credit_note' }, positive, 'credit', 'Total credit', 'Total credit', '€120.00', 'settled'],
    [
      { kind: 'credit_note' },
      ...([zero, 'nothing', 'Nothing credited', 'Nothing credited', '€0.00, nothing credited', 'settled'] as const),
    ],
    [
      { kind: 'credit_note' },
      ...([negative, 'against', 'Amount in our favour', 'Amount in your favour'] as const),
      ...(['€120.00 in your favour', 'settled'] as const),
    ],
    [{ kind: 'quote' }, positive, 'sum', 'Total', 'Total', '€120.00', 'paid'],
    [{ kind: 'quote' }, zero, 'nothing', 'Free of charge', 'Free of charge', '€0.00, free of charge', 'settled'],
    [
      { kind: 'quote' },
      ...([negative, 'in_favour', 'Amount in your favour', 'Amount in the customer’s favour'] as const),
      ...(['€120.00 in their favour', 'settled'] as const),
    ],
    [{ kind: 'purchase_order' }, positive, 'sum', 'Total', 'Total', '€120.00', 'paid'],
    [
      { kind: 'purchase_order' },
      ...([negative, 'against', 'Amount in our favour', 'Amount in your favour'] as const),
      ...(['€120.00 in your favour', 'settled'] as const),
    ],
    [{ kind: 'invoice', typeCode: '325' }, positive, 'sum', 'Total', 'Total', '€120.00', 'paid'],
    [{ kind: 'invoice', typeCode: '389' }, positive, 'sum', 'Total', 'Total', '€120.00', 'paid'],
    [
      { kind: 'invoice', typeCode: '389' },
      ...([negative, 'against', 'Amount in our favour', 'Amount in your favour'] as const),
      ...(['€120.00 in your favour', 'settled'] as const),
    ],
  ])('%o of %s', (record, payable, payment, onPaper, onPage, within, done) => {
    expect(paymentOf(record, payable)).toBe(payment);
    expect(payableWord(record.kind, payment, 'party')).toBe(onPaper);
    expect(payableWord(record.kind, payment, 'company')).toBe(onPage);
    expect(sumOf({ ...record, payable, currency: 'EUR' }, 'en-IE')).toBe(within);
    expect(paidWord(record, payable)).toBe(done);
  });

  const sums = [positive, zero, negative];
  const everything = documentKinds.flatMap((kind) =>
    documentStatuses.flatMap((status) =>
      sums.flatMap((payable) => sums.map((total) => ({ kind, status, payable, total }))),
    ),
  );

  it.each(everything)('$kind, $status, $payable of $total: notice, other kind, status and button agree', (record) => {
    const { kind, status, payable, total } = record;
    const instead = kindInstead(record, { payable, total });
    const isOpen = status !== 'paid' && status !== 'cancelled';
    const isNegative = payable === negative && total === negative;
    const expected = isOpen && isNegative ? { invoice: 'credit_note', credit_note: 'invoice' }[kind as string] : null;
    expect(instead).toBe(expected ?? null);
    const notice = sumNotice(record, payable, '€120.00', instead);
    expect(notice === '').toBe(payable === positive);
    if (payable === negative) {
      expect(notice).toContain('The total is negative');
      expect(notice.includes('settled')).toBe(status === 'paid');
    }
    expect(notice.includes('what a credit note is for')).toBe(instead === 'credit_note');
    const summary = { ...record, typeCode: undefined, dueDate: undefined };
    if (status === 'paid') expect(statusPill(summary, '2026-12-01').word.toLowerCase()).toBe(paidWord(record, payable));
    const labels = nextStatuses(summary, true).map(({ label }) => label);
    if (status === 'open' && (kind === 'invoice' || kind === 'credit_note'))
      expect(labels).toContain(`Mark as ${paidWord(record, payable)}`);
  });
});
