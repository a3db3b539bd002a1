import { isAnswer } from '../deliveries/answers.ts';
import { type DocumentKind, type DocumentStatus, documentKinds, documentStatuses } from '../documents/document.ts';
import { type KindWords, wordsOf } from '../documents/format.ts';
import type { DocumentMatch } from '../documents/matching.ts';
import { paidWord } from '../documents/payment.ts';
import { type DocumentSummary, isOverdue } from '../documents/summary.ts';
import type { DeliveryPurpose, DeliveryState } from '../platform/database-types.ts';
import { wallTimeOf } from '../platform/zoned-time.ts';

/** Today on the company's calendar, moved by some days: `YYYY-MM-DD`. */
export function dayFrom(now: Date, timeZone: string, days = 0): string {
  const today = wallTimeOf(now, timeZone).slice(0, 10);
  return new Date(Date.parse(`${today}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** The kind that an address names; invoices where it names none that we know. */
export function kindNamed(value: unknown): DocumentKind {
  return documentKinds.find((kind) => kind === value) ?? 'invoice';
}

/** A record's status in a word. The class of its pill is the status itself. */
export const statusWords: Record<DocumentStatus, string> = {
  draft: 'Draft',
  open: 'Open',
  accepted: 'Accepted',
  paid: 'Paid',
  cancelled: 'Cancelled',
};

/** How a record stands in the business, in a word, and the class of its pill. `today` as {@link dayFrom} says it. */
export function statusPill(
  record: Pick<DocumentSummary, 'kind' | 'status' | 'dueDate' | 'payable'> & Partial<Pick<DocumentSummary, 'typeCode'>>,
  today: string,
): { readonly tone: string; readonly word: string } {
  if (isOverdue(record, today)) return { tone: 'overdue', word: 'Overdue' };
  if (record.status === 'paid' && paidWord(record, record.payable) === 'settled')
    return { tone: 'paid', word: 'Settled' };
  return { tone: record.status, word: statusWords[record.status] };
}

/** What a list can be narrowed to by status: `overdue` is an open one that should have been paid. */
export type ListStatus = DocumentStatus | 'overdue';

/** The statuses that records of a kind come to have, in the order of their life. */
export function statusesOf(kind: DocumentKind): { readonly value: ListStatus; readonly word: string }[] {
  const done = kind === 'quote' || kind === 'purchase_order' ? 'accepted' : 'paid';
  const overdue = kind === 'invoice' ? (['overdue'] as const) : [];
  const values: ListStatus[] = ['draft', 'open', ...overdue, done, 'cancelled'];
  const settled = (value: ListStatus) => kind === 'credit_note' && value === 'paid';
  return values.map((value) => ({
    value,
    word: value === 'overdue' ? 'Overdue' : settled(value) ? 'Settled' : statusWords[value],
  }));
}

/** What a list's address, or a form that came from it, says of the status: what to look for, as of a day of the company. */
export function statusMatch(said: unknown, today: string): Pick<DocumentMatch, 'status' | 'overdueOn'> {
  if (said === 'overdue') return { overdueOn: today };
  return { status: documentStatuses.find((status) => status === said) };
}

/** A delivery's state in a word. The class of its pill is the state itself. */
export const deliveryWords: Record<DeliveryState, string> = {
  queued: 'Queued',
  sending: 'Sending',
  sent: 'Sent',
  held: 'Held',
  failed: 'Failed',
  unconfirmed: 'Unconfirmed',
  cancelled: 'Cancelled',
};

/** How a delivery stands, in a word, and the class of its pill: what waits for a moment in time says which. */
export function pillOf({
  state,
  heldReason,
  isInDoubt = false,
  fromChangedAt = null,
}: {
  readonly state: DeliveryState;
  readonly heldReason: string | null;
  readonly isInDoubt?: boolean;
  /** When it was seen that Gmail used another address than was asked for. */
  readonly fromChangedAt?: Date | null;
}): {
  readonly tone: string;
  readonly word: string;
} {
  if (isInDoubt) return { tone: 'unconfirmed', word: 'In doubt' };
  if (heldReason === 'found') return { tone: 'scheduled', word: 'Marked as sent' };
  if (heldReason === 'not_found' || heldReason === 'not_found_new')
    return { tone: 'scheduled', word: 'To be sent again' };
  if (heldReason === 'not_found_over') return { tone: 'scheduled', word: 'Not sent again' };
  if (heldReason === 'scheduled') return { tone: 'scheduled', word: 'Scheduled' };
  if (heldReason === 'undo') return { tone: 'scheduled', word: 'About to leave' };
  if (heldReason === 'outside_hours') return { tone: 'scheduled', word: 'Waits for hours' };
  if (state === 'sent' && fromChangedAt !== null) return { tone: 'fail', word: 'Left from another address' };
  return { tone: state, word: deliveryWords[state] };
}

/** The same beside a record, whose own status may be a word of the same sound. */
export function sendingPill(delivery: Parameters<typeof pillOf>[0]): ReturnType<typeof pillOf> {
  return delivery.state === 'cancelled' ? { tone: 'cancelled', word: 'Email cancelled' } : pillOf(delivery);
}

/** A line of a timeline, in a word. */
export function eventWord({ state, heldReason }: Parameters<typeof pillOf>[0]): string {
  if (state === 'held' && isAnswer(heldReason)) return 'Answered';
  return state === 'held' && heldReason === 'undo' ? 'Send pressed' : pillOf({ state, heldReason }).word;
}

/** The words for the record that a delivery carries, as it was sent: a pro-forma invoice is no invoice. */
export function what(delivery: {
  readonly documentKind: DocumentKind | null;
  readonly documentTypeCode: string | null;
}): KindWords {
  return wordsOf({ kind: delivery.documentKind ?? 'invoice', typeCode: delivery.documentTypeCode ?? undefined });
}

/** A delivery that carries no record: what stands in the place of the record's number, and of whom it is for. */
export const withoutRecord: Readonly<
  Record<DeliveryPurpose, { readonly title: string; readonly about: string; readonly sentence: string }>
> = {
  document: { title: 'Record', about: '', sentence: 'A record' },
  test: { title: 'Test email', about: 'to yourself', sentence: 'A test email to yourself' },
  notice: {
    title: 'Notice',
    about: 'from Letterhead to you',
    sentence: 'A notice from Letterhead to the people of your company',
  },
  invitation: { title: 'Invitation', about: 'into your company', sentence: 'An invitation into your company' },
};

/**
 * What a person may say of a record next, from where it stands now: the status, and the words on its button.
 *
 * @param wasWritten an email with it was written: a draft of before drafts could not be sent stays, and is cancelled
 */
export function nextStatuses(
  record: Pick<DocumentSummary, 'kind' | 'typeCode' | 'status' | 'payable'>,
  wasWritten: boolean,
): { status: DocumentStatus; label: string }[] {
  const { kind, status } = record;
  const done =
    kind === 'quote' || kind === 'purchase_order'
      ? ({ status: 'accepted', label: 'Mark as accepted' } as const)
      : ({ status: 'paid', label: `Mark as ${paidWord(record, record.payable)}` } as const);
  const finalise = { status: 'open', label: 'Finalise' } as const;
  const reopen = { status: 'open', label: 'Mark as open' } as const;
  const cancel = { status: 'cancelled', label: 'Mark as cancelled' } as const;
  switch (status) {
    case 'draft':
      return wasWritten ? [finalise, cancel] : [finalise];
    case 'open':
      return [done, cancel];
    case 'accepted':
    case 'paid':
    case 'cancelled':
      return [reopen];
    default:
      return status satisfies never;
  }
}
