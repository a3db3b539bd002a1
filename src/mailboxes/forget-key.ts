import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import { findGrantsByKey } from '../tenants/system.ts';
import type { KeyContext } from './check-keys.ts';
import { dropAccessToken, dropGrant, inspectGrant } from './grant-vault.ts';
import { endMailbox } from './health.ts';

/** What giving a key up did, or would do. */
export interface Forgotten {
  /** Mailboxes whose connection is given up: they must be connected again. */
  readonly givenUp: number;
  /** Mailboxes that the keys of this process open after all: nothing is taken from them. */
  readonly kept: number;
}

const pageSize = 100;

/**
 * Gives up the connections that need a lost key: drops those grants and asks for the mailboxes to be connected
 * again. What still opens is left as it is, so a key that was not lost takes nothing with it.
 *
 * @param keyId the lost key's id, or the id under which the ring has another key now
 * @param really false: only counts
 */
export async function forgetKey({ db, system, keys }: KeyContext, keyId: string, really: boolean): Promise<Forgotten> {
  let [givenUp, kept] = [0, 0];
  let after: string | null = null;
  do {
    const page = await findGrantsByKey(system, { is: keyId }, after, pageSize);
    for (const { tenantId, mailboxId } of page) {
      const lost = await inTenant(db, tenantId, async (trx) => {
        const grant = await inspectGrant(trx, keys, tenantId, mailboxId);
        if (!grant) return null;
        const isLost = grant.refresh?.opens === false;
        if (really && isLost) await giveUp(trx, tenantId, mailboxId);
        // Only a copy that is good for an hour: the next use fetches another.
        else if (really && grant.access?.opens === false) await dropAccessToken(trx, tenantId, mailboxId);
        return isLost;
      });
      if (lost === true) givenUp += 1;
      if (lost === false) kept += 1;
    }
    after = page.at(-1)?.mailboxId ?? null;
  } while (after !== null);
  return { givenUp, kept };
}

async function giveUp(trx: Database, tenantId: string, mailboxId: string): Promise<void> {
  await dropGrant(trx, tenantId, mailboxId);
  await endMailbox(trx, tenantId, mailboxId, { reason: 'key_lost', sure: true, at: new Date() });
}
