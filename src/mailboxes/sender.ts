import { fittingName } from '../platform/address.ts';
import type { DocumentKind } from '../platform/database-types.ts';
import { type EndedWords, endedWords, readReason } from './ended-words.ts';
import { findSendAs, isUsable, type MailboxFacts } from './sender-facts.ts';

/** The Send-From mode that applies, with its alias where it has one. */
export type SenderRule =
  | { readonly mode: 'default' }
  | { readonly mode: 'current_user' }
  | { readonly mode: 'alias'; readonly mailboxId: string; readonly email: string };

/** Everything the decision depends on. */
export interface SenderQuestion {
  readonly rule: SenderRule;
  readonly member: {
    readonly id: string;
    readonly email: string;
    readonly name: string;
    /** False for those who may only look, and for former members. */
    readonly maySend: boolean;
    /** The mailbox that they chose as their own default, or null. */
    readonly defaultMailboxId: string | null;
  };
  /** Whether the tenant lets the default mailbox stand in for members without an address of their own. */
  readonly standIn: boolean;
  /** The tenant's shared mailboxes, and the member's own: at least those that the rule could choose. */
  readonly mailboxes: readonly MailboxFacts[];
  /** It is a test email that tries whether Gmail keeps the From. */
  readonly triesFrom?: boolean;
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
  | 'may_not_send'
  | 'no_mailbox'
  | 'not_given'
  | 'own_default_gone'
  | 'member_has_no_address'
  | 'address_pending'
  | 'alias_gone'
  | 'alias_mailbox_gone'
  | 'aliases_unreadable'
  | 'from_changed';

/** The answer: a sender, or a refusal with its reason and its fix. Both say why, in a sentence for people. */
export type SenderResolution =
  | {
      readonly ok: true;
      readonly sender: Sender;
      readonly because: string;
      /** The mailbox must be reconnected first: an email can be written now and is held until then. */
      readonly needsReconnect: boolean;
      /** What is wrong with the mailbox then; null where nothing is. */
      readonly trouble: EndedWords | null;
      /** Somebody paused the mailbox: an email can be written now and is held until it is resumed. */
      readonly paused: boolean;
      /** It comes from the default mailbox instead of the member's own address, and replies go to the member. */
      readonly standsIn: boolean;
    }
  | { readonly ok: false; readonly reason: RefusalReason; readonly because: string; readonly fix: string };

/**
 * Decides whom an email comes from. Pure, and without any fallback: what is not allowed is refused.
 *
 * 0. Who may not send has no sender. Of the mailboxes below only those that the member may use count.
 * 1. `default`: the primary address of (a) the mailbox that the member chose as their own default; (b) where they
 *    chose none, the tenant's default mailbox.
 * 2. `current_user`: (a) the member's own personal mailbox; else (b) their Workspace account, where the tenant may send
 *    as the people of its domain; else (c) the member's address where it is a usable send-as address of a shared
 *    mailbox, the default one first; else (d) where the tenant has switched it on, what 1 gives, with Reply-To the
 *    member; else refused.
 * 3. `alias`: the chosen address, where it is usable on the chosen mailbox; else refused.
 * 4. Whatever it is: an address that Gmail did not keep on the From line once is refused until somebody has looked.
 *
 * Which send-as addresses are usable: {@link isUsable}.
 */
export function resolveSender(question: SenderQuestion): SenderResolution {
  const { rule, member } = question;
  if (!member.maySend) {
    return refuse(
      'may_not_send',
      `${member.name} may not send here.`,
      'An owner or admin of the company can change that in Settings → Members.',
    );
  }
  const resolution = chosenBy(rule, question);
  return resolution.ok && !question.triesFrom ? unlessSwapped(resolution, question.mailboxes) : resolution;
}

function chosenBy(rule: SenderRule, question: SenderQuestion): SenderResolution {
  switch (rule.mode) {
    case 'default':
      return fromDefault(question);
    case 'current_user':
      return fromMember(question);
    case 'alias':
      return fromAlias(rule, question);
    default:
      return rule satisfies never;
  }
}

/** What it was seen to swap, Gmail swaps again: the next customer would have it from the wrong address, too. */
function unlessSwapped(
  resolution: Extract<SenderResolution, { ok: true }>,
  mailboxes: readonly MailboxFacts[],
): SenderResolution {
  const { mailboxId, fromEmail } = resolution.sender;
  const mailbox = mailboxes.find(({ id }) => id === mailboxId);
  return (mailbox && swapOf(mailbox, fromEmail)) ?? resolution;
}

/** That Gmail did not keep an address on the From line, and nobody has looked since; null where it was kept. */
function swapOf({ email: mailboxEmail, swapped }: MailboxFacts, fromEmail: string): SenderResolution | null {
  const swap = swapped.find(({ email }) => email === fromEmail.toLowerCase());
  if (!swap) return null;
  return refuse(
    'from_changed',
    `Gmail sent an email from ${swap.sentFrom} instead of ${fromEmail}, so nothing more leaves from that address.`,
    `Look in Gmail, Settings → Accounts and Import → Send mail as, whether ${fromEmail} is still there and confirmed. Then an owner or admin opens ${mailboxEmail} in Settings → Email, and tests the address or says go on.`,
  );
}

function isConnected(mailbox: MailboxFacts): boolean {
  return mailbox.state !== 'disconnected';
}

function fromDefault({ member, mailboxes }: SenderQuestion): SenderResolution {
  if (member.defaultMailboxId !== null) return fromOwnDefault(member.defaultMailboxId, mailboxes);
  const mailbox = mailboxes.find((each) => each.isDefault && isConnected(each));
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
  if (!mailbox.mayUse) {
    return refuse(
      'not_given',
      'Emails come from the company’s Gmail account, and you may not use it.',
      'An owner or admin can change that in Settings → Email. Or choose another one there as your own default.',
    );
  }
  return accept(mailbox, mailbox.email, mailbox.displayName, 'the company’s Gmail account is chosen as the sender');
}

function fromOwnDefault(mailboxId: string, mailboxes: readonly MailboxFacts[]): SenderResolution {
  const mailbox = mailboxes.find((each) => each.id === mailboxId && each.mayUse);
  if (!mailbox || !isConnected(mailbox)) {
    return refuse(
      'own_default_gone',
      mailbox
        ? `${mailbox.email}, which you chose as your own default, is not connected any more.`
        : 'You may no longer use the Gmail account that you chose as your own default.',
      'Choose another one in Settings → Email, or go back to the company’s default there.',
    );
  }
  return accept(mailbox, mailbox.email, mailbox.displayName, 'you chose this Gmail account as your own default');
}

function fromMember(question: SenderQuestion): SenderResolution {
  const { member } = question;
  const mailboxes = question.mailboxes.filter((each) => each.mayUse && isConnected(each));
  const personal = mailboxes.filter((each) => each.kind === 'personal' && each.memberId === member.id);
  const own = personal.find((each) => !each.delegated);
  if (own)
    return accept(own, own.email, own.displayName, 'emails come from whoever is signed in, and this is your own Gmail');
  // Of the address that the member has now: what went out from an earlier one keeps its mailbox.
  const delegated = personal.find((each) => each.email.toLowerCase() === member.email.toLowerCase());
  if (delegated) {
    const via = 'your company’s Google Workspace lets Letterhead send as you';
    const because = `emails come from whoever is signed in, and ${via}`;
    return accept(delegated, delegated.email, delegated.displayName, because);
  }

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
  const stead = question.standIn ? inMembersStead(question) : undefined;
  if (stead) return stead;
  if (matches.length > 0) {
    return refuse(
      'address_pending',
      `Emails come from whoever is signed in, but Gmail still waits for ${member.email} to be confirmed.`,
      `Open the confirmation mail that Gmail sent to ${member.email} and follow its link, then press “Check again” in Settings → Email. Or connect your own Gmail there.`,
    );
  }
  const unseen = shared.find((mailbox) => !mailbox.capabilities.includes('aliases'));
  if (unseen) {
    return refuse(
      'aliases_unreadable',
      `Emails come from whoever is signed in; ${member.email} is not connected, and Letterhead may not ask Gmail whether ${unseen.email} can send as it.`,
      `Connect your own Gmail in Settings → Email. Or let an admin open ${unseen.email} there and switch on “Other addresses”.`,
    );
  }
  return refuse(
    'member_has_no_address',
    `Emails come from whoever is signed in, and ${member.email} is not connected.`,
    'Connect your own Gmail in Settings → Email. Or add your address to the company’s Gmail: Settings → Accounts and Import → Send mail as.',
  );
}

/** The default mailbox with replies to the member; undefined where that one cannot be used either. */
function inMembersStead(question: SenderQuestion): SenderResolution | undefined {
  const resolution = fromDefault(question);
  if (!resolution.ok) return undefined;
  const { email } = question.member;
  return {
    ...resolution,
    sender: { ...resolution.sender, replyTo: email },
    because: `emails come from whoever is signed in, ${email} is not connected, and your company lets this account stand in`,
    standsIn: true,
  };
}

function fromAlias(
  rule: Extract<SenderRule, { mode: 'alias' }>,
  { mailboxes, triesFrom = false }: SenderQuestion,
): SenderResolution {
  const mailbox = mailboxes.find((each) => each.id === rule.mailboxId);
  if (mailbox && !mailbox.mayUse) {
    return refuse(
      'not_given',
      'Emails come from one fixed address, and you may not use the Gmail account that it belongs to.',
      'An owner or admin can change that in Settings → Email.',
    );
  }
  if (!mailbox || !isConnected(mailbox)) {
    return refuse(
      'alias_mailbox_gone',
      `Emails come from ${rule.email}, but ${mailbox?.email ?? 'its Gmail account'} is not connected any more.`,
      'Connect that Gmail account again in Settings → Email, or choose another sender there.',
    );
  }
  // Known by what Gmail did, whatever its list says of it by now.
  const swapped = triesFrom ? null : swapOf(mailbox, rule.email);
  if (swapped) return swapped;
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
          `Emails come from ${rule.email}, but Letterhead may not ask Gmail whether ${mailbox.email} can use it.`,
          `In Settings → Email, open ${mailbox.email} and switch on “Other addresses”; or choose another sender there.`,
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

function accept(mailbox: MailboxFacts, fromEmail: string, fromName: string, because: string): SenderResolution {
  return {
    ok: true,
    sender: {
      ...{ mailboxId: mailbox.id, mailboxEmail: mailbox.email, fromEmail, replyTo: mailbox.replyTo },
      // It may come from Google, where anybody may call themselves accounts@bank.example.
      fromName: fittingName(fromName, fromEmail),
    },
    because,
    needsReconnect: mailbox.state === 'needs_reconnect',
    trouble: mailbox.state === 'needs_reconnect' ? troubleWords(mailbox) : null,
    paused: mailbox.state === 'paused',
    standsIn: false,
  };
}

function troubleWords({ ended, email }: MailboxFacts): EndedWords {
  return endedWords({ reason: readReason(ended?.reason ?? null), sure: ended?.sure ?? true }, email);
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
