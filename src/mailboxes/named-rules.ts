import type { DocumentKind } from '../platform/database-types.ts';
import type { MailboxRecord } from './mailboxes.ts';
import type { SenderRule } from './sender.ts';

/** A disconnected mailbox that somebody still counts on. */
export interface StillNamed {
  readonly mailboxId: string;
  readonly mailboxEmail: string;
  readonly disconnectedAt: Date;
  /** The address that was to be on the From line. */
  readonly fromEmail: string;
  /** Of which rule: a kind of record, `all` for the company's own rule, `mine` for a member's own default. */
  readonly by: DocumentKind | 'all' | 'mine';
}

/**
 * Finds mailboxes that were disconnected, and that a rule, or somebody's own default, still names: what is to come from
 * them is refused. Pure.
 *
 * @param defaultMailboxId the viewer's own default, or null
 */
export function stillNamed(
  mailboxes: readonly MailboxRecord[],
  rules: readonly { readonly documentKind: DocumentKind | null; readonly rule: SenderRule }[],
  defaultMailboxId: string | null,
): StillNamed[] {
  const gone = mailboxes.filter(({ state }) => state === 'disconnected');
  const named = (mailbox: MailboxRecord | undefined, by: StillNamed['by'], fromEmail?: string): StillNamed[] =>
    mailbox
      ? [
          {
            ...{ mailboxId: mailbox.id, mailboxEmail: mailbox.email, disconnectedAt: mailbox.stateAt, by },
            fromEmail: fromEmail ?? mailbox.email,
          },
        ]
      : [];
  const all = rules.some(({ documentKind }) => documentKind === null)
    ? rules
    : [{ documentKind: null, rule: { mode: 'default' } as const }, ...rules];
  const ofRules = all.flatMap(({ documentKind, rule }) => {
    const by = documentKind ?? 'all';
    if (rule.mode === 'alias')
      return named(
        gone.find(({ id }) => id === rule.mailboxId),
        by,
        rule.email,
      );
    const hasOther = mailboxes.some(({ isDefault, state }) => isDefault && state !== 'disconnected');
    return rule.mode === 'default' && defaultMailboxId === null && !hasOther
      ? named(
          gone.find(({ isDefault }) => isDefault),
          by,
        )
      : [];
  });
  return [
    ...ofRules,
    ...named(
      gone.find(({ id }) => id === defaultMailboxId),
      'mine',
    ),
  ];
}
