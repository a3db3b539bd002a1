import { charge, chargeUpTo, readAccount, wholeProject } from '../tenants/system-queue.ts';
import type { DeliverContext } from './context.ts';
import { lookAheadMs, priceMs, units } from './pacing.ts';

/** What a look into Gmail needs besides a token. */
export type LookContext = Pick<DeliverContext, 'google' | 'clock' | 'system' | 'pace' | 'log'>;

/** A look was broken off, because the account's rate is used up. What it has read is remembered, so it can go on. */
export class LookPausedError extends Error {
  override readonly name = 'LookPausedError';
  readonly code = 'look_paused';
  /** When to go on. */
  readonly at: Date;

  constructor(at: Date) {
    super('The account’s rate is used up.');
    this.at = at;
  }
}

/** Pays for the next request of a look. @throws {LookPausedError} where there is no room for it */
export type Pay = (what: keyof typeof units) => Promise<void>;

/** So much must be free again before a look that was broken off is worth going on with. */
const worthwhile = units.list + 20 * units.readHeaders;

/**
 * Looks into Gmail, and pays for each request before it is made, whatever it brings: nobody knows before what a look has
 * to read. It goes before the sends, which wait for what it used.
 *
 * @throws {LookPausedError}
 */
export async function payingForLook<Found>(
  { system, pace, clock, log }: LookContext,
  account: string,
  look: (pay: Pay) => Promise<Found>,
): Promise<Found> {
  let spent = 0;
  const { unitsPerMinute, projectUnitsPerMinute } = pace;
  try {
    return await look(async (what) => {
      spent += units[what];
      if (unitsPerMinute === null) return;
      const now = clock();
      const price = { account, ms: priceMs(unitsPerMinute, units[what]) };
      if (await chargeUpTo(system, price, now, new Date(now.getTime() + lookAheadMs))) return;
      throw new LookPausedError(new Date(now.getTime() + priceMs(unitsPerMinute, worthwhile)));
    });
  } finally {
    const price = { account: wholeProject, ms: priceMs(projectUnitsPerMinute, spent) };
    await charge(system, [price], clock()).catch((error: unknown) =>
      log.warn({ err: error }, 'a look into Gmail was not charged to the project'),
    );
  }
}

/** Until when Gmail asked an account to slow down, looks included; null where it may be asked. */
export async function slowedUntil(
  { system, clock }: Pick<LookContext, 'system' | 'clock'>,
  account: string,
): Promise<Date | null> {
  const { blockedUntil, blockedReason } = await readAccount(system, account);
  // The day's limit is one of messages, and trouble is about answers to sends.
  return blockedReason === 'rate' && blockedUntil && blockedUntil > clock() ? blockedUntil : null;
}
