import type { Why } from '../deliveries/attention.ts';
import { kindWords } from '../documents/format.ts';
import type { StillNamed } from '../mailboxes/named-rules.ts';
import { emailCount } from './run-words.ts';

/** A line of what Home tells of emails: how many, what of them, and where they are. */
export interface HomeCount {
  readonly words: string;
  readonly href: string;
  /** A tone of the stylesheet. */
  readonly tone: 'fail' | 'held' | 'wait';
}

const whyLines: Readonly<
  Record<Why, { readonly one: string; readonly many: string; readonly tone: HomeCount['tone'] }>
> = {
  restored: { one: 'may have been sent before a restore', many: 'may have been sent before a restore', tone: 'fail' },
  unconfirmed: { one: 'was perhaps sent: look in Gmail', many: 'were perhaps sent: look in Gmail', tone: 'fail' },
  answered: {
    one: 'was just answered; undo for a minute',
    many: 'were just answered; undo for a minute',
    tone: 'wait',
  },
  from_changed: { one: 'left from another address', many: 'left from another address', tone: 'fail' },
  held: { one: 'waits for somebody', many: 'wait for somebody', tone: 'held' },
  failed: { one: 'was not sent', many: 'were not sent', tone: 'fail' },
};

/** What needs somebody, and what is on its way, a line each; those with none are left out. */
export function homeCounts(
  counts: ReadonlyMap<Why, { readonly seen: number }>,
  onTheWay: { readonly inDoubt: number; readonly later: number; readonly paused: number; readonly kept: number },
  locale: string,
): HomeCount[] {
  const lines = (Object.keys(whyLines) as Why[]).flatMap((why): HomeCount[] => {
    const seen = counts.get(why)?.seen ?? 0;
    const { one, many, tone } = whyLines[why];
    if (seen === 0) return [];
    return [
      {
        words: `${emailCount(seen, locale)} ${seen === 1 ? one : many}`,
        href: `/activity?show=attention&why=${why}`,
        tone,
      },
    ];
  });
  const { inDoubt, later, paused, kept } = onTheWay;
  const more: HomeCount[] = [
    {
      count: inDoubt,
      words: inDoubt === 1 ? 'is in doubt; it is being found out' : 'are in doubt; it is being found out',
    },
    { count: paused, words: paused === 1 ? 'waits in a paused run' : 'wait in a paused run', href: '/runs' },
    { count: later, words: later === 1 ? 'leaves later, by itself' : 'leave later, by themselves' },
  ].flatMap(({ count, words, href = '/activity' }) =>
    count > 0 ? [{ words: `${emailCount(count, locale)} ${words}`, href, tone: 'wait' as const }] : [],
  );
  const keptLine: HomeCount[] =
    kept > 0
      ? [
          {
            words: `${emailCount(kept, locale)} ${kept === 1 ? 'waits' : 'wait'} for a Gmail account or an address that cannot send now`,
            ...{ href: '/settings/email', tone: 'held' },
          },
        ]
      : [];
  return [...lines, ...keptLine, ...more];
}

/** That a rule still names a mailbox that was disconnected. `at` says when within a sentence. */
export function stillNamedWords(named: StillNamed, at: (date: Date) => string): string {
  const { by, fromEmail, mailboxEmail, disconnectedAt } = named;
  const what =
    by === 'mine'
      ? 'You chose it as your own default'
      : `${by === 'all' ? 'Emails' : kindWords[by].plural} are still set to come from ${fromEmail === mailboxEmail ? 'it' : fromEmail}`;
  return `${mailboxEmail} was disconnected ${at(disconnectedAt)}. ${what}, and nothing can be sent from it.`;
}
