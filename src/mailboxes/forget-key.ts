import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import { findDelegationsByKey, findGrantsByKey, type Sealed } from '../tenants/system.ts';
import type { KeyContext } from './check-keys.ts';
import { delegationOpens, dropDelegationKey } from './delegation-keys.ts';
import { dropAccessToken, dropGrant, inspectGrant } from './grant-vault.ts';
import { endMailbox } from './health.ts';

/** What giving a key up did, or would do. */
export interface Forgotten {
  /** What is given up: mailboxes must be connected again, delegations need their key file again. */
  readonly givenUp: Sealed;
  /** What the keys of this process open after all: nothing is taken from it. */
  readonly kept: Sealed;
}

const pageSize = 100;

/**
 * Gives up the connections that need a lost key: drops those grants and asks for the mailboxes to be connected
 * again. What still opens is left as it is, so a key that was not lost takes nothing with it.
 *
 * @param keyId the lost key's id, or the id under which the ring has another key now
 * @param really false: only counts
 */
export async function forgetKey(context: KeyContext, keyId: string, really: boolean): Promise<Forgotten> {
  const mailboxes = await forgetGrants(context, keyId, really);
  const delegations = await forgetDelegations(context, keyId, really);
  return {
    givenUp: { mailboxes: mailboxes.givenUp, delegations: delegations.givenUp },
    kept: { mailboxes: mailboxes.kept, delegations: delegations.kept },
  };
}

async function forgetGrants({ db, system, keys }: KeyContext, keyId: string, really: boolean) {
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
  await endMailbox(trx, tenantId, mailboxId, { reason: 'key_lost', sure: true, from: 'connection', at: new Date() });
}

async function forgetDelegations({ db, system, keys }: KeyContext, keyId: string, really: boolean) {
  let [givenUp, kept] = [0, 0];
  let after: string | null = null;
  do {
    const page = await findDelegationsByKey(system, { is: keyId }, after, pageSize);
    for (const place of page) {
      const opens = await inTenant(db, place.tenantId, async (trx) => {
        const opens = await delegationOpens(trx, keys, place);
        if (really && opens === false) await dropDelegationKey(trx, place, new Date());
        return opens;
      });
      if (opens === false) givenUp += 1;
      if (opens === true) kept += 1;
    }
    after = page.at(-1)?.delegationId ?? null;
  } while (after !== null);
  return { givenUp, kept };
}
