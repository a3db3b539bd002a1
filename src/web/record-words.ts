import { type DocumentKind, type DocumentStatus, documentKinds } from '../documents/document.ts';
import type { DeliveryPurpose, DeliveryState } from '../platform/database-types.ts';

/** Today on the company's calendar, moved by some days: `YYYY-MM-DD`. */
export function dayFrom(now: Date, timeZone: string, days = 0): string {
  const today = new Intl.DateTimeFormat('en-CA', { timeZone }).format(now);
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

/** The statuses that records of a kind come to have, in the order of their life. */
export function statusesOf(kind: DocumentKind): DocumentStatus[] {
  const done = kind === 'quote' || kind === 'purchase_order' ? 'accepted' : 'paid';
  return ['draft', 'open', done, 'cancelled'];
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
export function pillOf({ state, heldReason }: { readonly state: DeliveryState; readonly heldReason: string | null }): {
  readonly tone: string;
  readonly word: string;
} {
  if (heldReason === 'scheduled') return { tone: 'scheduled', word: 'Scheduled' };
  if (heldReason === 'undo') return { tone: 'scheduled', word: 'About to leave' };
  if (heldReason === 'outside_hours') return { tone: 'scheduled', word: 'Waits for hours' };
  return { tone: state, word: deliveryWords[state] };
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
};

/** What a person may say of a record next, from where it stands now: the status, and the words on its button. */
export function nextStatuses(kind: DocumentKind, status: DocumentStatus): { status: DocumentStatus; label: string }[] {
  const done =
    kind === 'quote' || kind === 'purchase_order'
      ? ({ status: 'accepted', label: 'Mark as accepted' } as const)
      : ({ status: 'paid', label: kind === 'credit_note' ? 'Mark as settled' : 'Mark as paid' } as const);
  const reopen = { status: 'open', label: 'Mark as open' } as const;
  const cancel = { status: 'cancelled', label: 'Mark as cancelled' } as const;
  switch (status) {
    case 'draft':
      return [reopen, cancel];
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
