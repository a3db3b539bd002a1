import { resolveSender } from '../mailboxes/sender.ts';
import type { MemberFacts } from '../mailboxes/sender-questions.ts';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import type { Permit, Via } from '../transport/transport.ts';
import { beginAttempts, type OpenAttempt } from './attempt.ts';
import { frozenRule, type Objection, objectionTo } from './check-sender.ts';
import type { DeliverContext } from './context.ts';
import { connectedSince, everBefore } from './cut-off.ts';
import { leavesFrom, waitsForHours } from './departure.ts';
import { type FrozenFile, keepFiles } from './freeze.ts';
import { loadAllForSending, loadForSending, type SendableDelivery } from './load.ts';
import { factsOf, needsAddresses } from './obstacles.ts';
import { cancelledWithRun, pausedWithRun } from './runs/moves.ts';
import { cancelledWithRecord, unsendable } from './sendable.ts';
import { type HeldReason, lockDeliveries, moveDelivery } from './state.ts';
import { transportOf } from './transport-of.ts';
import { judge } from './withdrawn.ts';

/** A delivery in our hands, and everything at hand to send it. */
export interface Claimed {
  readonly delivery: SendableDelivery;
  readonly attempt: OpenAttempt;
  readonly permit: Permit;
  readonly via: Via;
  /** Whether we may look among the mailbox's sent messages. */
  readonly tracking: boolean;
}

/** What was fetched for a claim between two tries; nothing of it costs a transaction. */
export interface Supplies {
  readonly permit?: Permit;
  /** The list of addresses was just asked for. */
  readonly addresses?: true;
  /** Its PDF was just made: it is kept together with the claim. */
  readonly file?: FrozenFile;
}

/** What came of a claim. */
export type Claim =
  /** It is finished, in other hands, not its turn, or was held just now. */
  | { readonly kind: 'nothing' }
  /** It was handed to Gmail before, and nobody knows what came of it. */
  | { readonly kind: 'in_doubt' }
  /** It is held after a restore, and may have been sent. */
  | { readonly kind: 'restored' }
  /** Something is missing that takes time to get. */
  | { readonly kind: 'needs'; readonly what: 'permit' | 'addresses' | 'pdf'; readonly delivery: SendableDelivery }
  | ({ readonly kind: 'claimed' } & Claimed);

const nothing = { kind: 'nothing' } as const;

/**
 * Takes waiting deliveries of a tenant into our hands, in one transaction: they are there, they may leave, their senders
 * are still whom they were frozen with, permits are at hand; then the attempts are written, and with the commit they are
 * ours. Whatever stands in the way of one is written too: it is held with its reason, or says what it needs.
 *
 * @param trx must be committed before the provider is contacted
 * @param attemptIds the id for each delivery's attempt, should there be one: whoever never hears that the commit went
 *   through knows what to take back
 * @param supplies what was fetched meanwhile, by delivery
 * @returns by delivery; none for one that is not there
 */
export async function claimDeliveries(
  ctx: DeliverContext,
  trx: Database,
  tenantId: string,
  attemptIds: ReadonlyMap<string, string>,
  supplies: ReadonlyMap<string, Supplies> = new Map(),
): Promise<Map<string, Claim>> {
  const claims = new Map<string, Claim>();
  const ready: Omit<Claimed, 'attempt'>[] = [];
  const files = new Map([...supplies].flatMap(([id, { file }]) => (file ? [[id, file] as const] : [])));
  const kept = await keepFiles(trx, tenantId, files);
  // What was kept just now is at hand, and need not be read back.
  const atHand = new Map([...files].filter(([id]) => kept.has(id)));
  // Before they are read, not while: what is read together with a row that was waited for is from before the wait.
  await lockDeliveries(trx, tenantId, [...attemptIds.keys()]);
  const deliveries = await loadAllForSending(trx, tenantId, [...attemptIds.keys()], atHand);
  const permits = await permitsAtHand(ctx, trx, tenantId, deliveries);
  const facts = await factsOf(trx, tenantId, deliveries);
  for (const delivery of deliveries) {
    const theirs = facts.get(delivery.member.id);
    if (!theirs) throw new TypeError('A member without facts');
    const supplied = supplies.get(delivery.id) ?? {};
    const permit = supplied.permit ?? permits.get(delivery.mailboxId) ?? null;
    const claim = await readiness(ctx, trx, tenantId, delivery, theirs, { ...supplied, permit });
    if (claim.kind === 'ready') ready.push(claim);
    else claims.set(delivery.id, claim);
  }
  const attempts = await beginAttempts(trx, ctx, tenantId, attemptIds, ready);
  for (const one of ready) {
    const attempt = attempts.get(one.delivery.id);
    claims.set(one.delivery.id, attempt ? { ...one, kind: 'claimed', attempt } : nothing);
  }
  return claims;
}

