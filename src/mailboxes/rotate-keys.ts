import { setTimeout as wait } from 'node:timers/promises';
import { inTenant } from '../tenants/scope.ts';
import { countKeyUses, findDelegationsByKey, findGrantsByKey, type KeyUse, type Sealed } from '../tenants/system.ts';
import type { KeyContext } from './check-keys.ts';
import { resealDelegation } from './delegation-keys.ts';
import { resealGrant } from './grant-vault.ts';

/** What a rotation did, and what is so after it. */
export interface Rotation {
  /** What was sealed with the newest key by this run. */
  readonly resealed: Sealed;
  /** What no key of the ring opens; it is as it was. */
  readonly unopened: Sealed;
  /** Grants that were being refreshed for as long as this run could wait. */
  readonly refreshing: number;
  /** Which keys seal how much now. */
  readonly uses: readonly KeyUse[];
  /** Keys of the ring that seal nothing any more and can be taken out of it. */
  readonly droppable: readonly string[];
}

/** How to go about it. */
export interface RotateOptions {
  /** Hears after each page how much this run has sealed anew. */
  readonly onProgress?: (resealed: Sealed) => void;
  /** How long to wait for grants that are being refreshed, in milliseconds: longer than Google may take. */
  readonly patienceMs?: number;
}

const pageSize = 100;

/**
 * Seals every grant and every delegation of every tenant with the newest key, while the service runs: each in a
 * transaction of its own that leaves a grant alone as long as it is being refreshed. Killed, it has done what it has done; run again, it
 * does the rest.
 */
export async function rotateKeys(context: KeyContext, options: RotateOptions = {}): Promise<Rotation> {
  const { onProgress = () => {}, patienceMs = 180_000 } = options;
  const giveUpAt = Date.now() + patienceMs;
  const delegations = await passOverDelegations(context, (resealed) =>
    onProgress({ mailboxes: 0, delegations: resealed }),
  );
  let mailboxes = 0;
  while (true) {
    const sofar = mailboxes;
    const pass = await passOver(context, (inPass) =>
      onProgress({ mailboxes: sofar + inPass, delegations: delegations.resealed }),
    );
    mailboxes += pass.resealed;
    if (pass.refreshing === 0 || Date.now() > giveUpAt) {
      const uses = await countKeyUses(context.system);
      const used = new Set([context.keys.currentId, ...uses.map(({ keyId }) => keyId)]);
      return {
        resealed: { mailboxes, delegations: delegations.resealed },
        unopened: { mailboxes: pass.unopened, delegations: delegations.unopened },
        ...{ refreshing: pass.refreshing, uses, droppable: context.keys.ids.filter((id) => !used.has(id)) },
      };
    }
    await wait(250);
  }
}

/** Once over all grants that another key seals, page by page. */
async function passOver({ db, system, keys }: KeyContext, onProgress: (resealed: number) => void) {
  const tally = { resealed: 0, current: 0, refreshing: 0, unopened: 0, gone: 0 };
  let after: string | null = null;
  do {
    const page = await findGrantsByKey(system, { butNot: keys.currentId }, after, pageSize);
    for (const { tenantId, mailboxId } of page) {
      tally[await inTenant(db, tenantId, (trx) => resealGrant(trx, keys, tenantId, mailboxId))] += 1;
    }
    if (page.length > 0) onProgress(tally.resealed);
    after = page.at(-1)?.mailboxId ?? null;
  } while (after !== null);
  const { resealed, refreshing, unopened } = tally;
  return { resealed, refreshing, unopened };
}

/** The same over the keys of service accounts, which nobody holds while Google answers. */
async function passOverDelegations({ db, system, keys }: KeyContext, onProgress: (resealed: number) => void) {
  const tally = { resealed: 0, current: 0, unopened: 0, gone: 0 };
  let after: string | null = null;
  do {
    const page = await findDelegationsByKey(system, { butNot: keys.currentId }, after, pageSize);
    for (const place of page) {
      tally[await inTenant(db, place.tenantId, (trx) => resealDelegation(trx, keys, place))] += 1;
    }
    if (page.length > 0) onProgress(tally.resealed);
    after = page.at(-1)?.delegationId ?? null;
  } while (after !== null);
  return { resealed: tally.resealed, unopened: tally.unopened };
}
