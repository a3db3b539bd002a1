import type { Kept, RecordNow, Unasked } from '../deliveries/record-now.ts';
import { unaskedOf } from '../deliveries/record-now.ts';
import { wordsOf } from '../documents/format.ts';
import { paidWord } from '../documents/payment.ts';
import type { DocumentKind } from '../platform/database-types.ts';
import { sentence } from './words.ts';

type Named = { readonly kind: DocumentKind; readonly typeCode: string | null };

/** What became of a record: `was cancelled`. */
function became(why: Unasked, { kind }: Pick<Named, 'kind'>, many = false): string {
  switch (why) {
    case 'draft':
      return many ? 'are drafts' : 'is a draft';
    case 'cancelled':
      return many ? 'were cancelled' : 'was cancelled';
    case 'paid':
      return `${many ? 'are' : 'is'} ${paidWord({ kind })}`;
    case 'changed':
      return many ? 'were changed since' : 'was changed since';
    default:
      return why satisfies never;
  }
}

/** Whether it is not sent again at all; the others are, where somebody says so. */
function isOver(why: Unasked): boolean {
  return why === 'draft' || why === 'cancelled';
}

function nameOf({ kind, typeCode }: Named): string {
  return wordsOf({ kind, typeCode: typeCode ?? undefined }).lower;
}

/**
 * What is to be known of an email’s record before the email is sent again: one sentence or more; null where nothing
 * became of it.
 *
 * @param at says an instant on the company’s clock
 */
export function recordNowWords(record: RecordNow, at: (date: Date) => string): string | null {
  const why = unaskedOf(record);
  if (why === null) return null;
  const name = nameOf(record);
  if (isOver(why)) return `The ${name} ${became(why, record)}, so this email is not sent again.`;
  const paid = why === 'paid' ? `The ${name} ${became(why, record)}.` : '';
  const changed = record.isChanged
    ? `The ${name} was changed since. This email carries the version of ${at(record.frozenAt)}.`
    : '';
  return [paid, changed].filter(Boolean).join(' ');
}

/** The same for a line of a list. */
export function recordNowNote(record: RecordNow): string | null {
  const why = unaskedOf(record);
  if (why === null) return null;
  return `The ${nameOf(record)} ${became(why, record)}${isOver(why) ? ': not sent again' : ''}`;
}

/** Why the one email that somebody wanted to send again is not: a sentence, and what to do. */
export function keptOne({ why, ...named }: Kept): string {
  const it = `The ${nameOf(named)} ${became(why, named)}`;
  switch (why) {
    case 'draft':
    case 'cancelled':
      return `${it}, so this email is not sent again.`;
    case 'paid':
      return `${it}. Tick the box beside the button to send it all the same.`;
    case 'changed':
      return `${it}. Say which version goes.`;
    default:
      return why satisfies never;
  }
}

/** Which of many are not sent again by one button for all, and why: a sentence for each reason. */
export function keptLines(kept: readonly Kept[]): string[] {
  return kept.map(({ why, count, numbers, ...named }) => {
    const others = count - numbers.length;
    const names = sentence(others > 0 ? [...numbers, `${others} more`] : numbers);
    const because = `${names} ${became(why, named, count > 1)}`;
    if (isOver(why)) return `${count} ${count === 1 ? 'is' : 'are'} not sent again: ${because}.`;
    const open = count === 1 ? 'Open it' : 'Open each';
    const say = why === 'paid' ? 'to send it all the same' : 'to say which version goes';
    return `${count} ${count === 1 ? 'stays' : 'stay'} as ${count === 1 ? 'it is' : 'they are'}: ${because}. ${open} ${say}.`;
  });
}
