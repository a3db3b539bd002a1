import { everyAccountAt } from '../platform/account.ts';
import {
  blockAccount,
  countUnknown,
  endTrouble,
  markTrouble,
  readAccount,
  refusedSince,
} from '../tenants/system-queue.ts';
import { gaveNoAnswer, type Outcome, type TransportFailure } from '../transport/outcome.ts';
import type { SendResult, Transport, TransportError } from '../transport/transport.ts';
import type { DeliverContext } from './context.ts';
import type { SendableDelivery } from './load.ts';
import { accountsBeforeProject, probeAfterMs, unknownsBeforeTrouble } from './pacing.ts';
import { transportOf } from './transport-of.ts';

/*
 * What an attempt says of its Google account is about more than its own delivery, and is remembered. It only ever makes
 * the rest wait; when it cannot be written, nothing is wrong.
 */

/**
 * Counts an answer that was lost: after several in a row the account's others wait, so that a run does not become a
 * thousand open questions.
 */
export async function noteLostAnswer(
  ctx: DeliverContext,
  { account }: SendableDelivery,
  result: SendResult,
): Promise<void> {
  if (result.kind !== 'failed' || !gaveNoAnswer(result.failure)) return;
  await orWarn(ctx, async () => {
    const inARow = await countUnknown(ctx.system, account);
    if (inARow < unknownsBeforeTrouble) return;
    await markTrouble(ctx.system, account, new Date(ctx.clock().getTime() + probeAfterMs(inARow)));
  });
}

/**
 * Remembers what an answer says: that Gmail wants the account slower, that its day's limit is spent, or that answers come
 * again. Called when the attempt itself is written down, since refusals of several accounts are held against each other.
 */
export async function noteAnswer(
  ctx: DeliverContext,
  { account, provider, afterTrouble }: SendableDelivery,
  result: SendResult,
): Promise<void> {
  if (result.kind === 'failed' && gaveNoAnswer(result.failure)) return;
  await orWarn(ctx, async () => {
    if (result.kind === 'failed') {
      const { outcome, failure } = result;
      const whose = { account, transport: transportOf(ctx, provider) };
      await obey(ctx, whose, failure, outcome, afterTrouble && failure.kind === 'answered');
      // The provider was not reached, which says nothing about its answers.
      if (failure.kind !== 'answered') return;
    }
    if (!afterTrouble) return;
    await endTrouble(ctx.system, account);
    await endTrouble(ctx.system, everyAccountAt(account));
  });
}

/** An account, and the provider that it is at. */
export interface AccountAt {
  readonly account: string;
  readonly transport: Transport;
}

/**
 * The same of a look into Gmail: it says nothing about answers that get lost, but Gmail may want the account slower.
 */
export async function noteSlowDown(
  ctx: Pick<DeliverContext, 'system' | 'clock' | 'log'>,
  whose: AccountAt,
  { failure, outcome }: TransportError,
): Promise<void> {
  await orWarn(ctx, () => obey(ctx, whose, failure, outcome));
}

/** Keeps the account still until the time that Gmail named, and everybody where it is our whole project's rate. */
async function obey(
  ctx: Pick<DeliverContext, 'system' | 'clock'>,
  { account, transport }: AccountAt,
  failure: TransportFailure,
  outcome: Outcome,
  troubleIsOver = false,
): Promise<void> {
  const { system } = ctx;
  if (outcome.kind === 'retry' && outcome.slowDown) {
    await blockAccount(system, account, outcome.at, 'rate', troubleIsOver);
    if (await isOfProject(ctx, { account, transport }, failure))
      await blockAccount(system, everyAccountAt(account), outcome.at, 'rate', troubleIsOver);
  }
  if (outcome.kind !== 'hold' || outcome.until === null) return;
  if (outcome.reason === 'sending_limit') await blockAccount(system, account, outcome.until, 'sending_limit');
  if (outcome.reason === 'operator' && transport.mayConcernAll(failure))
    await blockAccount(system, everyAccountAt(account), outcome.until, 'rate', troubleIsOver);
}

/** Refusals so close together have one cause. */
const togetherMs = 10_000;

/**
 * Whether a refusal that does not say whose rate is used up is the whole project's: several accounts meet it together,
 * though none of them is let go faster than its own rate.
 */
async function isOfProject(
  { system, clock }: Pick<DeliverContext, 'system' | 'clock'>,
  { account, transport }: AccountAt,
  failure: TransportFailure,
): Promise<boolean> {
  if (!transport.mayConcernAll(failure)) return false;
  const now = clock();
  const { blockedUntil } = await readAccount(system, everyAccountAt(account));
  // Known already: hundreds may be refused at once, and need not all be counted by each.
  if (blockedUntil && blockedUntil > now) return false;
  const refused = await refusedSince(system, new Date(now.getTime() - togetherMs));
  const alike = refused.filter(({ status, reason, message }) =>
    transport.mayConcernAll({ kind: 'answered', status: status ?? 0, reason: reason ?? '', message: message ?? '' }),
  );
  return new Set(alike.map(({ account }) => account)).size >= accountsBeforeProject;
}

async function orWarn({ log }: Pick<DeliverContext, 'log'>, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    log.warn({ err: error }, 'how a Google account stands was not written down');
  }
}
