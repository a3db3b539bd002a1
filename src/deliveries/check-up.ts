import { sql } from 'kysely';
import { formatNumber } from '../documents/format.ts';
import { dateLocale } from '../documents/locale.ts';
import { readCapabilities } from '../mailboxes/capabilities.ts';
import { judgeCheckUp } from '../mailboxes/check-up.ts';
import type { CheckUpFacts, LifeFacts, StandingFacts, TokenFacts, WayBackFacts } from '../mailboxes/check-up-facts.ts';
import { askGoogle, type QuestionContext, renewNow } from '../mailboxes/check-up-questions.ts';
import { type CheckUp, checkUpShape } from '../mailboxes/check-up-step.ts';
import { readReason } from '../mailboxes/ended-words.ts';
import { listSwaps } from '../mailboxes/from-swaps.ts';
import { explainEnding, recoverMailbox } from '../mailboxes/health.ts';
import { mailboxTroubleOf } from '../mailboxes/mailbox-trouble.ts';
import type { Database } from '../platform/database.ts';
import { formatMoment } from '../platform/zoned-time.ts';
import { inTenant } from '../tenants/scope.ts';
import { someGrantOutlived } from '../tenants/system-grants.ts';
import { budgetOf } from './budget.ts';
import type { Pace } from './pacing.ts';
import { releaseMailbox } from './release.ts';

/** What a check-up needs. */
export interface CheckUpContext extends QuestionContext {
  readonly system: Database;
  readonly pace: Pace;
}

/** Longer than a week, so that a clock that is off by minutes proves nothing. */
const overAWeekMs = 7.2 * 86_400_000;

/**
 * Gathers what a check-up of a mailbox needs to know, asking Google at once what does not depend on each other, judges
 * it, and keeps the result with the mailbox. What Google says about the permission moves the mailbox as any refresh
 * does, and so does what Gmail says of one that cannot send; nothing else is changed.
 *
 * @param wayBack from {@link tryWayBack}, which is the same for all mailboxes
 * @param by the name of whoever began it; null for the operator
 * @param locale how they write numbers and dates
 * @returns undefined when there is no such mailbox
 */
export async function checkUp(
  ctx: CheckUpContext,
  tenantId: string,
  mailboxId: string,
  {
    wayBack,
    by,
    version,
    locale,
  }: {
    readonly wayBack: Promise<WayBackFacts>;
    readonly by: string | null;
    readonly version: string;
    readonly locale: string;
  },
): Promise<CheckUp | undefined> {
  const before = await inTenant(ctx.db, tenantId, (trx) => readRows(trx, tenantId, mailboxId));
  if (!before) return undefined;
  const { token, facts: tokenFacts } = await renewNow(ctx, tenantId, mailboxId);
  const budget = await inTenant(ctx.db, tenantId, (trx) =>
    budgetOf(trx, { pace: ctx.pace, now: ctx.clock() }, tenantId, mailboxId, 0, null),
  );
  if (!budget) return undefined;
  const told = await askGoogle(ctx, tenantId, mailboxId, token, {
    scopes: before.scopes,
    wanted: before.wanted,
    standsStill: budget.standsStill !== null,
  });
  const { tenant, client, lives, grantedAt, endsAt, rules, swaps, ...mailbox } = before;
  const now = ctx.clock();
  await noteGmail(ctx, tenantId, mailboxId, told.sending);
  const standing = await inTenant(ctx.db, tenantId, (trx) => standingOf(trx, tenantId, mailboxId));
  const facts: CheckUpFacts = {
    standing,
    ...{ now, mailbox, rules, swaps, budget, token: await explained(ctx, tenantId, mailboxId, tokenFacts) },
    ...told,
    wayBack: await wayBack,
    life: {
      ...{ grantedAt, endsAt, lives },
      appOutlivedAWeek: client !== null && (await someGrantOutlived(ctx.system, client, overAWeekMs)),
    },
  };
  const say = (value: Date | number) =>
    typeof value === 'number'
      ? formatNumber(String(value), locale)
      : formatMoment(value, tenant.timeZone, dateLocale(locale));
  const steps = judgeCheckUp(facts, say);
  const done = {
    at: now.toISOString(),
    by,
    company: tenant.name,
    mailbox: mailbox.email,
    state: stateWords[standing.state],
  };
  const result: CheckUp = { ...done, version, node: process.versions.node, steps };
  await inTenant(ctx.db, tenantId, (trx) =>
    trx
      .updateTable('mailboxes')
      .set({ check_up: JSON.stringify(result) })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', mailboxId)
      .execute(),
  );
  return result;
}

const stateWords = {
  active: 'connected',
  needs_reconnect: 'cannot send',
  paused: 'paused',
  disconnected: 'disconnected',
} as const;

