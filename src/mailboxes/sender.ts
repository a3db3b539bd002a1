import type { Capability } from '../platform/capability.ts';
import type { DocumentKind, MailboxState } from '../platform/database-types.ts';

/** The Send-From mode that applies, with its alias where it has one. */
export type SenderRule =
  | { readonly mode: 'default' }
  | { readonly mode: 'current_user' }
  | { readonly mode: 'alias'; readonly mailboxId: string; readonly email: string };

/** One address of Gmail's *Send mail as*, as far as it decides whether we may use it. */
export interface SendAsFacts {
  readonly email: string;
  readonly displayName: string;
  readonly isPrimary: boolean;
  /** As Gmail wrote it; null where it wrote none. */
  readonly verificationStatus: string | null;
}

/** A mailbox that the member may use, as far as it decides who an email comes from. */
export interface MailboxFacts {
  readonly id: string;
  readonly kind: 'shared' | 'personal';
  /** Whose it is, for a personal one. */
  readonly memberId: string | null;
  readonly email: string;
  readonly displayName: string;
  readonly replyTo: string | null;
  readonly isDefault: boolean;
  readonly state: MailboxState;
  /** What Google granted of what is wanted; `aliases` lets us read Gmail's *Send mail as* list. */
  readonly capabilities: readonly Capability[];
  readonly sendAs: readonly SendAsFacts[];
}

/** Everything the decision depends on. */
export interface SenderQuestion {
  readonly rule: SenderRule;
  readonly member: { readonly id: string; readonly email: string; readonly name: string };
  readonly mailboxes: readonly MailboxFacts[];
}

/** Whom an email comes from. */
export interface Sender {
  readonly mailboxId: string;
  readonly mailboxEmail: string;
  readonly fromEmail: string;
  readonly fromName: string;
  readonly replyTo: string | null;
}

/** Why nobody can be the sender. */
export type RefusalReason =
  | 'no_mailbox'
  | 'member_has_no_address'
  | 'address_pending'
  | 'alias_gone'
  | 'alias_mailbox_gone'
  | 'aliases_unreadable';

/** The answer: a sender, or a refusal with its reason and its fix. Both say why, in a sentence for people. */
export type SenderResolution =
  | {
      readonly ok: true;
      readonly sender: Sender;
      readonly because: string;
      /** The mailbox must be reconnected first: an email can be written now and is held until then. */
      readonly needsReconnect: boolean;
    }
  | { readonly ok: false; readonly reason: RefusalReason; readonly because: string; readonly fix: string };

/**
 * Decides whom an email comes from. Pure, and without any fallback: what is not allowed is refused.
 *
 * 1. `default`: the primary address of the tenant's default mailbox.
 * 2. `current_user`: (a) the member's own personal mailbox; else (b) the member's address where it is a
 *    usable send-as address of a shared mailbox, the default one first; else refused.
 * 3. `alias`: the chosen address, where it is usable on the chosen mailbox; else refused.
 *
 * A send-as address is usable when Gmail calls it `accepted`, or says nothing about it (the primary, and
 * some Workspace aliases); `pending` is not: Gmail would silently send from another address.
 */
export function resolveSender(question: SenderQuestion): SenderResolution {
  const mailboxes = question.mailboxes.filter((mailbox) => mailbox.state !== 'disconnected');
  const { rule } = question;
  switch (rule.mode) {
    case 'default':
      return fromDefault(mailboxes);
    case 'current_user':
      return fromMember(question.member, mailboxes);
    case 'alias':
      return fromAlias(rule, mailboxes, question.mailboxes);
    default:
      return rule satisfies never;
  }
}

function fromDefault(mailboxes: readonly MailboxFacts[]): SenderResolution {
  const mailbox = mailboxes.find((each) => each.isDefault);
  if (!mailbox && mailboxes.some((each) => each.kind === 'shared')) {
    return refuse(
      'no_mailbox',
      'The Gmail account that is the company’s default is not connected.',
      'In Settings → Email, connect it again or make another one the default.',
    );
  }
  if (!mailbox) {
    return refuse(
      'no_mailbox',
      'No Gmail account is connected yet.',
      'Connect the company’s Gmail in Settings → Email.',
    );
  }
  return accept(mailbox, mailbox.email, mailbox.displayName, 'the company’s Gmail account is chosen as the sender');
}

