import type { GoogleApp } from '../google/app.ts';
import { GoogleError } from '../google/errors.ts';
import { revokeGrant } from '../google/oauth.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { type KeyRing, KeyRingError } from '../platform/key-ring.ts';
import { noteChange, personOf } from '../tenants/rights-changes.ts';
import { inTenant } from '../tenants/scope.ts';
import { countMailboxesOf } from '../tenants/system.ts';
import { dropGrant, openGrant } from './grant-vault.ts';
import { writeMailboxEvent } from './mailbox-events.ts';

/** What a disconnect did. */
export interface Disconnected<T> {
  readonly email: string;
  /** False where another mailbox uses the same Google account, or Google could not be asked: then only our copy is gone. */
  readonly revokedAtGoogle: boolean;
  readonly usedElsewhere: boolean;
  /** What {@link disconnectMailbox}'s `alongside` answered. */
  readonly result: T;
}

/** What disconnecting needs. */
export interface DisconnectContext {
  readonly db: Database;
  readonly system: Database;
  readonly keys: KeyRing;
  readonly google: GoogleApp;
  readonly clock: Clock;
}

/**
 * Ends a connection. Our copy of the tokens goes first; then Google is asked to revoke, unless another
 * mailbox of any tenant uses the same Google account: a revocation would end that one too.
 *
 * @param alongside what must happen together with it or not at all, in the same transaction
 * @returns undefined when there is no such mailbox, or it is disconnected already
 */
export async function disconnectMailbox<T>(
  { db, system, keys, google, clock }: DisconnectContext,
  { tenantId, memberId }: { readonly tenantId: string; readonly memberId: string },
  mailboxId: string,
  alongside: (trx: Database) => Promise<T>,
): Promise<Disconnected<T> | undefined> {
  const ended = await inTenant(db, tenantId, async (trx) => {
    const mailbox = await trx
      .updateTable('mailboxes')
      .set({ state: 'disconnected', state_reason: null, state_sure: true, state_at: clock() })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', mailboxId)
      .where('state', '<>', 'disconnected')
      .returning(['email', 'google_sub', 'member_id'])
      .executeTakeFirst();
    if (!mailbox) return undefined;
    const grant = await openToRevoke(trx, keys, tenantId, mailboxId);
    await dropGrant(trx, tenantId, mailboxId);
    const by = { memberId, at: clock() };
    await writeMailboxEvent(trx, tenantId, { mailboxId, kind: 'disconnected', ...by });
    const owner = mailbox.member_id;
    const whose = owner === null ? 'company' : owner === memberId ? 'own' : await personOf(trx, tenantId, owner);
    await noteChange(trx, tenantId, by, { kind: 'mailbox_disconnected', mailbox: mailbox.email, whose });
    return { ...mailbox, grant, result: await alongside(trx) };
  });
  if (!ended) return undefined;

  const usedElsewhere = (await countMailboxesOf(system, ended.google_sub)) > 0;
  const token = ended.grant?.refreshToken ?? null;
  const revokedAtGoogle = token !== null && !usedElsewhere && (await tryToRevoke(google, token));
  return { email: ended.email, revokedAtGoogle, usedElsewhere, result: ended.result };
}

/** Without its key a token cannot be revoked, but it can still be forgotten. */
async function openToRevoke(trx: Database, keys: KeyRing, tenantId: string, mailboxId: string) {
  try {
    return await openGrant(trx, keys, tenantId, mailboxId);
  } catch (error) {
    if (error instanceof KeyRingError) return undefined;
    throw error;
  }
}

async function tryToRevoke(google: GoogleApp, token: string): Promise<boolean> {
  try {
    await revokeGrant(google, token);
    return true;
  } catch (error) {
    if (!(error instanceof GoogleError)) throw error;
    // The person is told to remove the access at Google themselves; our copy is gone either way.
    return false;
  }
}
