import { sql } from 'kysely';
import type { AccessToken } from '../google/gmail.ts';
import { readFreshToken } from '../mailboxes/fresh-token.ts';
import { sendAsMaxAgeMs } from '../mailboxes/send-as.ts';
import { resolveSender } from '../mailboxes/sender.ts';
import type { MailboxFacts } from '../mailboxes/sender-facts.ts';
import { readFactsOf } from '../mailboxes/sender-questions.ts';
import type { Database } from '../platform/database.ts';
import type { DeliveryJob } from '../platform/queue.ts';
import { wake } from '../platform/wake.ts';
import { frozenRule, objectionTo } from './check-sender.ts';
import type { DeliverContext } from './context.ts';
import { connectedSince, everBefore } from './cut-off.ts';
import { loadForSending, type SendableDelivery } from './load.ts';
import { cancelledWithRun, pausedWithRun } from './runs/moves.ts';
import { type HeldReason, moveDelivery } from './state.ts';

/** An attempt that is under way. */
export interface OpenAttempt {
  readonly id: string;
  /** 1 for the first. */
  readonly number: number;
  /** How many attempts before this one were refused with 401 since the mailbox was connected. */
  readonly tokensRefused: number;
  readonly startedAt: Date;
  /** No byte is written to Gmail after this. */
  readonly deadline: Date;
  /** `draft`: retried safely, because a draft that is still there was not sent. */
  readonly via: 'message' | 'draft';
}

/** A delivery in our hands, and everything at hand to send it. */
export interface Claimed {
  readonly delivery: SendableDelivery;
  readonly attempt: OpenAttempt;
  readonly token: AccessToken;
  /** Whether we may look among the mailbox's sent messages. */
  readonly tracking: boolean;
}

/** What was fetched for a claim between two tries; nothing of it costs a transaction. */
export interface Supplies {
  readonly token?: AccessToken;
  /** Gmail's list of addresses was just asked for. */
  readonly addresses?: true;
}

/** What came of a claim. */
export type Claim =
  /** It is finished, in other hands, not its turn, or was held just now. */
  | { readonly kind: 'nothing' }
  /** It was handed to Gmail before, and nobody knows what came of it. */
  | { readonly kind: 'in_doubt' }
  /** Something is missing that only Google can give. */
  | { readonly kind: 'needs'; readonly what: 'token' | 'addresses' | 'pdf'; readonly delivery: SendableDelivery }
  | ({ readonly kind: 'claimed' } & Claimed);

const nothing = { kind: 'nothing' } as const;

/**
 * Takes a waiting delivery into our hands, in one transaction: it is there, it may leave, its sender is still whom it
 * was frozen with, a token is at hand; then the attempt is written, and with the commit it is ours. Whatever stands in
 * the way is written too: it is held with its reason, or says what it needs.
 *
 * @param trx must be committed before Gmail is contacted
 */
export async function claimDelivery(
  ctx: DeliverContext,
  trx: Database,
  { tenantId, deliveryId }: DeliveryJob,
  supplies: Supplies,
): Promise<Claim> {
  const now = ctx.clock();
  const delivery = await loadForSending(trx, tenantId, deliveryId);
  if (!delivery) return nothing;
  if (delivery.state === 'sending' || delivery.state === 'unconfirmed') return { kind: 'in_doubt' };
  if (delivery.state !== 'queued' || (delivery.notBefore && delivery.notBefore > now)) return nothing;
  if (delivery.standsStillUntil && delivery.standsStillUntil > now) {
    await putBack(trx, tenantId, deliveryId);
    return nothing;
  }

  if (await stopWithRun(ctx, trx, tenantId, delivery)) return nothing;
  const rule = frozenRule(delivery);
  const facts = await readFactsOf(trx, tenantId, delivery.member, [rule]);
  const mailbox = facts.mailboxes.find(({ id }) => id === delivery.mailboxId);
  if (mailbox && !supplies.addresses && needsAddresses(mailbox, delivery, now))
    return { kind: 'needs', what: 'addresses', delivery };
  const objection = objectionTo(delivery, resolveSender({ ...facts, rule }));
  if (objection) {
    await hold(ctx, trx, tenantId, delivery, objection.reason, objection.words);
    return nothing;
  }
  if (delivery.document && delivery.email.attachments.length === 0) return { kind: 'needs', what: 'pdf', delivery };
  const token = supplies.token ?? (await readFreshToken(trx, ctx.keys, tenantId, delivery.mailboxId, now));
  if (!token) return { kind: 'needs', what: 'token', delivery };

  const capabilities = mailbox?.capabilities ?? [];
  const via = capabilities.includes('safe_retry') ? 'draft' : 'message';
  const attempt = await beginAttempt(trx, ctx, tenantId, deliveryId, via);
  if (!attempt) return nothing;
  return { kind: 'claimed', delivery, attempt, token, tracking: capabilities.includes('tracking') };
}

