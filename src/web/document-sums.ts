import type { DocumentContent } from '../documents/document.ts';
import { type FormGuess, type FormProblem, parseDocumentForm } from '../documents/form.ts';
import { computeTotals, type DocumentTotals } from '../documents/totals.ts';
import type { LineForm, TypedForm } from './document-form.ts';

/** What a form adds up to so far. */
export interface Sums {
  readonly currency: string;
  /** Missing where no line makes sense yet. */
  readonly totals?: DocumentTotals;
  /** The net amount of each row, in their order. */
  readonly nets: readonly (string | undefined)[];
  /** Numbers of rows that cannot be read, by the names of their fields: their rows are not in the totals. */
  readonly unread: readonly FormProblem[];
  /** The rows that are not in the totals, from 1. */
  readonly leftOut: readonly number[];
  /** Numbers that could be two, and as what they were read. */
  readonly guesses: readonly FormGuess[];
}

/**
 * Adds up the lines that make sense already; the rest of the form may be as unfinished as it likes. What cannot be read is
 * told, and so is that its line is missing from the sum.
 *
 * @param locale of the page: how a number is read that could be two
 */
export function sumsOf(form: TypedForm, base: DocumentContent | undefined, ownCurrency: string, locale: string): Sums {
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
      locale,
    );
  const isPriced = ({ values }: LineForm) => values.unitPrice.trim() !== '';
  const isTyped = (line: LineForm) => isPriced(line) || numberFields.some((name) => line.values[name].trim() !== '');
  const typed = form.lines.filter(isTyped);
  const all = parse(typed);
  const { guesses } = all;
  const problems = all.ok ? [] : all.problems;
  const unread = problems.filter(({ field }) => isTypedNumber(form, field));
  const wrong = new Set(problems.map(({ field }) => lineOf(field)));
  const unreadLines = new Set(unread.map(({ field }) => lineOf(field)));
  const counted = typed.filter((line) => isPriced(line) && !wrong.has(String(line.key)));
  const leftOut = form.lines.flatMap(({ key }, index) => (unreadLines.has(String(key)) ? [index + 1] : []));
  const told = { currency, unread, leftOut, guesses };
  const parsed = all.ok && counted.length === typed.length ? all : parse(counted);
  if (!parsed.ok) return { ...told, nets: form.lines.map(() => undefined) };
  const totals = computeTotals({ ...parsed.content, number: '-' });
  const nets = form.lines.map((line) => totals.lines[counted.indexOf(line)]?.net);
  return counted.length > 0 ? { ...told, totals, nets } : { ...told, nets };
}

const numberFields = ['quantity', 'unitPrice', 'discountPercent', 'taxRate'] as const;

function lineOf(field: string): string | undefined {
  return /^lines\[(\d+)\]/.exec(field)?.[1];
}

/** Whether a problem is about a number that somebody typed, rather than one that is still missing. */
function isTypedNumber(form: TypedForm, field: string): boolean {
  const [, key, name] = /^lines\[(\d+)\]\[(\w+)\]$/.exec(field) ?? [];
  const number = numberFields.find((each) => each === name);
  return (
    number !== undefined && form.lines.some((line) => String(line.key) === key && line.values[number].trim() !== '')
  );
}
