import { randomUUID } from 'node:crypto';
import { GoogleError } from '../google/errors.ts';
import { operatorTroubleOf } from '../google/operator-trouble.ts';
import { MailboxUnusableError } from '../mailboxes/access-token.ts';
import { passed } from '../platform/clock.ts';
import { KeyRingError } from '../platform/key-ring.ts';
import type { DeliveryJob } from '../platform/queue.ts';
import { inTenant } from '../tenants/scope.ts';
import { noteOutcome } from './account-standing.ts';
import { refreshAddresses } from './check-sender.ts';
import { type Claim, type Claimed, claimDeliveries, hold, type Supplies } from './claim.ts';
import type { DeliverContext } from './context.ts';
import { resolveDoubt } from './doubt.ts';
import { printToSend } from './freeze.ts';
import { lookAfterRestore } from './look-after-restore.ts';
import { createSettler } from './settler.ts';
import { type HeldReason, IllegalMoveError } from './state.ts';
import { takeBackAttempts } from './take-back.ts';
import { transmit } from './transmit.ts';

/** Takes deliveries to Gmail. */
export interface Deliverer {
  /** Begins with all of them; each has a promise of its own, in their order. */
  deliverAll(jobs: readonly DeliveryJob[]): Promise<void>[];
}

/**
 * Takes deliveries to Gmail, as far as they can go now. Safe to run twice for one, at the same time or again after a
 * crash: what happens is decided by the delivery's state, and each move is made by one of them.
 *
 * 1. Those of a tenant are claimed together: the attempts are committed. What the claim of one lacks (a token, a list, a
 *    PDF) is fetched, and it is claimed again.
 * 2. Handed to Gmail before: {@link resolveDoubt}, which never sends.
 * 3. Gmail is asked, once, then what came of it is committed.
 */
export function createDeliverer(ctx: DeliverContext): Deliverer {
  const settler = createSettler(ctx);

  const one = async (job: DeliveryJob, first: Claim | undefined): Promise<void> => {
    let claim = first;
    let supplies: Supplies = {};
    // What can be missing, each once, and then one more.
    for (let round = 0; round < 5 && claim; round += 1) {
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
          claim = await claimOne(job, supplies);
          break;
        }
        case 'claimed':
          return send(job.tenantId, claim);
        default:
          return claim satisfies never;
      }
    }
  };

  const claimAs = async (
    tenantId: string,
    deliveryIds: readonly string[],
    supplies?: ReadonlyMap<string, Supplies>,
  ) => {
    // In a database that was restored, what waits may have been sent: it is held before anything leaves.
    if (!(await ctx.database.isKnown())) return new Map<string, Claim>();
    const attemptIds = new Map(deliveryIds.map((id) => [id, randomUUID()]));
    try {
      return await inTenant(ctx.db, tenantId, (trx) => claimDeliveries(ctx, trx, tenantId, attemptIds, supplies));
    } catch (error) {
      // A connection that breaks in the commit leaves open whether it went through.
      const left = ctx.sendDeadlineMs + ctx.settleMs;
      await insist(ctx, left, () => takeBackAttempts(ctx, tenantId, [...attemptIds.values()]));
      throw error;
    }
  };

  const claimOne = async ({ tenantId, deliveryId }: DeliveryJob, supplies: Supplies): Promise<Claim | undefined> =>
    (await claimAs(tenantId, [deliveryId], new Map([[deliveryId, supplies]]))).get(deliveryId);

  const claimAll = async (tenantId: string, jobs: readonly DeliveryJob[]): Promise<Map<string, Claim> | null> => {
    const ids = [...new Set(jobs.map(({ deliveryId }) => deliveryId))];
    try {
      return await claimAs(tenantId, ids);
    } catch (error) {
      if (ids.length === 1) throw error;
      // One of them spoils it for all: each by itself then, so that only that one fails.
      ctx.log.info({ reason: String(error), tenantId }, 'deliveries could not be claimed together');
      return null;
    }
  };

  const send = async (tenantId: string, claimed: Claimed): Promise<void> => {
    const result = await transmit(ctx, tenantId, claimed);
    // What Gmail said is known here and nowhere else: a database that blinks must not turn it into a question.
    const left = claimed.attempt.deadline.getTime() - ctx.clock().getTime() + ctx.settleMs;
    await insist(ctx, left, () => settler.settle(tenantId, claimed, result));
    await noteOutcome(ctx, claimed.delivery, result);
  };

  return {
    deliverAll(jobs) {
      const byTenant = Map.groupBy(jobs, ({ tenantId }) => tenantId);
      const claims = new Map([...byTenant].map(([tenantId, theirs]) => [tenantId, claimAll(tenantId, theirs)]));
      // A delivery with two jobs at once is one.
      const seen = new Map<string, Promise<void>>();
      return jobs.map((job) => {
        const running = seen.get(job.deliveryId);
        if (running) return running;
        const started = (async () => {
          const together = await claims.get(job.tenantId);
          return one(job, together ? together.get(job.deliveryId) : await claimOne(job, {}));
        })();
        seen.set(job.deliveryId, started);
        return started;
      });
    },
  };
}

/** Takes one delivery to Gmail by itself, as {@link createDeliverer} does. */
export async function deliver(ctx: DeliverContext, job: DeliveryJob): Promise<void> {
  await Promise.all(createDeliverer(ctx).deliverAll([job]));
}

/** Does it again, every half second, while it fails and there is time; then the last error is thrown. */
async function insist({ clock }: DeliverContext, forMs: number, work: () => Promise<void>): Promise<void> {
  const until = clock().getTime() + forMs;
  while (true) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof IllegalMoveError || clock().getTime() > until) throw error;
      await passed(clock, 500);
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
      case 'pdf': {
        const file = await printToSend(ctx, tenantId, delivery);
        return file && { file };
      }
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

/** Nothing that the tenant could mend: Google refuses ourselves, or has trouble of its own, or is not there. */
async function waitForGoogle(
  ctx: DeliverContext,
  error: GoogleError | KeyRingError,
  holdIt: (reason: HeldReason, words: string, until: Date) => Promise<void>,
): Promise<void> {
  const { words, seconds } = whatToWaitFor(error);
  await holdIt('operator', words, new Date(ctx.clock().getTime() + seconds * 1_000));
}

function whatToWaitFor(error: GoogleError | KeyRingError): { words: string; seconds: number } {
  const ours = { words: 'Letterhead’s own access to Google is interrupted. You need not do anything.', seconds: 300 };
  if (error instanceof KeyRingError || error.code === 'wrong_clock') return ours;
  const trouble = operatorTroubleOf('oauth', error.failure) ?? operatorTroubleOf('gmail', error.failure);
  if (trouble?.sure) return ours;
  if (error.failure.kind === 'answered')
    return { words: 'Google has a problem of its own just now. You need not do anything.', seconds: 30 };
  return { words: 'Google could not be reached. You need not do anything.', seconds: 30 };
}
