import type { Budget } from '../deliveries/budget.ts';
import type { MergeField } from '../deliveries/merge.ts';
import type { Reason } from '../deliveries/runs/judge.ts';
import type { Noticed } from '../deliveries/runs/overview.ts';
import type { ReportFilter } from '../deliveries/runs/report.ts';
import type { CancelForecast, RunPhase, RunSummary } from '../deliveries/runs/runs.ts';
import type { Standstill } from '../deliveries/standing.ts';
import type { HeldReason } from '../deliveries/state.ts';
import { formatNumber, kindWords } from '../documents/format.ts';
import { paidWord } from '../documents/payment.ts';
import type { EndedWords } from '../mailboxes/ended-words.ts';
import type { SenderResolution } from '../mailboxes/sender.ts';
import { own } from '../platform/own.ts';
import { lettersWords } from './letters-words.ts';

/** `1,200 invoices`, `1 invoice`. */
export function countWords(count: number, kind: RunSummary['kind'], locale: string): string {
  return `${number(count, locale)} ${count === 1 ? kindWords[kind].lower : kindWords[kind].plural.toLowerCase()}`;
}

/** `1,200`, as whoever looks writes it. */
export function number(count: number, locale: string): string {
  return formatNumber(String(count), locale);
}

/** `300 emails`, `1 email`. */
export function emailCount(count: number, locale: string): string {
  return count === 1 ? '1 email' : `${number(count, locale)} emails`;
}

/** Says of each part of the page that starts a run why it is not as it was shown; see `survey.ts`. */
export function changedWords(parts: readonly string[], resolution: SenderResolution): string[] {
  return parts.flatMap((part) => {
    switch (part) {
      case 'head':
        return 'What stands at the head of your documents was changed.';
      case 'sender':
        if (!resolution.ok) return [];
        return `They would come from ${resolution.sender.fromName} <${resolution.sender.fromEmail}> now.`;
      case 'paid':
        return 'Whether paid ones are sent, too, is counted in now.';
      default:
        return 'Records were changed, added or taken away, or go to other addresses now.';
    }
  });
}

/** Where a run stands, in a word, and the class of its pill. */
export const phaseWords: Record<RunPhase, { word: string; pill: string }> = {
  undo: { word: 'About to leave', pill: 'scheduled' },
  scheduled: { word: 'Scheduled', pill: 'scheduled' },
  running: { word: 'Sending', pill: 'sending' },
  waiting: { word: 'Waiting', pill: 'held' },
  paused: { word: 'Paused', pill: 'held' },
  cancelled: { word: 'Cancelled', pill: 'cancelled' },
  in_doubt: { word: 'In doubt', pill: 'unconfirmed' },
  needs_you: { word: 'Needs you', pill: 'fail' },
  over: { word: 'Done', pill: 'ok' },
};

/** What the parts of a run are called, the same as on the rows of its report. */
export const partWords: Record<ReportFilter, string> = {
  undo: 'About to leave',
  scheduled: 'Scheduled',
  waiting: 'Waiting',
  inDoubt: 'In doubt',
  answered: 'Just answered',
  sent: 'Sent',
  held: 'Held',
  failed: 'Failed',
  unconfirmed: 'Unconfirmed',
  cancelled: 'Cancelled',
};

const fieldWords: Record<MergeField, string> = {
  attached: 'words of its own',
  number: 'number',
  kind: 'kind',
  amount: 'amount',
  date: 'date',
  due_date: 'due date',
  valid_until: 'last day',
  delivery_date: 'day of delivery',
  reference: 'reference of theirs',
  name: 'name',
  contact: 'contact',
  company: 'company',
  sender: 'sender',
};

/**
 * Why a record cannot be sent, or should be looked at first, and where to mend it. `at` says an instant in the company's
 * time zone.
 */