function fromMember(member: SenderQuestion['member'], mailboxes: readonly MailboxFacts[]): SenderResolution {
  const own = mailboxes.find((each) => each.kind === 'personal' && each.memberId === member.id);
  if (own)
    return accept(own, own.email, own.displayName, 'emails come from whoever is signed in, and this is your own Gmail');

  const shared = mailboxes
    .filter((each) => each.kind === 'shared')
    .sort((a, b) => Number(b.isDefault) - Number(a.isDefault) || a.email.localeCompare(b.email));
  const matches = shared.flatMap((mailbox) => {
    const entry = findSendAs(mailbox, member.email);
    return entry ? [{ mailbox, entry }] : [];
  });
  const usable = matches.find(({ entry }) => isUsable(entry));
  if (usable) {
    const via = usable.entry.isPrimary
      ? 'your address is a connected Gmail account'
      : `Gmail lets ${usable.mailbox.email} send as you`;
    return accept(usable.mailbox, usable.entry.email, member.name, `emails come from whoever is signed in, and ${via}`);
  }
  if (matches.length > 0) {
    return refuse(
      'address_pending',
      `Emails come from whoever is signed in, but Gmail still waits for ${member.email} to be confirmed.`,
      `Open the confirmation mail that Gmail sent to ${member.email} and follow its link, or connect your own Gmail in Settings → Email.`,
    );
  }
  return refuse(
    'member_has_no_address',
    `Emails come from whoever is signed in, and ${member.email} is not connected.`,
    'Connect your own Gmail in Settings → Email. Or add your address to the company’s Gmail: Settings → Accounts and Import → Send mail as.',
  );
}

function fromAlias(
  rule: Extract<SenderRule, { mode: 'alias' }>,
  connected: readonly MailboxFacts[],
  all: readonly MailboxFacts[],
): SenderResolution {
  const mailbox = connected.find((each) => each.id === rule.mailboxId);
  if (!mailbox) {
    const email = all.find((each) => each.id === rule.mailboxId)?.email ?? 'its Gmail account';
    return refuse(
      'alias_mailbox_gone',
      `Emails come from ${rule.email}, but ${email} is not connected any more.`,
      'Connect that Gmail account again in Settings → Email, or choose another sender there.',
    );
  }
  const entry = findSendAs(mailbox, rule.email);
  if (!entry) {
    return mailbox.capabilities.includes('aliases')
      ? refuse(
          'alias_gone',
          `Emails come from ${rule.email}, but Gmail no longer lists it for ${mailbox.email}.`,
          `Add it again in Gmail: Settings → Accounts and Import → Send mail as. Or choose another sender in Settings → Email.`,
        )
      : refuse(
          'aliases_unreadable',
          `Emails come from ${rule.email}, but we may not ask Gmail whether ${mailbox.email} can use it.`,
          'Connect Gmail again in Settings → Email and leave the box about settings ticked.',
        );
  }
  if (!isUsable(entry)) {
    return refuse(
      'address_pending',
      `Emails come from ${rule.email}, but Gmail still waits for that address to be confirmed.`,
      `Open the confirmation mail that Gmail sent to ${rule.email} and follow its link; then check again in Settings → Email.`,
    );
  }
  return accept(
    mailbox,
    entry.email,
    entry.displayName || mailbox.displayName,
    'this fixed address is chosen as the sender',
  );
}

/** Whether Gmail really sends from this address. See {@link resolveSender}. */
export function isUsable(entry: SendAsFacts): boolean {
  return entry.isPrimary || entry.verificationStatus === null || entry.verificationStatus === 'accepted';
}

function findSendAs(mailbox: MailboxFacts, email: string): SendAsFacts | undefined {
  const wanted = email.toLowerCase();
  // The account's own address needs no list to be sure of. Any other is trusted only while the list can be asked for
  // again: an address that Gmail dropped meanwhile would silently become another one.
  const isOwn = mailbox.email.toLowerCase() === wanted;
  const listed = mailbox.sendAs.find((entry) => entry.email.toLowerCase() === wanted);
  if (!isOwn) return mailbox.capabilities.includes('aliases') ? listed : undefined;
  return (
    listed ?? { email: mailbox.email, displayName: mailbox.displayName, isPrimary: true, verificationStatus: null }
  );
}

function accept(mailbox: MailboxFacts, fromEmail: string, fromName: string, because: string): SenderResolution {
  return {
    ok: true,
    sender: { mailboxId: mailbox.id, mailboxEmail: mailbox.email, fromEmail, fromName, replyTo: mailbox.replyTo },
    because,
    needsReconnect: mailbox.state === 'needs_reconnect',
  };
}

function refuse(reason: RefusalReason, because: string, fix: string): SenderResolution {
  return { ok: false, reason, because, fix };
}

/** The rule for one kind of record: the most specific one wins; without any, the default. */
export function ruleFor(
  kind: DocumentKind | null,
  rules: readonly { readonly documentKind: DocumentKind | null; readonly rule: SenderRule }[],
): SenderRule {
  const exact = rules.find((each) => each.documentKind === kind);
  const general = rules.find((each) => each.documentKind === null);
  return (exact ?? general)?.rule ?? { mode: 'default' };
}
