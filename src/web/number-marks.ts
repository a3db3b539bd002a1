import type { FormGuess } from '../documents/form.ts';
import { formatAmount, formatNumber } from '../documents/format.ts';
import { each, type Work } from '../platform/turns.ts';
import type { TypedForm } from './document-form.ts';
import type { Sums } from './document-sums.ts';
import type { Viewer } from './viewer.ts';

/** What stands beside a number while it is typed: that it cannot be read, or as what it was read. */
export interface NumberMark {
  readonly field: string;
  readonly tone: 'error' | 'read';
  readonly text: string;
}

/** The marks of a form's numbers. */
export function* marksOf(
  { unread, guesses }: Pick<Sums, 'unread' | 'guesses'>,
  currency: string,
  locale: string,
): Work<NumberMark[]> {
  const wrong = unread.map(({ field, message }): NumberMark => ({ field, tone: 'error', text: message }));
  const read = yield* each(
    guesses,
    (guess): NumberMark => ({ field: guess.field, tone: 'read', text: `Read as ${asRead(guess, currency, locale)}.` }),
  );
  return [...wrong, ...read];
}

/** Says as what numbers were read that could be two, for the page after they were saved; empty where there are none. */
export function guessedWords(guesses: readonly FormGuess[], form: TypedForm, { tenant, locale }: Viewer): string {
  const currency = form.head.currency || tenant.currency;
  const said = guesses.slice(0, 3).map((guess) => {
    const [, key, name] = /^lines\[(\d+)\]\[(\w+)\]$/.exec(guess.field) ?? [];
    const line = form.lines.findIndex((each) => String(each.key) === key);
    const typed =
      line < 0 ? '' : (Object.entries(form.lines[line]?.values ?? {}).find(([each]) => each === name)?.[1] ?? '');
    return ` Line ${line + 1}: “${typed}” was read as ${asRead(guess, currency, locale)}.`;
  });
  return said.join('') + (guesses.length > 3 ? ` So were ${guesses.length - 3} more: check the amounts.` : '');
}

function asRead({ field, value }: FormGuess, currency: string, locale: string): string {
  return field.endsWith('[unitPrice]') ? formatAmount(value, currency, locale) : formatNumber(value, locale);
}
