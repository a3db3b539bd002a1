import { everyAccountAt } from '../platform/account.ts';
import { charge, chargeUpTo, readAccount } from '../tenants/system-queue.ts';
import { LookPausedError, type Purse } from '../transport/transport.ts';
import type { DeliverContext } from './context.ts';
import { lookAheadMs, priceMs } from './pacing.ts';

type PurseContext = Pick<DeliverContext, 'clock' | 'system' | 'pace' | 'log'>;

/**
 * What pays for looks into mailboxes. They go before the sends, which wait for what was used. Each request is charged to
 * its account before it is made, and all of a look to the whole project after it.
 */
export function purseOf({ system, pace, clock, log }: PurseContext): Purse {
  const { unitsPerMinute, projectUnitsPerMinute } = pace;
  return {
    async paying(account, worthwhile, look) {
      let spent = 0;
      try {
        return await look(async (units) => {
          spent += units;
          if (unitsPerMinute === null) return;
          const now = clock();
          const price = { account, ms: priceMs(unitsPerMinute, units) };
          if (await chargeUpTo(system, price, now, new Date(now.getTime() + lookAheadMs))) return;
          throw new LookPausedError(new Date(now.getTime() + priceMs(unitsPerMinute, worthwhile)));
        });
      } finally {
        const price = { account: everyAccountAt(account), ms: priceMs(projectUnitsPerMinute, spent) };
        await charge(system, [price], clock()).catch((error: unknown) =>
          log.warn({ err: error }, 'a look into a mailbox was not charged to the project'),
        );
      }
    },
  };
}

/** Until when a provider asked an account to slow down, looks included; null where it may be asked. */
export async function slowedUntil(
  { system, clock }: Pick<PurseContext, 'system' | 'clock'>,
  account: string,
): Promise<Date | null> {
  const { blockedUntil, blockedReason } = await readAccount(system, account);
  // The day's limit is one of messages, and trouble is about answers to sends.
  return blockedReason === 'rate' && blockedUntil && blockedUntil > clock() ? blockedUntil : null;
}
