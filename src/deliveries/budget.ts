import { sql } from 'kysely';
import { capabilitiesOf } from '../mailboxes/capabilities.ts';
import type { Database } from '../platform/database.ts';
import { type BlockReason, costOf, defaultDailyLimit, type Forecast, forecast, type Pace } from './pacing.ts';

/** How much of a mailbox's day is used, and when some more deliveries of it leave. */
export interface Budget {
  readonly mailboxEmail: string;
  /** Messages sent in the last 24 hours, by this tenant alone: what others send through the account is not theirs to see. */
  readonly used: number;
  readonly limit: number;
  /** Until when the account stands still, and why; null where it does not. */
  readonly standsStill: { readonly until: Date; readonly reason: BlockReason } | null;
  readonly forecast: Forecast;
}

/** Whose deliveries go before those that are asked about. */
export type Ahead =
  /** All that wait. */
  | null
  /** Single ones, and those of runs that were started before this one. */
  | { readonly runId: string; readonly startedAt: Date };

/**
 * Foretells how `count` more deliveries leave through a mailbox.
 *
 * @returns undefined when there is no such mailbox
 */
export async function budgetOf(
  db: Database,
  { pace, now }: { readonly pace: Pace; readonly now: Date },
  tenantId: string,
  mailboxId: string,
  count: number,
  ahead: Ahead,
): Promise<Budget | undefined> {
  const mailbox = await db
    .selectFrom('mailboxes')
    .leftJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
    .leftJoin('sending_accounts', 'sending_accounts.account', 'mailboxes.google_sub')
    .select([
      'mailboxes.email',
      'mailboxes.google_sub as account',
      'mailboxes.daily_limit as dailyLimit',
      'mailboxes.wanted',
      'grants.scopes',
      'sending_accounts.blocked_until as until',
      sql<BlockReason | null>`sending_accounts.blocked_reason`.as('reason'),
    ])
    .where('mailboxes.tenant_id', '=', tenantId)
    .where('mailboxes.id', '=', mailboxId)
    .executeTakeFirst();
  if (!mailbox) return undefined;
  const ofAccount = db
    .selectFrom('deliveries')
    .select(sql<number>`count(*)::int`.as('count'))
    .where('tenant_id', '=', tenantId)
    .where('account', '=', mailbox.account);
  const sent = await ofAccount.where('sent_at', '>', new Date(now.getTime() - 86_400_000)).executeTakeFirstOrThrow();
  let before = ofAccount.where('state', 'in', ['queued', 'sending']);
  if (ahead) {
    before = before
      .where('run_id', 'is distinct from', ahead.runId)
      .where((eb) => eb.or([eb('lane', '=', 0), eb('created_at', '<', ahead.startedAt)]));
  }
  const waiting = await before.executeTakeFirstOrThrow();
  const { until, reason } = mailbox;
  const limit = mailbox.dailyLimit ?? defaultDailyLimit(mailbox.email);
  const facts = { sentToday: sent.count, dailyLimit: limit, waiting: waiting.count };
  return {
    mailboxEmail: mailbox.email,
    used: sent.count,
    limit,
    standsStill: until && reason && until > now ? { until, reason } : null,
    forecast: forecast(facts, pace, costOf(capabilitiesOf(mailbox.scopes ?? [], mailbox.wanted)), count),
  };
}
