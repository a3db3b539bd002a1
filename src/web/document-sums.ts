import type { DocumentContent } from '../documents/document.ts';
import { type DocumentForm, documentFormOf, type FormGuess, type FormProblem } from '../documents/form.ts';
import { type DocumentTotals, totalsOf } from '../documents/totals.ts';
import { each, type Work } from '../platform/turns.ts';
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
export function* sumsOf(
  form: TypedForm,
  base: DocumentContent | undefined,
  ownCurrency: string,
  locale: string,
): Work<Sums> {
  const currency = form.head.currency || base?.currency || ownCurrency;
  const typed = form.lines.filter(isTyped);
  const all = yield* parsedLines(typed);
  const { guesses } = all;
  const problems = all.ok ? [] : all.problems;
  const byKey = new Map(form.lines.map((line) => [String(line.key), line]));
  const unread = problems.filter(({ field }) => isTypedNumber(byKey, field));
  const wrong = new Set(problems.map(({ field }) => lineOf(field)));
  const unreadLines = new Set(unread.map(({ field }) => lineOf(field)));
  const counted = typed.filter((line) => isPriced(line) && !wrong.has(String(line.key)));
  const leftOut = form.lines.flatMap(({ key }, index) => (unreadLines.has(String(key)) ? [index + 1] : []));
  const told = { currency, unread, leftOut, guesses };
  const parsed = all.ok && counted.length === typed.length ? all : yield* parsedLines(counted);
  if (!parsed.ok) return { ...told, nets: form.lines.map(() => undefined) };
  const totals = yield* totalsOf({ ...parsed.content, number: '-' });
  const netOf = new Map(counted.map((line, index) => [line, totals.lines[index]?.net]));
  const nets = form.lines.map((line) => netOf.get(line));
  return counted.length > 0 ? { ...told, totals, nets } : { ...told, nets };

  /** The lines as a record of their own; one without a name is added up too: the price is often typed first. */
  function* parsedLines(lines: readonly LineForm[]): Work<DocumentForm> {
    const named = yield* each(
      lines,
      ({ key, values }) => [key, { ...values, name: values.name.trim() || '-' }] as const,
    );
    const dates = { issueDate: '2000-01-01', dueDate: '', validUntil: '' };
    const draft = { kind: form.kind, number: '-', ...dates, currency, party: { name: '-' } };
    return yield* documentFormOf({ ...draft, lines: Object.fromEntries(named) }, base, locale);
  }
}

function isPriced({ values }: LineForm): boolean {
  return values.unitPrice.trim() !== '';
}

function isTyped(line: LineForm): boolean {
  return isPriced(line) || numberFields.some((name) => line.values[name].trim() !== '');
}

const numberFields = ['quantity', 'unitPrice', 'discountPercent', 'taxRate'] as const;

function lineOf(field: string): string | undefined {
  return /^lines\[(\d+)\]/.exec(field)?.[1];
}

/** Whether a problem is about a number that somebody typed, rather than one that is still missing. */
function isTypedNumber(byKey: ReadonlyMap<string, LineForm>, field: string): boolean {
  const [, key, name] = /^lines\[(\d+)\]\[(\w+)\]$/.exec(field) ?? [];
  const number = numberFields.find((each) => each === name);
  return number !== undefined && (byKey.get(key ?? '')?.values[number].trim() ?? '') !== '';
}
