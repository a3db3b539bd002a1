import { answered } from '../deliveries/answers.ts';
import type { Objection } from '../deliveries/check-sender.ts';
import type { DeliverySummary } from '../deliveries/deliveries.ts';
import type { Remedy, Trouble } from '../deliveries/remedy.ts';
import { paidWord } from '../documents/payment.ts';
import { endedWords, readReason } from '../mailboxes/ended-words.ts';
import { what } from './record-words.ts';
import { laterWords, small } from './released-words.ts';
import { isAdmin, type Viewer } from './viewer.ts';
import { atMoment, moment } from './words.ts';

/** Why a delivery waits, failed or asks for somebody. */
export interface Headline {
  /** Without a stop at the end: a button follows it. */
  readonly title: string;
  /** What it means, and what to do: one sentence or more. */
  readonly more: string | null;
}

/** Who reads it, and when. */
export interface Reader {
  readonly viewer: Pick<Viewer, 'memberId' | 'role' | 'tenant' | 'locale'>;
  readonly now: Date;
}

/** What of a delivery its headline and its button are made of. */
export type Told = DeliverySummary;

/** The headline of a delivery that stands so; null where its state says everything. */
export function headlineOf(
  delivery: Told,
  { trouble, waits }: Pick<Remedy, 'trouble' | 'waits'>,
  hindrance: Objection | null,
  reader: Reader,
): Headline | null {
  if (trouble === null) return null;
  const headline = words(trouble, delivery, hindrance, reader);
  // Held for one thing, and it would be held for another next.
  const next = hindrance && hindrance.reason !== trouble && !byItself.includes(trouble) ? hindrance.words : null;
  const { timeZone } = reader.viewer.tenant;
  // What needs a person comes first; that it would wait all the same is said besides.
  const time =
    waits?.kind === 'stays' && waits.time
      ? `Then it does not leave before ${moment(waits.time.until, timeZone, reader.now, reader.viewer.locale)}: ${small(laterWords(waits.time))}`
      : null;
  const more = [headline.more, next, time].filter(Boolean).join(' ');
  return { ...headline, more: more === '' ? null : more };
}

/** What is held for these goes on at a time, and is asked again then. */
const byItself: readonly Trouble[] = ['restored', ...answered, 'undo'];

const nothingLost = 'It was not sent, and nothing is lost.';

