import { sql } from 'kysely';
import { type Standstill, standstillsOf } from '../deliveries/standing.ts';
import type { MailboxRecord } from '../mailboxes/mailboxes.ts';
import { providerOf } from '../platform/account.ts';
import type { Database } from '../platform/database.ts';
import { limitsOf } from '../transport/transports.ts';
import { usedWords } from './run-words.ts';
import type { Viewer } from './viewer.ts';
import { moment } from './words.ts';

/** How much of its day a mailbox has used, and whether it stands still. */
export interface Usage {
  readonly used: number;
  readonly limit: number;
  readonly standsStill: Standstill | null;
}

/** The same of mailboxes at once, by mailbox. What other companies send through the account is not counted here. */
export async function usageOf(
  trx: Database,
  tenantId: string,
  mailboxes: readonly MailboxRecord[],
  now: Date,
): Promise<Map<string, Usage>> {
  const accounts = [...new Set(mailboxes.map(({ account }) => account))];
  if (accounts.length === 0) return new Map();
  const since = new Date(now.getTime() - 86_400_000);
  const sent = await trx
    .selectFrom('deliveries')
    .select(['account', sql<number>`count(*)::int`.as('used')])
    .where('tenant_id', '=', tenantId)
    .where('account', 'in', accounts)
    .where('sent_at', '>', since)
    .groupBy('account')
    .execute();
  const limits = await trx
    .selectFrom('mailboxes')
    .select(['id', 'daily_limit as limit'])
    .where('tenant_id', '=', tenantId)
    .execute();
  const standstills = await standstillsOf(trx, accounts, now);
  return new Map(
    mailboxes.map(({ id, account, email }) => [
      id,
      {
        used: sent.find((each) => each.account === account)?.used ?? 0,
        limit: limits.find((each) => each.id === id)?.limit ?? limitsOf(providerOf(account)).dailyLimit(email),
        standsStill: standstills.get(account) ?? null,
      },
    ]),
  );
}

/** Says so on a mailbox's card: how much of its day is used, and until when nothing more leaves. */
export function usageWords(usage: ReadonlyMap<string, Usage>, viewer: Viewer, now: Date) {
  return (mailboxId: string): { readonly words: string; readonly isFull: boolean } | null => {
    const facts = usage.get(mailboxId);
    if (!facts) return null;
    const { used, limit, standsStill } = facts;
    const isFull = standsStill?.reason === 'budget' || standsStill?.reason === 'sending_limit';
    const day = usedWords(used, limit, viewer.locale);
    if (!isFull || !standsStill) return { words: day, isFull: false };
    const until = moment(standsStill.until, viewer.tenant.timeZone, now, viewer.locale);
    const whose =
      standsStill.reason === 'budget' ? 'The day’s emails are used up' : 'Gmail’s limit for one day is used up';
    return { words: `${whose} (${day}). What you send waits, and leaves ${until}.`, isFull: true };
  };
}
