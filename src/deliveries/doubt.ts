import { capabilitiesOf } from '../mailboxes/capabilities.ts';
import type { Database } from '../platform/database.ts';
import type { DeliveryJob } from '../platform/queue.ts';
import { inTenant } from '../tenants/scope.ts';
import { blind } from '../transport/transport.ts';
import { askAPerson, conclude, type Doubt, type Findings } from './conclude.ts';
import type { DeliverContext } from './context.ts';
import { draftColumns, readDrafts } from './drafts.ts';
import { type Later, lookInto } from './look.ts';
import { readSentBefore, writersClockMs } from './sent-before.ts';
import { verdictOn } from './verdict.ts';

/** How soon Gmail is asked again, where it could not be. */
const againAfterMs = 30_000;
/** For so long after the attempt nobody else is asked. */
const patienceMs = 3_600_000;
/** How often it is still tried after that: whatever it brings spares somebody the question. */
const seldomMs = 600_000;
/** For how long after the attempt it is tried at all. */
const givenUpMs = 3 * 24 * 3_600_000;

/**
 * Takes care of a delivery that was handed to Gmail and whose outcome nobody knows: its worker died, or the answer was
 * lost. Before its time nothing happens. Then Gmail is looked into as far as the permissions go: a draft that is still
 * there was not sent, our header among the sent messages was. Only where neither can tell is a person asked; where Gmail
 * cannot be asked, after an hour. Nothing is ever sent from here.
 */
export async function resolveDoubt(ctx: DeliverContext, { tenantId, deliveryId }: DeliveryJob): Promise<void> {
  const doubt = await inTenant(ctx.db, tenantId, (trx) => readDoubt(ctx, trx, tenantId, deliveryId));
  if (!doubt) return;
  const found = await gather(ctx, tenantId, deliveryId, doubt);
  await inTenant(ctx.db, tenantId, async (trx) => {
    const job = { tenantId, deliveryId };
    if (found.kind === 'seen') return conclude(ctx, trx, job, doubt, verdictOn(found), found);
    const now = ctx.clock().getTime();
    const age = now - doubt.attempt.startedAt.getTime();
    const pause = found.goesOn ? 0 : age < patienceMs ? againAfterMs : seldomMs;
    const soon = Math.max(found.at?.getTime() ?? 0, now + pause);
    const again = found.goesOn || age < givenUpMs ? new Date(soon) : null;
    if (!found.goesOn && age >= patienceMs && doubt.state === 'sending') return askAPerson(ctx, trx, job, doubt, again);
    await lookAgain(trx, job, again);
  });
}

async function readDoubt(
  ctx: DeliverContext,
  trx: Database,
  tenantId: string,
  deliveryId: string,
): Promise<Doubt | null> {
  const row = await trx
    .selectFrom('deliveries')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .leftJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
    .select([
      ...(['deliveries.state', 'deliveries.not_before', 'deliveries.mailbox_id'] as const),
      ...draftColumns,
      ...(['deliveries.account', 'deliveries.lane'] as const),
      ...(['mailboxes.provider', 'mailboxes.wanted', 'grants.scopes'] as const),
    ])
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', '=', deliveryId)
    .executeTakeFirst();
  if (!row || (row.state !== 'sending' && row.state !== 'unconfirmed')) return null;
  // Nobody asked for a look.
  if (row.not_before === null) return null;
  const attempts = await trx
    .selectFrom('attempts')
    .select([
      'id',
      'number',
      'started_at as startedAt',
      'deadline',
      'via',
      'send_begun_at as sendBegunAt',
      'restored_at as restoredAt',
      'http_status',
    ])
    .where('tenant_id', '=', tenantId)
    .where('delivery_id', '=', deliveryId)
    .orderBy('number', 'desc')
    .limit(100)
    .execute();
  const attempt = attempts[0];
  if (!attempt) throw new Error('A delivery is being sent without an attempt.');
  // Until then the request may still be at work inside Google.
  if (attempt.deadline.getTime() + ctx.settleMs > ctx.clock().getTime()) return null;
  // A clock that was put forward says that it is later than it is. It is asked again until that is long enough ago.
  if (ctx.jumps.sinceJumpMs() < ctx.sendDeadlineMs + ctx.settleMs) return null;
  const capabilities = capabilitiesOf(row.scopes ?? [], row.wanted);
  return {
    ...{ state: row.state, mailboxId: row.mailbox_id, provider: row.provider },
    ...{ account: row.account, lane: row.lane },
    ...readDrafts(row),
    canUseDrafts: capabilities.includes('safe_retry'),
    canLook: capabilities.includes('tracking'),
    firstAttemptAt: attempts.at(-1)?.startedAt ?? attempt.startedAt,
    attempt: {
      ...attempt,
      via: attempt.via === 'draft' ? 'draft' : 'message',
      answeredGone: attempt.via === 'draft' && attempt.http_status === 404,
      isRestored: attempt.restoredAt !== null,
    },
  };
}

/** Looks into the mailbox, as far as the permissions go. */
async function gather(
  ctx: DeliverContext,
  tenantId: string,
  deliveryId: string,
  doubt: Doubt,
): Promise<Findings | Later> {
  const { via, sendBegunAt, answeredGone, isRestored } = doubt.attempt;
  // Of an attempt that a restore left us an old picture of, only the sent messages tell: its send may have begun, and
  // another draft than ours may have gone out, since the backup was made.
  const sendBegun = via === 'message' || sendBegunAt !== null || isRestored;
  const known = { kind: 'seen', via, sendBegun, answeredGone, draftsSendOnce: ctx.draftsSendOnce } as const;
  const byDraft = via === 'draft' && doubt.canUseDrafts && !isRestored;
  if (!sendBegun || (!byDraft && !doubt.canLook)) return { ...known, ...blind };
  const { draft, foreignDraftIds, account, firstAttemptAt } = doubt;
  const since = {
    at: new Date(firstAttemptAt.getTime() - (isRestored ? writersClockMs : 0)),
    sentBefore: () => inTenant(ctx.db, tenantId, (trx) => readSentBefore(trx, tenantId, deliveryId)),
  };
  const question = { deliveryId, account, draft, foreignDraftIds, byDraft, bySent: doubt.canLook, since };
  const sight = await lookInto(ctx, tenantId, doubt, async (permit) => (await permit.look?.(question)) ?? blind);
  if (sight !== null && 'kind' in sight) return sight;
  return { ...known, ...(sight ?? blind) };
}

async function lookAgain(trx: Database, { tenantId, deliveryId }: DeliveryJob, at: Date | null): Promise<void> {
  await trx
    .updateTable('deliveries')
    .set({ not_before: at })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', deliveryId)
    .where('state', 'in', ['sending', 'unconfirmed'])
    .execute();
}