function words(trouble: Trouble, delivery: Told, hindrance: Objection | null, reader: Reader): Headline {
  const { mailboxEmail: mailbox, fromEmail, notBefore, memberName } = delivery;
  const { locale, tenant } = reader.viewer;
  const { timeZone } = tenant;
  const at = (date: Date) => atMoment(date, timeZone, reader.now, locale);
  const until = notBefore ? moment(notBefore, timeZone, reader.now, locale) : null;
  const by = (name: string | null) => (name ? ` by ${name}` : '');
  switch (trouble) {
    case 'mailbox_paused': {
      const since =
        delivery.mailboxState === 'paused' ? `${by(delivery.pausedByName)} ${at(delivery.mailboxStateAt)}` : '';
      return { title: `${mailbox} was paused${since}`, more: `It leaves when ${mailbox} is resumed. ${nothingLost}` };
    }
    case 'mailbox_needs_reconnect': {
      const ended = endedOf(delivery);
      return { title: ended.title, more: `${ended.what} ${ended.fix} ${nothingLost}` };
    }
    case 'mailbox_disconnected': {
      const since = delivery.mailboxState === 'disconnected' ? ` ${at(delivery.mailboxStateAt)}` : '';
      return {
        title: `${mailbox} was disconnected${since}`,
        more: `It leaves when ${mailbox} is connected again. ${nothingLost}`,
      };
    }
    case 'waited_too_long':
      return {
        title: `It waited too long for ${mailbox} to go out by itself`,
        more: 'What it says may not be true any more, so it waits for you. It was not sent.',
      };
    case 'sender_changed':
      return {
        title: `It would not come from ${fromEmail} any more`,
        more: `${hindrance?.words ?? delivery.lastDetail ?? ''} ${nothingLost}`.trim(),
      };
    case 'from_changed':
      return {
        title: `Gmail used another address instead of ${fromEmail} before`,
        more: `Nothing more leaves from ${fromEmail} until somebody has looked at why. ${nothingLost}`,
      };
    case 'not_allowed':
      return notAllowed(delivery, hindrance, reader);
    case 'sending_limit':
      return {
        title: `Gmail’s limit for one day is used up${until ? `; leaves ${until}` : ''}`,
        more: `${mailbox} has sent as much as Gmail allows in 24 hours. It goes on by itself.`,
      };
    case 'operator':
      return {
        title: `Google did not let us in${until ? `; tried again ${until}` : ''}`,
        more: `${delivery.lastDetail ?? ''} ${nothingLost}`.trim(),
      };
    case 'draft_edited':
      return {
        title: 'Somebody changed its draft in Gmail',
        more: 'It would not be what you saw before you sent it. It was not sent. You can send it as you saw it.',
      };
    case 'draft_deleted':
      return { title: 'Somebody deleted its draft in Gmail', more: 'It was not sent. You can send it after all.' };
    case 'not_sent':
      return {
        title: 'It was not sent, though somebody asked for that long ago',
        more: 'Look whether what it says is still true. Then send it, or discard it.',
      };
    case 'scheduled':
      return { title: `Leaves ${until ?? 'at the time that was chosen'}`, more: null };
    case 'outside_hours':
      return { title: `Waits for sending hours${until ? ` · ${until}` : ''}`, more: null };
    case 'undo':
      return { title: `Sent by ${memberName}; can be undone for a moment`, more: null };
    case 'restored':
      return notBefore === null
        ? {
            title: 'After a restore from a backup: was it sent?',
            more: 'Letterhead was restored from a backup, and cannot tell whether this was sent meanwhile.',
          }
        : {
            title: 'It is looked up in Gmail whether it was sent',
            more: 'Letterhead was restored from a backup. What was sent after the backup is not in it.',
          };
    case 'found':
      return { title: 'Found in Gmail', more: 'For a minute this can be undone.' };
    case 'not_found':
      return {
        title: 'Not found in Gmail',
        more: 'For a minute this can be undone. Then it leaves.',
      };
    case 'not_found_new':
      return {
        title: 'Not found in Gmail',
        more: 'For a minute this can be undone. Then an email with the new version leaves in its place.',
      };
    case 'not_found_over':
      return { title: 'Not found in Gmail', more: 'It is not sent again. For a minute this can be undone.' };
    case 'record_paid':
      return {
        title: `The ${what(delivery).lower} was ${paidWord({ kind: delivery.documentKind ?? 'invoice' })} before this left`,
        more: 'It leaves only if you say so. Otherwise cancel it. It was not sent.',
      };
    case 'stuck':
      return {
        title: 'It could not be handed to Gmail, by an error on our side',
        more: 'It was tried again and again, and whoever runs Letterhead was told. It was not sent.',
      };
    case 'run_paused': {
      const paused = delivery.runState === 'paused' && delivery.runStateAt;
      const since = paused ? `${by(delivery.runStateByName)} ${at(paused)}` : '';
      return { title: `Its run was paused${since}`, more: 'It leaves when the run is resumed. It was not sent.' };
    }
    case 'free':
      return { title: 'It can be sent again', more: 'What it waited for is over. It waits for you, and was not sent.' };
    case 'in_doubt': {
      const when =
        notBefore && notBefore > reader.now ? ` until ${moment(notBefore, timeZone, reader.now, locale)}` : '';
      return {
        title: when ? `Gmail’s answer never arrived; unclear${when}` : 'Gmail’s answer never arrived; being looked up',
        more: when
          ? `It may have been sent or not. Until then it may still be on its way; only after that can it be found out.`
          : 'It is being found out whether it was sent.',
      };
    }
    case 'unconfirmed':
      return {
        title: 'Gmail’s answer never arrived: was it sent?',
        more: 'Letterhead cannot see whether Gmail sent it. Look, then say what you found.',
      };
    case 'other_from':
      return {
        title: `Left from another address: ${delivery.sentFrom ?? 'Gmail’s own'}`,
        more: `It was to come from ${fromEmail}.`,
      };
    case 'bad_recipient':
      return {
        title: 'Gmail does not accept a recipient’s address',
        more: `It was not sent to anybody.${quoted(delivery)} Correct the address and send it again.`,
      };
    case 'too_large':
      return {
        title: 'It is larger than Gmail accepts',
        more: `It was not sent.${quoted(delivery)} Make the record’s PDF smaller and send it again.`,
      };
    case 'no_pdf':
      return {
        title: 'Its PDF could not be made',
        more: 'It was not sent, and Gmail was not asked. Open the record, look at its PDF and send it again.',
      };
    case 'refused':
      return {
        title: `Gmail refused it${delivery.refusal?.status ? ` (${delivery.refusal.status})` : ''}`,
        more: `It was not sent, and trying again would not help.${quoted(delivery)}`,
      };
    default:
      return trouble satisfies never;
  }
}

/** Gmail's own words, which are quoted and never paraphrased. */
function quoted({ refusal }: Told): string {
  return refusal?.message ? ` Gmail says: “${refusal.message.replace(/\s+/g, ' ').slice(0, 300)}”.` : '';
}

/** Why its mailbox cannot send, in the words of the mailbox’s page. */
export function endedOf({ mailboxReason, mailboxReasonSure: sure, mailboxEmail, mailboxState }: Told) {
  const reason = readReason(mailboxState === 'active' ? null : mailboxReason);
  return endedWords({ reason, sure: sure || mailboxReason === null }, mailboxEmail);
}

function notAllowed(delivery: Told, hindrance: Objection | null, { viewer }: Reader): Headline {
  const { memberName: name, memberId, mailboxEmail: mailbox } = delivery;
  const mine = memberId === viewer.memberId;
  const help = isAdmin(viewer) ? '' : ' An owner or admin can change that.';
  switch (hindrance?.lacks) {
    case 'left':
    case 'membership':
      return {
        title: hindrance.lacks === 'left' ? `${name} left the company` : `${name} was removed from the company`,
        more: `${nothingLost} Somebody else can send the record.`,
      };
    case 'role':
      return { title: `${mine ? 'You' : name} may only look now`, more: `${nothingLost}${help}` };
    default:
      return { title: `${mine ? 'You' : name} may not use ${mailbox} any more`, more: `${nothingLost}${help}` };
  }
}
