import type { GoogleFailure } from '../google/errors.ts';
import { operatorTroubleOf } from '../google/operator-trouble.ts';
import {
  blockAccount,
  countUnknown,
  endTrouble,
  markTrouble,
  readProject,
  refusedSince,
  wholeProject,
} from '../tenants/system-queue.ts';
import type { DeliverContext } from './context.ts';
import type { SendableDelivery } from './load.ts';
import type { Outcome } from './outcome.ts';
import { accountsBeforeProject, probeAfterMs, unknownsBeforeTrouble } from './pacing.ts';
import type { AttemptResult } from './transmit.ts';

/**
 * Remembers of the Google account what an attempt says about more than its own delivery: that Gmail wants it slower,
 * that its day's limit is spent, or that answers get lost one after the other, so that a run does not become a thousand
 * open questions. It only ever makes the rest wait; when it cannot be written, nothing is wrong.
 */
export async function noteOutcome(
  ctx: DeliverContext,
  { account, afterTrouble }: SendableDelivery,
  result: AttemptResult,
): Promise<void> {
  try {
    if (result.kind === 'failed') {
      const { outcome, failure } = result;
      if (gaveNoAnswer(failure)) return await noteUnknown(ctx, account);
      await obey(ctx, account, failure, outcome);
      // Gmail was not reached, which says nothing about its answers.
      if (failure.kind !== 'answered') return;
    }
    if (!afterTrouble) return;
    await endTrouble(ctx.system, account);
    await endTrouble(ctx.system, wholeProject);
  } catch (error) {
    ctx.log.warn({ err: error }, 'how a Google account stands was not written down');
  }
}

/**
 * The same of a look into Gmail: it says nothing about answers that get lost, but Gmail may want the account slower.
 */
export async function noteSlowDown(
  ctx: Pick<DeliverContext, 'system' | 'clock' | 'log'>,
  account: string,
  failure: GoogleFailure,
  outcome: Outcome,
): Promise<void> {
  try {
    await obey(ctx, account, failure, outcome);
  } catch (error) {
    ctx.log.warn({ err: error }, 'how a Google account stands was not written down');
  }
}

/** Keeps the account still until the time that Gmail named, and everybody where it is our whole project's rate. */
async function obey(
  ctx: Pick<DeliverContext, 'system' | 'clock'>,
  account: string,
  failure: GoogleFailure,
  outcome: Outcome,
): Promise<void> {
  const { system } = ctx;
  if (outcome.kind === 'retry' && outcome.slowDown) {
    await blockAccount(system, account, outcome.at, 'rate');
    if (await isOfProject(ctx, failure)) await blockAccount(system, wholeProject, outcome.at, 'rate');
  }
  if (outcome.kind !== 'hold' || outcome.until === null) return;
  if (outcome.reason === 'sending_limit') await blockAccount(system, account, outcome.until, 'sending_limit');
  if (outcome.reason === 'operator' && mayBeOfProject(failure))
    await blockAccount(system, wholeProject, outcome.until, 'rate');
}

/** Refusals so close together have one cause. */
const togetherMs = 10_000;

/**
 * Whether a refusal that does not say whose rate is used up is the whole project's: several accounts meet it together,
 * though none of them is let go faster than its own rate.
 */
async function isOfProject({ system, clock }: Pick<DeliverContext, 'system' | 'clock'>, failure: GoogleFailure) {
  if (!mayBeOfProject(failure)) return false;
  const now = clock();
  const { blockedUntil } = await readProject(system);
  // Known already: hundreds may be refused at once, and need not all be counted by each.
  if (blockedUntil && blockedUntil > now) return false;
  const refused = await refusedSince(system, new Date(now.getTime() - togetherMs));
  const alike = refused.filter(({ status, reason, message }) =>
    mayBeOfProject({ kind: 'answered', status: status ?? 0, reason: reason ?? '', message: message ?? '' }),
  );
  return new Set(alike.map(({ account }) => account)).size >= accountsBeforeProject;
}

function mayBeOfProject(failure: GoogleFailure): boolean {
  return operatorTroubleOf('gmail', failure)?.kind === 'project_quota';
}

/** Whatever it was about: where drafts cannot be made, nothing is in doubt, and Google is in trouble all the same. */
function gaveNoAnswer(failure: GoogleFailure): boolean {
  return failure.kind === 'lost' || (failure.kind === 'answered' && (failure.status >= 500 || failure.status < 400));
}

async function noteUnknown(ctx: DeliverContext, account: string): Promise<void> {
  const inARow = await countUnknown(ctx.system, account);
  if (inARow < unknownsBeforeTrouble) return;
  await markTrouble(ctx.system, account, new Date(ctx.clock().getTime() + probeAfterMs(inARow)));
}
