import type { Decision } from '../deliveries/decide.ts';
import type { Decided } from '../deliveries/decided.ts';
import { keptLines, keptOne } from './record-now-words.ts';
import { type ReleaseReader, releasedWords } from './released-words.ts';
import { number } from './run-words.ts';
import type { Viewer } from './viewer.ts';
import { whoChangedIt } from './who-changed.ts';

/** A notice: its tone and its text. */
export type DecidedNotice = readonly ['ok' | 'wait' | 'fail', string];

/**
 * What a decision about one or many came to: what leaves, when; what stays and why; and what others had moved meanwhile.
 */
export function decidedWords(
  decision: Decision,
  decided: Decided,
  reader: ReleaseReader & { readonly viewer: Viewer },
): DecidedNotice {
  const { asked, moved, prospect, hindered, left, kept } = decided;
  const single = asked === 1;
  const released = releasedWords({ ...prospect, stays: [...prospect.stays, ...hindered] }, reader, { single });
  const others = left ? leftWords(left, asked, reader.viewer, reader.now) : '';
  const nothing = decision === 'send_now' ? 'Nothing was sent.' : 'Nothing was changed.';
  const [first] = kept;
  const records = single && first ? [keptOne(first)] : keptLines(kept);
  const said = moved === 0 ? nothing : done(decision, decided, reader.viewer.locale);
  const words = [said, released.text, ...records, others];
  const tone = moved === 0 || released.tone === 'wait' || left || first ? 'wait' : 'ok';
  return [tone, words.filter(Boolean).join(' ')];
}

function done(decision: Decision, { moved, answers }: Decided, locale: string): string {
  const counted = (count: number) => (count === 1 ? '1 email is' : `${number(count, locale)} emails are`);
  const stays = moved === 1 ? 'stays' : 'stay';
  switch (decision) {
    case 'send_again':
    case 'send_now':
      return answers > 0 ? `${counted(answers)} sent again in a minute. Until then this can be undone.` : '';
    case 'send_new_version':
      return `${counted(moved)} sent again in a minute, with the record as it is then. Until then this can be undone.`;
    case 'do_not_send':
      return `${counted(moved)} not sent again. For a minute this can be undone.`;
    case 'mark_as_sent':
      return `${counted(moved)} marked as sent. For a minute this can be undone.`;
    case 'cancel':
      return `${counted(moved)} discarded, and ${stays} in Activity as cancelled.`;
    case 'seen':
      return `${counted(moved)} off this list, and ${stays} in Activity.`;
    case 'take_back':
      return moved === 1 ? 'The answer was undone.' : `${number(moved, locale)} answers were undone.`;
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
        : `${number(count, viewer.locale)} others were left alone: they did not fit, or had moved on meanwhile.`;
  return `${what}${count === 1 ? who : who.replace(/^ /, ' The first of them: ')}`;
}