export function noticedWords(
  { record, reason }: Noticed,
  at: (date: Date) => string,
): { why: string; fix: string; href: string | null } {
  const own = `/documents/${record.id}`;
  switch (reason.kind) {
    case 'draft':
      return { why: 'It is still a draft.', fix: 'Mark it as open', href: own };
    case 'cancelled':
      return { why: 'It is cancelled.', fix: 'Open', href: own };
    case 'paid':
      return {
        why: `It is ${paidWord(record, record.payable)}.`,
        fix: 'Tick the box above the button to send it all the same',
        href: null,
      };
    case 'no_address':
      return {
        why: 'Neither it nor its contact has an email address.',
        fix: 'Add one to the contact',
        href: `/parties/${record.partyId}/edit`,
      };
    case 'bad_address':
      return {
        why: reason.problem,
        fix: reason.of === 'contact' ? 'Correct the contact' : 'Correct it',
        href: reason.of === 'contact' ? `/parties/${record.partyId}/edit` : `${own}/edit`,
      };
    case 'missing':
      return {
        why: `It has no ${fieldWords[reason.field]}, which the text names.`,
        fix: 'Add it to the record, or change the text',
        href: `${own}/edit`,
      };
    case 'too_long':
      return { why: 'Its subject or message comes out too long.', fix: 'Shorten the text', href: null };
    case 'empty':
      return { why: 'Its subject or message comes out empty.', fix: 'Change the text', href: null };
    case 'letters':
      return {
        why: lettersWords(reason.letters),
        fix: reason.of === 'company' ? 'Change the company’s details' : 'Write them in another way',
        href: reason.of === 'company' ? '/settings/company' : `${own}/edit`,
      };
    case 'recent':
      return {
        why: recentWords(record, at),
        ...(record.recent?.mayHaveLeft
          ? { fix: 'Open the email', href: `/deliveries/${record.recent.id}` }
          : { fix: 'Open', href: own }),
      };
    default:
      return reason satisfies never;
  }
}

function recentWords({ recent }: Noticed['record'], at: (date: Date) => string): string {
  if (recent?.state === 'sent') return `Sent ${at(recent.at)}`;
  if (recent?.mayHaveLeft) return `In doubt since ${at(recent.at)}: nobody knows yet whether it was sent`;
  return recent ? `Waits to be sent since ${at(recent.at)}` : 'Sent lately';
}

const leftOutWords: Readonly<Record<string, string>> = {
  draft: 'still drafts',
  cancelled: 'cancelled',
  paid: 'paid',
  no_address: 'without an email address',
  bad_address: 'with an address that is none',
  missing: 'without something that the text names',
  too_long: 'with a text that came out too long',
  empty: 'with a text that came out empty',
  letters: 'with letters that cannot be printed',
  recent: 'sent within 24 hours before, waiting to be, or in doubt',
} satisfies Record<Reason['kind'], string>;

