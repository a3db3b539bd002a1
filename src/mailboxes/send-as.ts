import type { GoogleApp } from '../google/app.ts';
import { listSendAs, type SendAsEntry } from '../google/gmail.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import type { AccessTokens } from './access-token.ts';

/** What is older than this is asked again before a send. */
export const sendAsMaxAgeMs = 15 * 60_000;

/**
 * Asks Gmail for a mailbox's *Send mail as* list and keeps it.
 *
 * @throws {GoogleError | MailboxUnusableError} the kept list then stays as it was
 */
export async function refreshSendAs(
  { db, google, tokens, clock }: { db: Database; google: GoogleApp; tokens: AccessTokens; clock: Clock },
  tenantId: string,
  mailboxId: string,
): Promise<void> {
  const entries = await listSendAs(google, await tokens.of(tenantId, mailboxId));
  await inTenant(db, tenantId, (trx) => keepSendAs(trx, tenantId, mailboxId, entries, clock()));
}

/** Forgets the kept list: it belongs to another account now, or may not be asked for any more. */
export async function forgetSendAs(db: Database, tenantId: string, mailboxId: string): Promise<void> {
  await db
    .deleteFrom('send_as_addresses')
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .execute();
  await db
    .updateTable('mailboxes')
    .set({ send_as_fetched_at: null })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .execute();
}

/** Gmail showed that the kept list is wrong: it is asked for anew before anything is sent by it. The list itself stays to be seen. */
export async function distrustSendAs(trx: Database, tenantId: string, mailboxId: string): Promise<void> {
  await trx
    .updateTable('mailboxes')
    .set({ send_as_fetched_at: null })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .execute();
}

/** Replaces the kept list: an address that Gmail no longer names is no longer usable. */
export async function keepSendAs(
  db: Database,
  tenantId: string,
  mailboxId: string,
  entries: readonly SendAsEntry[],
  now: Date,
): Promise<void> {
  await db
    .deleteFrom('send_as_addresses')
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .execute();
  if (entries.length > 0) {
    await db
      .insertInto('send_as_addresses')
      .values(
        entries.map((entry) => ({
          tenant_id: tenantId,
          mailbox_id: mailboxId,
          email: entry.email,
          display_name: entry.displayName,
          reply_to: entry.replyTo,
          is_primary: entry.isPrimary,
          verification_status: entry.verificationStatus,
        })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  await db
    .updateTable('mailboxes')
    .set({ send_as_fetched_at: now })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .execute();
}
