import { setTimeout as wait } from 'node:timers/promises';
import { GoogleError } from '../google/errors.ts';
import { type AccessToken, sendMessage } from '../google/gmail.ts';
import { MailboxUnusableError } from '../mailboxes/access-token.ts';
import { KeyRingError } from '../platform/key-ring.ts';
import type { DeliverJob } from '../platform/queue.ts';
import { inTenant } from '../tenants/scope.ts';
import { beginAttempt, type OpenAttempt, recoverAttempt, settleAttempt } from './attempts.ts';
import { checkSender } from './check-sender.ts';
import { compose } from './compose.ts';
import type { DeliverContext } from './context.ts';
import { connectedSince, everBefore } from './cut-off.ts';
import { loadForSending, type SendableDelivery } from './load.ts';
import { classifyFailure } from './outcome.ts';
import { type HeldReason, IllegalMoveError, moveDelivery } from './state.ts';

/**
 * Takes one delivery to Gmail, as far as it can go now. Safe to run twice, at the same time or again
 * after a crash: what happens is decided by the delivery's state, and each move is made by one of them.
 *
 * 1. Finished, or not its turn: nothing.
 * 2. Left in `sending` by somebody else: {@link recoverAttempt}, which never sends.
 * 3. The sender is checked once more, and an access token is at hand.
 * 4. The attempt is committed, then Gmail is asked, once, then what came of it is committed.
 */
export async function deliver(ctx: DeliverContext, { tenantId, deliveryId }: DeliverJob): Promise<void> {
  const delivery = await inTenant(ctx.db, tenantId, (trx) => loadForSending(trx, tenantId, deliveryId));
  if (!delivery) return;
  if (delivery.state === 'sending') return recoverAttempt(ctx, tenantId, deliveryId);
  // Another job waits for that moment; this one came early.
  if (delivery.notBefore && delivery.notBefore > new Date()) return;
  if (delivery.state === 'held' && delivery.notBefore) return release(ctx, tenantId, deliveryId);
  if (delivery.state !== 'queued') return;

  const token = await prepare(ctx, tenantId, delivery);
  if (!token) return;
  const mime = await composeOrFail(ctx, tenantId, delivery);
  if (!mime) return;
  const attempt = await inTenant(ctx.db, tenantId, (trx) =>
    beginAttempt(trx, tenantId, deliveryId, ctx.owner, ctx.sendDeadlineMs),
  );
  if (!attempt) return;
  const result = await trySend(ctx, token, mime, attempt);
  // What Gmail said is known here and nowhere else: a database that blinks must not turn it into a question.
  const until = attempt.deadline.getTime() + ctx.settleMs;
  await insist(until, () => settleAttempt(ctx, tenantId, delivery, attempt, result));
}

/** Does it again, every half second, while it fails and there is time; then the last error is thrown. */
async function insist(until: number, work: () => Promise<void>): Promise<void> {
  while (true) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof IllegalMoveError || Date.now() > until) throw error;
      await wait(500);
    }
  }
}

/** What cannot be put into a message now never can: it fails, instead of being tried for ever. */
async function composeOrFail(
  ctx: DeliverContext,
  tenantId: string,
  delivery: SendableDelivery,
): Promise<Buffer | null> {
  try {
    return await compose({ ...delivery.email, date: new Date() });
  } catch (error) {
    ctx.log.error({ err: error, tenantId, deliveryId: delivery.id }, 'an email could not be composed');
    const detail =
      'The email could not be put together, so it was not sent. Change its text or its recipients and send again.';
    await inTenant(ctx.db, tenantId, (trx) =>
      moveDelivery(trx, tenantId, delivery.id, { from: 'queued', to: 'failed', detail }),
    );
    return null;
  }
}

