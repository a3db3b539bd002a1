import type { Capability } from '../platform/capability.ts';
import type { MailboxState } from '../platform/database-types.ts';

/** One address of Gmail's *Send mail as*, as far as it decides whether we may use it. */
export interface SendAsFacts {
  readonly email: string;
  readonly displayName: string;
  readonly isPrimary: boolean;
  /** As Gmail wrote it; null where it wrote none. */
  readonly verificationStatus: string | null;
}

/** A mailbox of the tenant, as far as it decides who an email comes from. */
export interface MailboxFacts {
  readonly id: string;
  /** Whether the member may use it. One that they may not use is never chosen, and never named in a sentence. */
  readonly mayUse: boolean;
  readonly kind: 'shared' | 'personal';
  /** Whose it is, for a personal one. */
  readonly memberId: string | null;
  /** A member's Workspace account that is sent from by domain-wide delegation: nobody connected it. */
  readonly delegated: boolean;
  readonly email: string;
  readonly displayName: string;
  readonly replyTo: string | null;
  readonly isDefault: boolean;
  readonly state: MailboxState;
  /** Why its connection ended, as it is kept; null where nothing is wrong with it. */
  readonly ended: { readonly reason: string; readonly sure: boolean } | null;
  /** What Google granted of what is wanted; `aliases` lets us read Gmail's *Send mail as* list. */
  readonly capabilities: readonly Capability[];
  /** Of Gmail's list at least what the question could need. */
  readonly sendAs: readonly SendAsFacts[];
  /** When that list was asked for last. */
  readonly sendAsFetchedAt: Date | null;
  /** Addresses that Gmail did not keep on the From line, in small letters, and what it used instead. */
  readonly swapped: readonly { readonly email: string; readonly sentFrom: string }[];
}

/**
 * Whether Gmail really sends from this address: it calls it `accepted`, or says nothing about it (the primary, and
 * some Workspace aliases). `pending` is not usable: Gmail would silently send from another address.
 */
export function isUsable(entry: SendAsFacts): boolean {
  return entry.isPrimary || entry.verificationStatus === null || entry.verificationStatus === 'accepted';
}

/**
 * An address of a mailbox as Gmail lists it, whatever its case. The account's own needs no list; any other counts only
 * while the list can be asked for again.
 */
export function findSendAs(mailbox: MailboxFacts, email: string): SendAsFacts | undefined {
  const wanted = email.toLowerCase();
  // An address that Gmail dropped meanwhile would silently become another one.
  const isOwn = mailbox.email.toLowerCase() === wanted;
  const listed = mailbox.sendAs.find((entry) => entry.email.toLowerCase() === wanted);
  if (!isOwn) return mailbox.capabilities.includes('aliases') ? listed : undefined;
  return (
    listed ?? { email: mailbox.email, displayName: mailbox.displayName, isPrimary: true, verificationStatus: null }
  );
}
