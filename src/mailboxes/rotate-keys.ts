import { setTimeout as wait } from 'node:timers/promises';
import { inTenant } from '../tenants/scope.ts';
import { countKeyUses, findGrantsByKey, type KeyUse } from '../tenants/system.ts';
import type { KeyContext } from './check-keys.ts';
import { resealGrant } from './grant-vault.ts';

/** What a rotation did, and what is so after it. */
export interface Rotation {
  /** Grants that were sealed with the newest key by this run. */
  readonly resealed: number;
  /** Grants that no key of the ring opens; they are as they were. */
  readonly unopened: number;
  /** Grants that were being refreshed for as long as this run could wait. */
  readonly refreshing: number;
  /** Which keys seal how much now. */
  readonly uses: readonly KeyUse[];
  /** Keys of the ring that seal nothing any more and can be taken out of it. */
  readonly droppable: readonly string[];
}

/** How to go about it. */
export interface RotateOptions {
  /** Hears after each page how many grants this run has sealed anew. */
  readonly onProgress?: (resealed: number) => void;
  /** How long to wait for grants that are being refreshed, in milliseconds: longer than Google may take. */
  readonly patienceMs?: number;
}

const pageSize = 100;

/**
 * Seals every grant of every tenant with the newest key, while the service runs: each in a transaction of its own
 * that leaves a grant alone as long as it is being refreshed. Killed, it has done what it has done; run again, it
 * does the rest.
 */
export async function rotateKeys(context: KeyContext, options: RotateOptions = {}): Promise<Rotation> {
  const { onProgress = () => {}, patienceMs = 180_000 } = options;
  const giveUpAt = Date.now() + patienceMs;
  let resealed = 0;
  while (true) {
    const pass = await passOver(context, (inPass) => onProgress(resealed + inPass));
    resealed += pass.resealed;
    if (pass.refreshing === 0 || Date.now() > giveUpAt) {
      const uses = await countKeyUses(context.system);
      const used = new Set([context.keys.currentId, ...uses.map(({ keyId }) => keyId)]);
      return { ...pass, resealed, uses, droppable: context.keys.ids.filter((id) => !used.has(id)) };
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