/** Its own address needs no list, and without the permission there is none to ask for. */
function needsAddresses(mailbox: MailboxFacts, delivery: SendableDelivery, now: Date): boolean {
  if (mailbox.state !== 'active' || !mailbox.capabilities.includes('aliases')) return false;
  if (mailbox.email === delivery.email.from.email) return false;
  return now.getTime() - (mailbox.sendAsFetchedAt?.getTime() ?? 0) >= sendAsMaxAgeMs;
}

/** What came back to the queue after its run was paused or cancelled stops here. @returns whether it did */
async function stopWithRun(
  { clock }: Pick<DeliverContext, 'clock'>,
  trx: Database,
  tenantId: string,
  { id, runState }: SendableDelivery,
): Promise<boolean> {
  if (runState === 'paused') await moveDelivery(trx, tenantId, id, { ...pausedWithRun, from: 'queued', at: clock() });
  if (runState === 'cancelled')
    await moveDelivery(trx, tenantId, id, { ...cancelledWithRun, from: 'queued', at: clock() });
  return runState === 'paused' || runState === 'cancelled';
}

/** Its account stands still: it waits for the pacer again. */
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

/**
 * Moves a queued delivery to `sending` and writes down that Gmail is about to be asked.
 *
 * @returns undefined when another worker has it
 */
export async function beginAttempt(
  trx: Database,
  { owner, clock, sendDeadlineMs, settleMs }: Pick<DeliverContext, 'owner' | 'clock' | 'sendDeadlineMs' | 'settleMs'>,
  tenantId: string,
  deliveryId: string,
  via: OpenAttempt['via'] = 'message',
): Promise<OpenAttempt | undefined> {
  const startedAt = clock();
  const deadline = new Date(startedAt.getTime() + sendDeadlineMs);
  const claimed = await moveDelivery(trx, tenantId, deliveryId, {
    ...{ from: 'queued', to: 'sending', at: startedAt, detail: 'Handed to Gmail.' },
    // Should we die: nobody looks before nothing can be under way any more.
    notBefore: new Date(deadline.getTime() + settleMs),
  });
  if (!claimed) return undefined;
  const earlier = trx.selectFrom('attempts').where('delivery_id', '=', deliveryId);
  const refused = earlier
    .innerJoin('deliveries', 'deliveries.id', 'attempts.delivery_id')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('attempts.http_status', '=', 401)
    .whereRef('attempts.started_at', '>', 'mailboxes.connected_at');
  const row = await trx
    .insertInto('attempts')
    .values({
      ...{ tenant_id: tenantId, delivery_id: deliveryId, owner, started_at: startedAt, deadline, via },
      number: earlier.select(sql<number>`count(*) + 1`.as('number')),
    })
    .returning(['id', 'number', sql<number>`(${refused})::int`.as('tokensRefused')])
    .executeTakeFirstOrThrow();
  return { ...row, startedAt, deadline, via };
}
