import type { DocumentContent } from '../documents/document.ts';
import { parseDocumentForm } from '../documents/form.ts';
import { computeTotals, type DocumentTotals } from '../documents/totals.ts';
import type { LineForm, TypedForm } from './document-form.ts';

/** What a form adds up to so far. */
export interface Sums {
  readonly currency: string;
  /** Missing where no line makes sense yet. */
  readonly totals?: DocumentTotals;
  /** The net amount of each row, in their order. */
  readonly nets: readonly (string | undefined)[];
}

/** Adds up the lines that make sense already; the rest of the form may be as unfinished as it likes. */
export function sumsOf(form: TypedForm, base: DocumentContent | undefined, ownCurrency: string): Sums {
  const currency = form.head.currency || base?.currency || ownCurrency;
  const parse = (lines: readonly LineForm[]) =>
    parseDocumentForm(
      {
        kind: form.kind,
        number: '-',
        issueDate: '2000-01-01',
        dueDate: '',
        validUntil: '',
        currency,
        party: { name: '-' },
        // A row without a name is added up too: the price is often typed first.
        lines: Object.fromEntries(
          lines.map(({ key, values }) => [key, { ...values, name: values.name.trim() || '-' }]),
        ),
      },
      base,
    );
  let counted = form.lines.filter(({ values }) => values.unitPrice.trim() !== '');
  let parsed = parse(counted);
  if (!parsed.ok) {
    const wrong = new Set(parsed.problems.map(({ field }) => /^lines\[(\d+)\]/.exec(field)?.[1]));
    counted = counted.filter(({ key }) => !wrong.has(String(key)));
    parsed = parse(counted);
  }
  if (!parsed.ok) return { currency, nets: form.lines.map(() => undefined) };
  const totals = computeTotals({ ...parsed.content, number: '-' });
  return { currency, totals, nets: form.lines.map((line) => totals.lines[counted.indexOf(line)]?.net) };
}