async function trySend(ctx: DeliverContext, token: AccessToken, mime: Buffer, attempt: OpenAttempt) {
  try {
    const timeLeft = attempt.deadline.getTime() - Date.now();
    // Too little for Gmail to answer in; with a deadline as short as the shortest one allowed, half of it.
    if (timeLeft < Math.min(1_000, ctx.sendDeadlineMs / 2)) {
      throw new GoogleError({ kind: 'not_sent', code: 'DEADLINE', message: 'The attempt had no time left.' });
    }
    return { kind: 'sent', sent: await sendMessage(ctx.google, token, mime, timeLeft) } as const;
  } catch (error) {
    if (!(error instanceof GoogleError)) throw error;
    const tried = { attempts: attempt.number, tokensRefused: attempt.tokensRefused };
    const outcome = classifyFailure(error.failure, tried, new Date());
    return { kind: 'failed', failure: error.failure, outcome } as const;
  }
}

/** The last look before an attempt. Null when the delivery was held instead. */
async function prepare(ctx: DeliverContext, tenantId: string, delivery: SendableDelivery): Promise<AccessToken | null> {
  try {
    const objection = await checkSender(ctx, tenantId, delivery);
    if (!objection) return await ctx.tokens.of(tenantId, delivery.mailboxId);
    await hold(ctx, tenantId, delivery, objection.reason, objection.words);
  } catch (error) {
    if (error instanceof MailboxUnusableError && error.code === 'disconnected') {
      await hold(ctx, tenantId, delivery, 'mailbox_disconnected', 'The Gmail account was disconnected.');
    } else if (error instanceof MailboxUnusableError) {
      await hold(ctx, tenantId, delivery, 'mailbox_needs_reconnect', 'Gmail must be connected again.');
    } else if (error instanceof GoogleError || error instanceof KeyRingError) {
      // Gmail was not asked to send yet, so whatever it is, waiting is safe.
      if (error instanceof KeyRingError)
        ctx.log.error({ err: error, tenantId, mailboxId: delivery.mailboxId }, 'a token cannot be opened');
      await waitForGoogle(ctx, tenantId, delivery.id, error);
    } else {
      throw error;
    }
  }
  return null;
}

/** Holds it, unless it would wait for a connection that somebody has just made. */
async function hold(
  ctx: DeliverContext,
  tenantId: string,
  { id, mailboxId }: SendableDelivery,
  heldReason: HeldReason,
  detail: string,
): Promise<void> {
  const waitsForConnection = heldReason === 'mailbox_needs_reconnect' || heldReason === 'mailbox_disconnected';
  await inTenant(ctx.db, tenantId, async (trx) => {
    if (waitsForConnection && (await connectedSince(trx, tenantId, mailboxId, everBefore))) {
      await ctx.queue.enqueueDelivery(trx, { tenantId, deliveryId: id });
      return;
    }
    await moveDelivery(trx, tenantId, id, { from: 'queued', to: 'held', heldReason, detail });
  });
}

/** Our own registration is refused, or Google is not there: the operator's trouble, and no tenant's. */
async function waitForGoogle(
  ctx: DeliverContext,
  tenantId: string,
  deliveryId: string,
  error: GoogleError | KeyRingError,
) {
  const answered = error instanceof KeyRingError || error.failure.kind === 'answered';
  const notBefore = new Date(Date.now() + (answered ? 5 * 60_000 : 30_000));
  const detail = answered
    ? 'Letterhead’s own access to Google is interrupted. You need not do anything.'
    : 'Google could not be reached. We try again.';
  await inTenant(ctx.db, tenantId, async (trx) => {
    const move = { from: 'queued', to: 'held', heldReason: 'operator', notBefore, detail } as const;
    const moved = await moveDelivery(trx, tenantId, deliveryId, move);
    if (moved) await ctx.queue.enqueueDelivery(trx, { tenantId, deliveryId }, notBefore);
  });
}

async function release(ctx: DeliverContext, tenantId: string, deliveryId: string): Promise<void> {
  await inTenant(ctx.db, tenantId, async (trx) => {
    const moved = await moveDelivery(trx, tenantId, deliveryId, {
      from: 'held',
      to: 'queued',
      detail: 'The wait is over.',
    });
    if (moved) await ctx.queue.enqueueDelivery(trx, { tenantId, deliveryId });
  });
}
