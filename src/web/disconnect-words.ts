import type { Waiting } from '../deliveries/release.ts';
import type { Disconnected } from '../mailboxes/disconnect.ts';
import type { Through } from '../mailboxes/members-through.ts';
import type { MailboxFacts } from '../mailboxes/sender-facts.ts';
import { emailCount } from './run-words.ts';
import type { RuleColumn } from './sender-overview.ts';
import { sentence } from './words.ts';

/** Everything that a disconnect would end or hold up. */
export interface Stopping {
  readonly mailbox: Pick<MailboxFacts, 'id' | 'email' | 'isDefault'>;
  /** The rules, each with the members whose emails come from it under that rule. */
  readonly columns: readonly (Pick<RuleColumn, 'label' | 'rule'> & { readonly members: Through })[];
  readonly waiting: Waiting;
  /** How many other connected mailboxes, of any company, use the same Google account. */
  readonly others: number;
  /** How whoever reads it writes numbers. */
  readonly locale: string;
}

/** What will stop, a sentence for each, before somebody presses the button. */
export function stopWords({ mailbox, columns, waiting, others, locale }: Stopping): string[] {
  const words = columns.flatMap(({ label, rule, members }): string[] => {
    switch (rule.mode) {
      case 'default':
        if (!mailbox.isDefault && members.names.length > 0)
          return [
            `${label}: for ${whom(members)} they come from this account, chosen as their own default. They are refused until another one is chosen.`,
          ];
        return mailbox.isDefault
          ? [
              `${label}: they come from the company’s default Gmail, which is this one. They are refused until another one is made the default.`,
            ]
          : [];
      case 'current_user':
        return members.names.length > 0
          ? [
              `${label}: for ${whom(members)} they come through this account. They are refused until another Gmail can send for them.`,
            ]
          : [];
      case 'alias':
        return rule.mailboxId === mailbox.id
          ? [
              `${label}: they come from ${rule.email}, through this account. They are refused until another sender is chosen.`,
            ]
          : [];
      default:
        return rule satisfies never;
    }
  });
  const { queued, forMailbox, otherwise } = waiting;
  if (queued > 0)
    words.push(
      `${emailCount(queued, locale)} about to leave ${queued === 1 ? 'is' : 'are'} held until it is connected again.`,
    );
  const held = forMailbox + otherwise;
  if (held > 0) words.push(`${emailCount(held, locale)} already held ${held === 1 ? 'stays' : 'stay'} held.`);
  words.push(
    others > 0
      ? 'Google keeps the permission, because another mailbox here uses the same Google account; it is forgotten for this one only.'
      : 'Google is told to end the permission. Whatever else this Google account uses Letterhead for, such as signing in, asks again next time.',
  );
  return words;
}

function whom({ names, more }: Through): string {
  return sentence(more ? [...names, 'others'] : names);
}

/** What it did, in a sentence or two. */
export function disconnectedWords(done: Disconnected<number>, locale: string): string {
  const held =
    done.result > 0
      ? ` ${emailCount(done.result, locale)} ${done.result === 1 ? 'waits' : 'wait'} until it is connected again.`
      : '';
  if (done.revokedAtGoogle) return `${done.email} is disconnected, and Google has been told.${held}`;
  if (done.usedElsewhere) {
    return `${done.email} is disconnected here. The permission at Google stays, because another mailbox uses the same Google account.${held}`;
  }
  return `${done.email} is disconnected here, but Google could not be told. You can remove Letterhead yourself under “Third-party apps” in that Google account.${held}`;
}