/** What was left out when a run was started: `3 without an email address`, most first. */
export function leftOutLines(leftOut: Readonly<Record<string, number>>, locale: string): string[] {
  return Object.entries(leftOut)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${number(count, locale)} ${leftOutReason(reason)}`);
}

/** Why one record was left out: `without an email address`. */
export function leftOutReason(reason: string): string {
  return own(leftOutWords, reason) ?? reason;
}

/**
 * Why some deliveries of a run are held, and what somebody can do about it; `href` null where it goes by itself.
 *
 * @param ended what is wrong with the run's mailbox
 * @param isKept something else keeps them that only a person ends: then none goes out by itself
 */
export function heldWords(
  reason: string,
  ended: { readonly mailboxId: string; readonly trouble: EndedWords } | null = null,
  isKept = false,
): { text: string; href: string | null; label: string } {
  if (reason === 'mailbox_needs_reconnect' && ended) {
    const { title, what, remedy } = ended.trouble;
    return { text: `${title}. ${what}`, href: `/mailboxes/${ended.mailboxId}`, label: remedy };
  }
  const known = own(heldTexts, reason);
  if (!known) return { text: 'It waits', href: null, label: '' };
  const [text, next] = known;
  if (next === null) return { text: isKept ? text.replace(byItself, '') : text, href: null, label: '' };
  if (next !== 'decide') return { text, href: '/settings/email', label: next };
  const why = reason === 'restored' ? 'restored' : 'held';
  return { text, href: `/activity?show=attention&why=${why}`, label: 'Decide' };
}

const byItself = /; goes out by itself$/;

/** Of each reason a text for many, and what ends it: a button on the email settings, a decision, or nothing but time. */
const heldTexts: Readonly<
  Record<HeldReason, readonly [string, 'What to do' | 'Resume' | 'Connect' | 'decide' | null]>
> = {
  mailbox_needs_reconnect: ['The Gmail account cannot send', 'What to do'],
  mailbox_paused: ['The Gmail account is paused', 'Resume'],
  mailbox_disconnected: ['The Gmail account was disconnected', 'Connect'],
  waited_too_long: ['Waited too long to go out by itself', 'decide'],
  sender_changed: ['Would come from another address now', 'decide'],
  from_changed: ['Gmail used another address than this one before', 'decide'],
  not_allowed: ['The sender may not send it any more', 'decide'],
  sending_limit: ['Gmail’s limit for one day is used up; goes out by itself', null],
  operator: ['Google did not let us in; goes out by itself', null],
  draft_edited: ['Its draft was changed in Gmail', 'decide'],
  draft_deleted: ['Its draft was deleted in Gmail', 'decide'],
  not_sent: ['Not sent, though asked for long ago', 'decide'],
  scheduled: ['Leaves at the time that was chosen', null],
  outside_hours: ['Outside your sending hours; goes out by itself', null],
  undo: ['Can still be undone; goes out by itself', null],
  restored: ['After a restore: was it sent?', 'decide'],
  found: ['Found in Gmail; marked as sent in a minute', null],
  not_found: ['Not found in Gmail; sent again in a minute', null],
  not_found_new: ['Not found in Gmail; the new version is sent in a minute', null],
  not_found_over: ['Not found in Gmail; not sent again', null],
  record_paid: ['Its record is paid by now', 'decide'],
  stuck: ['Could not be handed to Gmail, by an error on our side', 'decide'],
  run_paused: ['The run is paused', null],
};

/** `less than a minute`, `about 12 minutes`, `about 3 hours`. */
export function timeWords(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  if (ms < 45_000) return 'less than a minute';
  if (minutes === 1) return 'about a minute';
  if (minutes < 90) return `about ${minutes} minutes`;
  return `about ${Math.round(minutes / 60)} hours`;
}

/** Why nothing leaves just now, without saying until when. */
export function standstillWords({ reason, everybody }: Pick<Standstill, 'reason' | 'everybody'>): string {
  switch (reason) {
    case 'rate':
      return everybody ? 'Google asked Letterhead to slow down' : 'Gmail asked this account to slow down';
    case 'sending_limit':
      return 'Gmail says that this account’s limit for one day is used up';
    case 'trouble':
      return everybody
        ? 'Google is in trouble: its answers get lost, and one email at a time tries whether it is over'
        : 'Gmail’s answers got lost; one email at a time tries whether it is over';
    case 'budget':
      return 'The emails that this account may send in one day are used up';
    default:
      return reason satisfies never;
  }
}

/** What {@link budgetLines} needs to know besides. */
interface BudgetWords {
  /** `of this run`, `of these`. */
  readonly ofRun: string;
  /** Says an instant on the company's clock. */
  readonly at: (date: Date) => string;
  /** When the company's sending hours begin, where that is later than now. */
  readonly opening: Date | null;
  /** Its mailbox cannot send: nobody knows when it leaves. */
  readonly waits?: boolean;
  readonly locale: string;
}

/**
 * What a budget means for the deliveries it was asked for: how much of the day is used, what goes out when.
 */
export function budgetLines(
  { used, limit, standsStill, forecast }: Budget,
  { ofRun, at, opening, waits = false, locale }: BudgetWords,
): string[] {
  const { soon, later, takesMs } = forecast;
  const lines = [usedWords(used, limit, locale)];
  if (waits) return lines;
  if (standsStill) lines.push(`${standstillWords(standsStill)}; it goes on at ${at(standsStill.until)}`);
  if (opening) lines.push(`your sending hours begin ${at(opening)}`);
  else if (soon > 0 && !standsStill)
    lines.push(`${later > 0 ? `${number(soon, locale)} leave in` : 'all leave in'} ${timeWords(takesMs)}`);
  if (later > 0) {
    const days = Math.ceil(later / limit);
    lines.push(
      `${number(later, locale)} ${ofRun} go out ${days === 1 ? 'tomorrow' : `over the ${days} days after that`}`,
    );
  }
  return lines;
}

/** How much of a day's limit is used: what was sent before the limit was lowered counts, too. */
export function usedWords(used: number, limit: number, locale: string): string {
  if (used <= limit) return `${number(used, locale)} of ${number(limit, locale)} emails in the last 24 hours`;
  return `${emailCount(used, locale)} sent in the last 24 hours, more than the ${number(limit, locale)} of a day`;
}

/** What happens to the emails of a run that somebody cancels: sentences. */
export function cancelWords({ stopped, restored, inDoubt, sending }: CancelForecast, locale: string): string[] {
  const some = (count: number, one: string, many: string) => `${emailCount(count, locale)} ${count === 1 ? one : many}`;
  return [
    stopped > 0 ? some(stopped, 'has not left yet, and never will.', 'have not left yet, and never will.') : '',
    restored > 0
      ? `${some(restored, 'is', 'are')} discarded: ${restored === 1 ? 'it' : 'they'} may have left before the restore.`
      : '',
    inDoubt > 0
      ? `Of ${emailCount(inDoubt, locale)} nobody knows yet whether ${inDoubt === 1 ? 'it was' : 'they were'} sent: that stays to be found out.`
      : '',
    sending > 0
      ? `${some(sending, 'is', 'are')} on the way to Gmail at this moment, and still ${sending === 1 ? 'arrives' : 'arrive'}.`
      : '',
  ].filter(Boolean);
}

/** What is not in a budget's numbers. */
export const budgetNote =
  'Only what your company sent from here is counted; what was sent in Gmail itself, or by other programs, Gmail counts too.';
