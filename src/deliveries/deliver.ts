import { setTimeout as wait } from 'node:timers/promises';
import { GoogleError } from '../google/errors.ts';
import { MailboxUnusableError } from '../mailboxes/access-token.ts';
import { KeyRingError } from '../platform/key-ring.ts';
import type { DeliveryJob } from '../platform/queue.ts';
import { inTenant } from '../tenants/scope.ts';
import { noteOutcome } from './account-standing.ts';
import { refreshAddresses } from './check-sender.ts';
import { type Claim, type Claimed, claimDelivery, hold, type Supplies } from './claim.ts';
import type { DeliverContext } from './context.ts';
import { resolveDoubt } from './doubt.ts';
import { freezeOrFail } from './freeze.ts';
import { settleAttempt } from './settle.ts';
import { type HeldReason, IllegalMoveError } from './state.ts';
import { transmit } from './transmit.ts';

/**
 * Takes one delivery to Gmail, as far as it can go now. Safe to run twice, at the same time or again
 * after a crash: what happens is decided by the delivery's state, and each move is made by one of them.
 *
 * 1. It is claimed: the attempt is committed. What the claim lacks (a token, a list, a PDF) is fetched, and it is
 *    claimed again.
 * 2. Handed to Gmail before: {@link resolveDoubt}, which never sends.
 * 3. Gmail is asked, once, then what came of it is committed.
 */
export async function deliver(ctx: DeliverContext, job: DeliveryJob): Promise<void> {
  let supplies: Supplies = {};
  // What can be missing, each once, and then one more.
  for (let round = 0; round < 5; round += 1) {
    const claim: Claim = await inTenant(ctx.db, job.tenantId, (trx) => claimDelivery(ctx, trx, job, supplies));
    switch (claim.kind) {
      case 'nothing':
        return;
      case 'in_doubt':
        return resolveDoubt(ctx, job);
      case 'needs': {
        const found = await supply(ctx, job.tenantId, claim);
        if (!found) return;
        supplies = { ...supplies, ...found };
        break;
      }
      case 'claimed':
        return send(ctx, job.tenantId, claim);
      default:
        return claim satisfies never;
    }
  }
}

async function send(ctx: DeliverContext, tenantId: string, claimed: Claimed): Promise<void> {
  const { delivery, attempt } = claimed;
  const result = await transmit(ctx, tenantId, claimed);
  // What Gmail said is known here and nowhere else: a database that blinks must not turn it into a question.
  const until = Date.now() + (attempt.deadline.getTime() - ctx.clock().getTime()) + ctx.settleMs;
  await insist(until, () => settleAttempt(ctx, tenantId, claimed, result));
  await noteOutcome(ctx, delivery, result);
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

/** Fetches what a claim lacks. Null when the delivery was held instead: Gmail was not asked to send, so waiting is safe. */
async function supply(
  ctx: DeliverContext,
  tenantId: string,
  { what, delivery }: Extract<Claim, { kind: 'needs' }>,
): Promise<Supplies | null> {
  const holdIt = (reason: HeldReason, words: string, until?: Date) =>
    inTenant(ctx.db, tenantId, (trx) => hold(ctx, trx, tenantId, delivery, reason, words, until));
  try {
    switch (what) {
      case 'token':
        return { token: await ctx.tokens.of(tenantId, delivery.mailboxId) };
      case 'addresses': {
        const objection = await refreshAddresses(ctx, tenantId, delivery);
        if (!objection) return { addresses: true };
        await holdIt(objection.reason, objection.words);
        return null;
      }
      case 'pdf':
        return (await freezeOrFail(ctx, tenantId, delivery.id)) ? {} : null;
      default:
        return what satisfies never;
    }
  } catch (error) {
    if (error instanceof MailboxUnusableError && error.code === 'disconnected') {
      await holdIt('mailbox_disconnected', 'The Gmail account was disconnected.');
    } else if (error instanceof MailboxUnusableError) {
      await holdIt('mailbox_needs_reconnect', 'Gmail must be connected again.');
    } else if (error instanceof GoogleError || error instanceof KeyRingError) {
      if (error instanceof KeyRingError)
        ctx.log.error({ err: error, tenantId, mailboxId: delivery.mailboxId }, 'a token cannot be opened');
      await waitForGoogle(ctx, error, holdIt);
    } else {
      throw error;
    }
    return null;
  }
}

/** Our own registration is refused, or Google is not there: the operator's trouble, and no tenant's. */
async function waitForGoogle(
  ctx: DeliverContext,
  error: GoogleError | KeyRingError,
  holdIt: (reason: HeldReason, words: string, until: Date) => Promise<void>,
): Promise<void> {
  const answered = error instanceof KeyRingError || error.failure.kind === 'answered';
  const until = new Date(ctx.clock().getTime() + (answered ? 5 * 60_000 : 30_000));
  const words = answered
    ? 'Letterhead’s own access to Google is interrupted. You need not do anything.'
    : 'Google could not be reached. You need not do anything.';
  await holdIt('operator', words, until);
}
