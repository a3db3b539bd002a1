import type { Database } from '../platform/database.ts';
import type { KeyRing } from '../platform/key-ring.ts';
import { StartError } from '../platform/start-error.ts';
import { inTenant } from '../tenants/scope.ts';
import { countKeyUses, findDelegationsByKey, findGrantsByKey, type KeyUse, type Sealed } from '../tenants/system.ts';
import { delegationOpens } from './delegation-keys.ts';
import { inspectGrant } from './grant-vault.ts';

/** What the functions about keys need: the app's pool, the cross-tenant one, and the keys of this process. */
export interface KeyContext {
  readonly db: Database;
  readonly system: Database;
  readonly keys: KeyRing;
}

/** One damaged row says nothing about its key; as many as these that all fail do. */
const samples = 3;

/**
 * Refuses to start where kept tokens would not open, before anybody's email depends on it.
 *
 * @throws {StartError} naming the ids of missing and of wrong keys, how much they seal, and the ways out
 */
export async function assertKeysFit(context: KeyContext): Promise<void> {
  const problems: { use: KeyUse; words: string }[] = [];
  for (const use of await countKeyUses(context.system)) {
    // Without an id it is no envelope: that row is damaged, and no key would help.
    if (use.keyId === '') continue;
    const words = await findProblem(context, use);
    if (words) problems.push({ use, words });
  }
  if (problems.length === 0) return;
  const ids = problems.map(({ use }) => use.keyId);
  const ring = [...new Set([context.keys.currentId, ...ids])];
  throw new StartError(
    [
      ...problems.map(({ words }) => words),
      `Put back the keys that sealed them, behind a newer one, which needs an id of its own: TOKEN_KEYS=${ring.map((id) => `${id}:…`).join(',')}`,
      '(Without TOKEN_KEYS, the keys are “tokenKeys” in secrets.json in the data folder.)',
      'Where a key is lost for good, give up the connections that need it; those mailboxes must then be connected again:',
      '',
      ...ids.map((id) => `  node src/main.ts keys forget ${id}`),
    ].join('\n'),
  );
}

async function findProblem(context: KeyContext, use: KeyUse): Promise<string | undefined> {
  const { keyId } = use;
  const what = sealedWords(use);
  if (!context.keys.ids.includes(keyId)) return `The key “${keyId}” is not in TOKEN_KEYS. It seals ${what}.`;
  return (await isWrong(context, keyId))
    ? `The key “${keyId}” in TOKEN_KEYS is another than the one that sealed ${what}: they do not open.`
    : undefined;
}

/** Whether the ring has another key under this id than the one that sealed. */
async function isWrong({ db, system, keys }: KeyContext, keyId: string): Promise<boolean> {
  let failed = false;
  for (const { tenantId, mailboxId } of await findGrantsByKey(system, { is: keyId }, null, samples)) {
    const kept = await inTenant(db, tenantId, (trx) => inspectGrant(trx, keys, tenantId, mailboxId));
    for (const token of [kept?.refresh, kept?.access]) {
      if (token?.keyId !== keyId) continue;
      if (token.opens) return false;
      failed = true;
    }
  }
  for (const place of await findDelegationsByKey(system, { is: keyId }, null, samples)) {
    const opens = await inTenant(db, place.tenantId, (trx) => delegationOpens(trx, keys, place));
    if (opens) return false;
    failed ||= opens === false;
  }
  return failed;
}

/** “the tokens of 2 mailboxes”, “the key of 1 service account”, or both. */
export function sealedWords({ mailboxes, delegations }: Sealed): string {
  const tokens = `the tokens of ${countMailboxes(mailboxes)}`;
  if (delegations === 0) return tokens;
  const accounts = delegations === 1 ? 'the key of 1 service account' : `the keys of ${delegations} service accounts`;
  return mailboxes === 0 ? accounts : `${tokens} and ${accounts}`;
}

/** “1 mailbox”, “2 mailboxes”. */
export function countMailboxes(count: number): string {
  return count === 1 ? '1 mailbox' : `${count} mailboxes`;
}