async function permitsAtHand(
  ctx: DeliverContext,
  trx: Database,
  tenantId: string,
  deliveries: readonly SendableDelivery[],
): Promise<ReadonlyMap<string, Permit>> {
  const permits = new Map<string, Permit>();
  for (const [provider, theirs] of Map.groupBy(deliveries, (each) => each.provider)) {
    const mailboxIds = [...new Set(theirs.map(({ mailboxId }) => mailboxId))];
    const atHand = await transportOf(ctx, provider).permitsAtHand(trx, tenantId, mailboxIds);
    for (const [mailboxId, permit] of atHand) permits.set(mailboxId, permit);
  }
  return permits;
}

/** Whether one may be begun. What stands in its way is written. */
async function readiness(
  ctx: DeliverContext,
  trx: Database,
  tenantId: string,
  delivery: SendableDelivery,
  facts: MemberFacts,
  { permit, addresses }: Omit<Supplies, 'permit'> & { readonly permit: Permit | null },
): Promise<Exclude<Claim, { kind: 'claimed' }> | ({ readonly kind: 'ready' } & Omit<Claimed, 'attempt'>)> {
  const now = ctx.clock();
  if (delivery.state === 'sending' || delivery.state === 'unconfirmed') return { kind: 'in_doubt' };
  if (delivery.state === 'held' && delivery.heldReason === 'restored') return { kind: 'restored' };
  if (delivery.state !== 'queued') return nothing;
  // However it came back to the queue: what Gmail may have accepted is not tried again before that is settled.
  if (delivery.inDoubt) {
    const detail = 'Gmail may have sent it already. It is looked up before anything else is done.';
    const move = { from: 'queued', to: 'unconfirmed', at: now, notBefore: now, detail } as const;
    await moveDelivery(trx, tenantId, delivery.id, move);
    return nothing;
  }
  // The process that released it may have another clock; or this job is an old one.
  if ((delivery.notBefore ?? now) > now || (delivery.standsStillUntil ?? now) > now) {
    await putBack(trx, tenantId, delivery.id);
    return nothing;
  }
  // It was released in time, and time went on.
  const opening = leavesFrom(delivery.sending, delivery.anyTime, now);
  if (opening > now) {
    const detail = waitsForHours(opening, delivery.sending.timeZone);
    await hold(ctx, trx, tenantId, delivery, 'outside_hours', detail, opening);
    return nothing;
  }

  if (await stopWithRun(ctx, trx, tenantId, delivery)) return nothing;
  if (await stopWithRecord(ctx, trx, tenantId, delivery)) return nothing;
  const mailbox = facts.mailboxes.find(({ id }) => id === delivery.mailboxId);
  if (mailbox && !addresses && needsAddresses(mailbox, delivery, now))
    return { kind: 'needs', what: 'addresses', delivery };
  const objection = objectionTo(
    delivery,
    resolveSender({ ...facts, rule: frozenRule(delivery), triesFrom: delivery.triesFrom }),
  );
  if (objection) {
    const { reason, words } = (await withdrawnSince(trx, tenantId, delivery, objection)) ?? objection;
    await hold(ctx, trx, tenantId, delivery, reason, words);
    return nothing;
  }
  if (delivery.document && !delivery.hasPaper) return { kind: 'needs', what: 'pdf', delivery };
  if (!permit) return { kind: 'needs', what: 'permit', delivery };
  const capabilities = mailbox?.capabilities ?? [];
  const via = transportOf(ctx, delivery.provider).viaOf(capabilities);
  return { kind: 'ready', delivery, permit, via, tracking: capabilities.includes('tracking') };
}

