import type { DeliveryJob } from '../platform/queue.ts';
import { inTenant } from '../tenants/scope.ts';
import { NotPermittedError } from '../transport/transport.ts';
import { noteAnswer, noteLostAnswer } from './account-standing.ts';
import { refreshAddresses } from './check-sender.ts';
import { type Claim, type Claimed, hold, type Supplies } from './claim.ts';
import { createClaimer } from './claimer.ts';
import type { DeliverContext } from './context.ts';
import { resolveDoubt } from './doubt.ts';
import { printToSend } from './freeze.ts';
import { insist } from './insist.ts';
import { lookAfterRestore } from './look-after-restore.ts';
import { createSettler } from './settler.ts';
import type { HeldReason } from './state.ts';
import { transmit } from './transmit.ts';
import { transportOf } from './transport-of.ts';

/** Takes deliveries to Gmail. */
export interface Deliverer {
  /** Begins with all of them; each has a promise of its own, in their order. */
  deliverAll(jobs: readonly DeliveryJob[]): Promise<void>[];
}

/**
 * Takes deliveries to Gmail, as far as they can go now. Safe to run twice for one, at the same time or again after a
 * crash: what happens is decided by the delivery's state, and each move is made by one of them.
 *
 * 1. Those of a tenant are claimed together: the attempts are committed. What the claim of one lacks (a permit, a list, a
 *    PDF) is fetched, and it is claimed again.
 * 2. Handed to Gmail before: {@link resolveDoubt}, which never sends.
 * 3. Gmail is asked, once, then what came of it is committed.
 */
export function createDeliverer(ctx: DeliverContext): Deliverer {
  const claimer = createClaimer(ctx);
  const settler = createSettler(ctx);

  const deliverOne = async (job: DeliveryJob): Promise<void> => {
    let supplies: Supplies = {};
    // What can be missing, each once, and then one more.
    for (let round = 0; round < 5; round += 1) {
      const claim = await claimer.claim(job, supplies);
      if (!claim) return;
      switch (claim.kind) {
        case 'nothing':
          return;
        case 'in_doubt':
          return resolveDoubt(ctx, job);
        case 'restored':
          return lookAfterRestore(ctx, job);
        case 'needs': {
          const found = await supply(ctx, job.tenantId, claim);
          if (!found) return;
          supplies = { ...supplies, ...found };
          break;
        }
        case 'claimed':
          return send(job.tenantId, claim);
        default:
          return claim satisfies never;
      }
    }
  };

  const send = async (tenantId: string, claimed: Claimed): Promise<void> => {
    const result = await transmit(ctx, tenantId, claimed);
    // While its place is taken: the next one must not leave where this was the third lost answer in a row.
    await noteLostAnswer(ctx, claimed.delivery, result);
    // What Gmail said is known here and nowhere else: a database that blinks must not turn it into a question.
    const left = claimed.attempt.deadline.getTime() - ctx.clock().getTime() + ctx.settleMs;
    await insist(ctx, left, () => settler.settle(tenantId, claimed, result));
    await noteAnswer(ctx, claimed.delivery, result);
  };

  return { deliverAll: (jobs) => jobs.map(deliverOne) };
}

/** Takes one delivery to Gmail by itself, as {@link createDeliverer} does. */
export async function deliver(ctx: DeliverContext, job: DeliveryJob): Promise<void> {
  await Promise.all(createDeliverer(ctx).deliverAll([job]));
}

/** Fetches what a claim lacks. Null when the delivery was held instead: nobody was asked to send it, so waiting is safe. */
async function supply(
  ctx: DeliverContext,
  tenantId: string,
  { what, delivery }: Extract<Claim, { kind: 'needs' }>,
): Promise<Supplies | null> {
  const holdIt = (reason: HeldReason, words: string, until?: Date) =>
    inTenant(ctx.db, tenantId, (trx) => hold(ctx, trx, tenantId, delivery, reason, words, until));
  try {
    switch (what) {
      case 'permit':
        return { permit: await transportOf(ctx, delivery.provider).permit(tenantId, delivery.mailboxId) };
      case 'addresses': {
        const objection = await refreshAddresses(ctx, tenantId, delivery);
        if (!objection) return { addresses: true };
        await holdIt(objection.reason, objection.words);
        return null;
      }
      case 'pdf': {
        const file = await printToSend(ctx, tenantId, delivery);
        return file && { file };
      }
      default:
        return what satisfies never;
    }
  } catch (error) {
    if (!(error instanceof NotPermittedError)) throw error;
    const { why } = error;
    if (why.kind === 'later')
      await holdIt('operator', why.words, new Date(ctx.clock().getTime() + why.seconds * 1_000));
    else if (why.kind === 'disconnected') await holdIt('mailbox_disconnected', 'The Gmail account was disconnected.');
    else await holdIt('mailbox_needs_reconnect', 'Its Gmail account cannot send until somebody has looked after it.');
    return null;
  }
}