/** The last check-up of a mailbox, or null. */
export async function lastCheckUp(trx: Database, tenantId: string, mailboxId: string): Promise<CheckUp | null> {
  const row = await trx
    .selectFrom('mailboxes')
    .select('check_up')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .executeTakeFirst();
  return checkUpShape.safeParse(row?.check_up).data ?? null;
}

/** The reason that was worked out when the ending was noticed. */
async function explained(ctx: CheckUpContext, tenantId: string, mailboxId: string, token: TokenFacts) {
  if (token.kind !== 'ended') return token;
  const { ended } = await inTenant(ctx.db, tenantId, (trx) => standingOf(trx, tenantId, mailboxId));
  return { kind: 'ended', ended: ended ?? token.ended } satisfies TokenFacts;
}

/**
 * What Gmail says now replaces what it had said before of a mailbox that cannot send; where it would take an email, the
 * mailbox is back, and what waited for that leaves.
 */
async function noteGmail(
  { db, clock }: CheckUpContext,
  tenantId: string,
  mailboxId: string,
  sending: CheckUpFacts['sending'],
): Promise<void> {
  const reason = sending.kind === 'failed' ? mailboxTroubleOf(sending.failure) : null;
  await inTenant(db, tenantId, async (trx) => {
    const at = clock();
    if (reason) await explainEnding(trx, tenantId, mailboxId, { reason, sure: true, from: 'gmail', at });
    if (sending.kind === 'answered' && (await recoverMailbox(trx, tenantId, mailboxId, at, 'gmail')))
      await releaseMailbox(trx, clock, tenantId, mailboxId);
  });
}

const kinds = {
  invoice: 'Invoices',
  credit_note: 'Credit notes',
  quote: 'Quotes',
  purchase_order: 'Purchase orders',
} as const;

async function readRows(trx: Database, tenantId: string, mailboxId: string) {
  const row = await trx
    .selectFrom('mailboxes')
    .innerJoin('tenants', 'tenants.id', 'mailboxes.tenant_id')
    .leftJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
    .select(['mailboxes.email', 'mailboxes.google_sub as googleSub', 'mailboxes.state', 'mailboxes.delegated'])
    .select(['mailboxes.wanted', 'grants.scopes', 'grants.granted_at as grantedAt', 'grants.ends_at as endsAt'])
    .select(['grants.issuer', 'grants.client_id as clientId', 'tenants.name', 'tenants.time_zone as timeZone'])
    .where('mailboxes.tenant_id', '=', tenantId)
    .where('mailboxes.id', '=', mailboxId)
    .executeTakeFirst();
  if (!row) return undefined;
  const { issuer, clientId, name, timeZone, scopes: granted, wanted, ...mailbox } = row;
  const rules = await trx
    .selectFrom('sender_rules')
    .select(['document_kind as kind', 'alias_email as email'])
    .where('tenant_id', '=', tenantId)
    .where('alias_mailbox_id', '=', mailboxId)
    .execute();
  return {
    ...mailbox,
    tenant: { name, timeZone },
    wanted: readCapabilities(wanted),
    scopes: granted ?? [],
    client: issuer !== null && clientId !== null ? { issuer, clientId } : null,
    rules: rules.map(({ kind, email }) => ({ words: kind ? kinds[kind] : 'Emails', email: email ?? '' })),
    swaps: await listSwaps(trx, tenantId, [mailboxId]),
    lives: await readLives(trx, tenantId, mailboxId),
  };
}

/** How long the last connections of a mailbox lasted. */
async function readLives(trx: Database, tenantId: string, mailboxId: string): Promise<LifeFacts['lives']> {
  const { rows } = await sql<{ ms: number; reason: string | null }>`
    select extract(epoch from at - began)::float8 * 1000 as ms, reason from (
      select kind, at, reason, max(at) filter (where kind = 'connected') over (order by id) as began
      from mailbox_events where tenant_id = ${tenantId} and mailbox_id = ${mailboxId} order by id desc limit 100) history
    where kind = 'ended' and began is not null`.execute(trx);
  return rows;
}

async function standingOf(trx: Database, tenantId: string, mailboxId: string): Promise<StandingFacts> {
  const row = await trx
    .selectFrom('mailboxes')
    .leftJoin('members', 'members.id', 'mailboxes.paused_by')
    .select(['mailboxes.state', 'state_at as since', 'state_reason as reason', 'state_sure as sure'])
    .select('members.name as pausedBy')
    .where('mailboxes.tenant_id', '=', tenantId)
    .where('mailboxes.id', '=', mailboxId)
    .executeTakeFirstOrThrow();
  const { state, since, reason, sure, pausedBy } = row;
  return { state, since, pausedBy, ended: reason === null ? null : { reason: readReason(reason), sure } };
}
