import type { Decision } from '../deliveries/decide.ts';
import type { Decided } from '../deliveries/decided.ts';
import { laterWords } from './telling.ts';
import type { Viewer } from './viewer.ts';
import { whoChangedIt } from './who-changed.ts';
import { moment } from './words.ts';

/** A notice: its tone and its text. */
export type DecidedNotice = readonly ['ok' | 'wait' | 'fail', string];

/**
 * What a decision about one or many came to: what leaves, when; what stays and why; and what others had moved meanwhile.
 */
export function decidedWords(
  decision: Decision,
  decided: Decided,
  { viewer, now }: { readonly viewer: Viewer; readonly now: Date },
): DecidedNotice {
  const { moved, answers, later, hindered, left } = decided;
  const { timeZone } = viewer.tenant;
  const waits = later
    ? ` ${one(later.count, 'It leaves', `${later.count} leave`, moved)} ${moment(later.first.until, timeZone, now)}: ${small(laterWords(later.first))}`
    : '';
  const stays = hindered
    ? ` ${one(hindered.count, 'It waits', `${hindered.count} wait`, decided.asked)}: ${hindered.words}`
    : '';
  const others = left ? ` ${leftWords(left, decided.asked, viewer, now)}` : '';
  const rest = `${waits}${stays}${others}`;
  if (moved === 0) return ['wait', `${decision === 'send_now' ? 'Nothing was sent.' : 'Nothing was changed.'}${rest}`];
  const tone = hindered || left || later ? 'wait' : 'ok';
  return [tone, `${done(decision, { moved, answers, leaving: moved - answers - (later?.count ?? 0) })}${rest}`.trim()];
}

function done(
  decision: Decision,
  { moved, answers, leaving }: { readonly moved: number; readonly answers: number; readonly leaving: number },
): string {
  const stays = moved === 1 ? 'stays' : 'stay';
  switch (decision) {
    case 'send_again':
    case 'send_now':
      return [
        leaving > 0 ? `${counted(leaving)} going out now.` : '',
        answers > 0 ? `${counted(answers)} sent again in a minute. Until then this can be undone.` : '',
      ]
        .filter(Boolean)
        .join(' ');
    case 'mark_as_sent':
      return `${counted(moved)} marked as sent. For a minute this can be undone.`;
    case 'cancel':
      return `${counted(moved)} discarded, and ${stays} in Activity as cancelled.`;
    case 'seen':
      return `${counted(moved)} off this list, and ${stays} in Activity.`;
    case 'take_back':
      return moved === 1 ? 'The answer was undone.' : `${moved} answers were undone.`;
    default:
      return decision satisfies never;
  }
}

function leftWords({ count, last }: NonNullable<Decided['left']>, asked: number, viewer: Viewer, now: Date): string {
  const who = last ? ` ${whoChangedIt(last, viewer, now)}` : '';
  const what =
    asked === 1
      ? 'It has moved on meanwhile.'
      : count === 1
        ? '1 other was left alone: it did not fit, or had moved on meanwhile.'
        : `${count} others were left alone: they did not fit, or had moved on meanwhile.`;
  return `${what}${count === 1 ? who : who.replace(/^ /, ' The first of them: ')}`;
}

function counted(count: number): string {
  return count === 1 ? '1 email is' : `${count} emails are`;
}

function one(count: number, single: string, many: string, all: number): string {
  if (all === 1) return single;
  return count === 1 ? many.replace(/(leave|wait)$/, '$1s') : many;
}

function small(sentence: string): string {
  return /^(Gmail|Google)/.test(sentence) ? sentence : sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