/**
 * Whoever was taken the mailbox away between two of our questions has no sender any more, but what is to be said, and
 * what lets it go again, is that they may not use it.
 */
async function withdrawnSince(
  trx: Database,
  tenantId: string,
  delivery: SendableDelivery,
  { reason }: Objection,
): Promise<Objection | null> {
  if (reason !== 'sender_changed') return null;
  const now = await loadForSending(trx, tenantId, delivery.id);
  return now ? judge(now.member) : null;
}

/**
 * What came back to the queue after its run was paused or cancelled stops here. The run is asked once more, and kept as it
 * is until the delivery is: held just after its run was resumed, it would stay so. Where somebody is deciding about the
 * run at this moment, it waits until that is through.
 *
 * @returns whether it stops
 */
async function stopWithRun(
  { clock }: Pick<DeliverContext, 'clock'>,
  trx: Database,
  tenantId: string,
  { id, runState }: SendableDelivery,
): Promise<boolean> {
  if (runState !== 'paused' && runState !== 'cancelled') return false;
  const run = await trx
    .selectFrom('runs')
    .select(['state', 'state_by as stateBy'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', (query) => query.selectFrom('deliveries').select('run_id').where('id', '=', id))
    .forShare()
    .skipLocked()
    .executeTakeFirst();
  const by = { from: 'queued', at: clock(), ...(run?.stateBy && { memberId: run.stateBy }) } as const;
  if (!run) await putBack(trx, tenantId, id);
  else if (run.state === 'paused') await moveDelivery(trx, tenantId, id, { ...pausedWithRun, ...by });
  else if (run.state === 'cancelled') await moveDelivery(trx, tenantId, id, { ...cancelledWithRun, ...by });
  else return false;
  return true;
}

/**
 * What came back to the queue after its record was cancelled stops here: it was under way then, or nobody knew whether it
 * had left.
 *
 * @returns whether it stops
 */
async function stopWithRecord(
  { clock }: Pick<DeliverContext, 'clock'>,
  trx: Database,
  tenantId: string,
  { id, recordStatus }: SendableDelivery,
): Promise<boolean> {
  const because = recordStatus && unsendable(recordStatus, true);
  if (!because) return false;
  await moveDelivery(trx, tenantId, id, { ...cancelledWithRecord(because), from: 'queued', at: clock() });
  return true;
}

/** It is not its turn: it waits for the pacer again. */
async function putBack(trx: Database, tenantId: string, deliveryId: string): Promise<void> {
  await trx
    .updateTable('deliveries')
    .set({ released_at: null })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', deliveryId)
    .where('state', '=', 'queued')
    .execute();
}

/** Holds it, unless it would wait for a connection that somebody has just made. */
export async function hold(
  ctx: Pick<DeliverContext, 'clock'>,
  trx: Database,
  tenantId: string,
  { id, mailboxId }: Pick<SendableDelivery, 'id' | 'mailboxId'>,
  heldReason: HeldReason,
  detail: string,
  notBefore?: Date,
): Promise<void> {
  const waitsForConnection =
    heldReason === 'mailbox_needs_reconnect' ||
    heldReason === 'mailbox_disconnected' ||
    heldReason === 'mailbox_paused';
  if (waitsForConnection && (await connectedSince(trx, tenantId, mailboxId, everBefore))) {
    await putBack(trx, tenantId, id);
    return wake(trx, 'waiting');
  }
  const until = notBefore && { notBefore };
  await moveDelivery(trx, tenantId, id, {
    ...{ from: 'queued', to: 'held', at: ctx.clock(), heldReason, detail },
    ...until,
  });
}
