import type { MailboxRecord } from '../mailboxes/mailboxes.ts';
import type { SenderRule } from '../mailboxes/sender.ts';
import { isUsable } from '../mailboxes/sender-facts.ts';
import { PageError } from './errors.ts';

/**
 * What can be picked as the fixed address; the one in force stays in the list even where Gmail lost it.
 *
 * @param mailboxes those that the viewer may know of: an address of any other is not named
 */
export function aliasChoices(mailboxes: readonly MailboxRecord[], rule: SenderRule) {
  const chosenValue = choiceOf(rule);
  const choices = mailboxes.filter(offersAliases).flatMap((mailbox) =>
    mailbox.sendAs.map((entry) => {
      const value = `${mailbox.id} ${entry.email}`;
      const name = entry.displayName || mailbox.displayName;
      return {
        ...{ value, email: entry.email, name, mailboxEmail: mailbox.email },
        ...{ usable: isUsable(entry), chosen: value === chosenValue },
      };
    }),
  );
  if (rule.mode !== 'alias' || choices.some((choice) => choice.chosen)) return choices;
  const lost = { name: '', mailboxEmail: '', usable: false, chosen: true };
  if (isHidden(rule, mailboxes)) return [...choices, { ...lost, value: 'hidden', email: hiddenAddress }];
  return [...choices, { ...lost, value: chosenValue, email: rule.email }];
}

/** A rule as a form's value: `default`, `current_user`, or a fixed address as its mailbox's id, a space, and itself. */
export function choiceOf(rule: SenderRule): string {
  return rule.mode === 'alias' ? `${rule.mailboxId} ${rule.email}` : rule.mode;
}

/**
 * Reads what {@link choiceOf} wrote. An address that Gmail would not really use is refused here already.
 *
 * @param mailboxes those that the person who chooses may know of
 * @returns the rule, or why it cannot be chosen
 */
export function readChoice(
  mailboxes: readonly MailboxRecord[],
  value: string,
): { readonly rule: SenderRule } | { readonly problem: string } {
  if (value === 'default' || value === 'current_user') return { rule: { mode: value } };
  const [mailboxId = '', email = ''] = value.split(' ');
  const mailbox = mailboxes.find((each) => each.id === mailboxId && offersAliases(each));
  const entry = mailbox?.sendAs.find((each) => each.email === email);
  if (!entry) {
    return {
      problem:
        'Choose one of the addresses in the list. If yours is missing, add it in Gmail first and press “Check again”.',
    };
  }
  if (!isUsable(entry)) {
    return {
      problem: `Gmail still waits for ${email} to be confirmed, and would send from another address. Open the confirmation mail, follow its link, then press “Check again” and choose it.`,
    };
  }
  return { rule: { mode: 'alias', mailboxId, email } };
}

const hiddenAddress = 'an address of a Gmail account that you may not use';

/** Whether a rule's address belongs to a mailbox that the viewer may not know of. */
function isHidden(rule: SenderRule, mailboxes: readonly MailboxRecord[]): boolean {
  return rule.mode === 'alias' && !mailboxes.some((mailbox) => mailbox.id === rule.mailboxId);
}

/**
 * Whom a rule makes the sender, after “emails come from”.
 *
 * @param mailboxes those that the viewer may know of: an address of any other is not named
 */
export function ruleWords(rule: SenderRule, mailboxes: readonly MailboxRecord[]): string {
  switch (rule.mode) {
    case 'default':
      return 'the company’s Gmail account';
    case 'current_user':
      return 'whoever is signed in';
    case 'alias':
      return isHidden(rule, mailboxes) ? hiddenAddress : rule.email;
    default:
      return rule satisfies never;
  }
}

/** The page for a choice that cannot be kept. */
export function badChoice(message: string): PageError {
  const next = { href: '/settings/email', label: 'Back to the email settings' };
  return new PageError(422, 'sender_rule', { title: 'Not saved', message, next });
}

/** The company's connected accounts of which we may not see the other addresses. */
export function withoutAliases(mailboxes: readonly MailboxRecord[]): MailboxRecord[] {
  return mailboxes.filter(
    (mailbox) => mailbox.kind === 'shared' && mailbox.state === 'active' && !mailbox.capabilities.includes('aliases'),
  );
}

function offersAliases(mailbox: MailboxRecord): boolean {
  return mailbox.kind === 'shared' && mailbox.state !== 'disconnected' && mailbox.capabilities.includes('aliases');
}
