import { sql } from 'kysely';
import { capabilitiesOf } from '../mailboxes/capabilities.ts';
import { providerOf } from '../platform/account.ts';
import type { Database } from '../platform/database.ts';
import { limitsOf } from '../transport/transports.ts';
import { type Forecast, forecast, type Pace } from './pacing.ts';
import { type Standstill, standstillOf } from './standing.ts';

/** How much of a mailbox's day is used, and when some more deliveries of it leave. */
export interface Budget {
  readonly mailboxEmail: string;
  /** Messages sent in the last 24 hours, by this tenant alone: what others send through the account is not theirs to see. */
  readonly used: number;
  readonly limit: number;
  /** Until when the account stands still, and why; null where it does not. */
  readonly standsStill: Standstill | null;
  readonly forecast: Forecast;
  /** When the first of those leaves that are over the day's limit; null where none is. */
  readonly laterFrom: Date | null;
}

/** The day is used up, though no round of the pacer has noticed it: until the oldest of what is over is a day old. */
async function fullNow(
  db: Database,
  tenantId: string,
  account: string,
  over: number,
  now: Date,
): Promise<Standstill | null> {
  if (over < 0) return null;
  const until = await roomAgain(db, tenantId, account, over, now);
  return until && { until, reason: 'budget', everybody: false };
}

/** When as many as `over`, and one, of the emails of the last 24 hours are a day old; null where so many were not sent. */
async function roomAgain(
  db: Database,
  tenantId: string,
  account: string,
  over: number,
  now: Date,
): Promise<Date | null> {
  const row = await db
    .selectFrom('deliveries')
    .select('sent_at as sentAt')
    .where('tenant_id', '=', tenantId)
    .where('account', '=', account)
    .where('sent_at', '>', new Date(now.getTime() - dayMs))
    .orderBy('sent_at')
    .offset(over)
    .limit(1)
    .executeTakeFirst();
  return row?.sentAt ? new Date(row.sentAt.getTime() + dayMs) : null;
}

const dayMs = 86_400_000;

/** Whose deliveries go before those that are asked about. */
export type Ahead =
  /** All that wait. */
  | null
  /** Single ones, and those of runs that were started before this one. */
  | { readonly runId: string; readonly startedAt: Date }
  /** Single ones, and those of runs that were written down before this one. */
  | { readonly deliveryId: string }
  /** All that wait, single ones for a single one, but for as many as were just let go, which are those asked about. */
  | { readonly letGo: number; readonly single: boolean };

/**
 * Foretells how `count` more deliveries leave through a mailbox.
 *
 * @returns undefined when there is no such mailbox
 */
export async function budgetOf(
  db: Database,
  { pace, now, hasRoom = false }: { readonly pace: Pace; readonly now: Date; readonly hasRoom?: boolean },
  tenantId: string,
  mailboxId: string,
  count: number,
  ahead: Ahead,
): Promise<Budget | undefined> {
  const mailbox = await db
    .selectFrom('mailboxes')
    .leftJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
    .select([
      'mailboxes.email',
      'mailboxes.account',
      'mailboxes.daily_limit as dailyLimit',
      'mailboxes.wanted',
      'grants.scopes',
    ])
    .where('mailboxes.tenant_id', '=', tenantId)
    .where('mailboxes.id', '=', mailboxId)
    .executeTakeFirst();
  if (!mailbox) return undefined;
  const limits = limitsOf(providerOf(mailbox.account));
  const ofAccount = db
    .selectFrom('deliveries')
    .select(sql<number>`count(*)::int`.as('count'))
    .where('tenant_id', '=', tenantId)
    .where('account', '=', mailbox.account);
  const sent = await ofAccount.where('sent_at', '>', new Date(now.getTime() - dayMs)).executeTakeFirstOrThrow();
  let before = ofAccount.where('state', 'in', ['queued', 'sending']);
  let own = 0;
  if (ahead && 'letGo' in ahead) {
    own = ahead.letGo;
    if (ahead.single) before = before.where('lane', '=', 0);
  } else if (ahead && 'deliveryId' in ahead) {
    const created = db.selectFrom('deliveries').select('created_at').where('id', '=', ahead.deliveryId);
    before = before.where((eb) => eb.or([eb('lane', '=', 0), eb('created_at', '<', created)]));
  } else if (ahead) {
    before = before
      .where('run_id', 'is distinct from', ahead.runId)
      .where((eb) => eb.or([eb('lane', '=', 0), eb('created_at', '<', ahead.startedAt)]));
  }
  const waiting = await before.executeTakeFirstOrThrow();
  const limit = mailbox.dailyLimit ?? limits.dailyLimit(mailbox.email);
  const facts = { sentToday: sent.count, dailyLimit: limit, waiting: Math.max(0, waiting.count - own) };
  const foretold = forecast(facts, pace, limits.costOf(capabilitiesOf(mailbox.scopes ?? [], mailbox.wanted)), count);
  const nextDay = async () =>
    (await roomAgain(db, tenantId, mailbox.account, 0, now)) ?? new Date(now.getTime() + dayMs);
  return {
    mailboxEmail: mailbox.email,
    used: sent.count,
    limit,
    standsStill:
      (await standstillOf(db, mailbox.account, now, hasRoom)) ??
      (await fullNow(db, tenantId, mailbox.account, sent.count - limit, now)),
    forecast: foretold,
    laterFrom: foretold.later > 0 ? await nextDay() : null,
  };
}
