import { GoogleError, isAnswered } from '../../google/errors.ts';
import { MailboxUnusableError } from '../../mailboxes/access-token.ts';
import { dropAccessToken } from '../../mailboxes/grant-vault.ts';
import { endMailbox } from '../../mailboxes/health.ts';
import { mailboxTroubleOf } from '../../mailboxes/mailbox-trouble.ts';
import { refreshSendAs } from '../../mailboxes/send-as.ts';
import type { EndedReason } from '../../mailboxes/why-ended.ts';
import { inTenant } from '../../tenants/scope.ts';
import type { AddressesRead, TransportContext } from '../transport.ts';

/**
 * Asks Gmail for a mailbox's list of addresses again, because ours is too old to send by: Gmail itself would not refuse a
 * lost alias, it would swap the From.
 *
 * @throws {GoogleError | MailboxUnusableError} when Gmail could not be asked
 */
export async function refreshAddresses(
  ctx: TransportContext,
  tenantId: string,
  mailboxId: string,
): Promise<AddressesRead> {
  try {
    await refreshSendAs(ctx, tenantId, mailboxId).catch(async (error: unknown) => {
      if (!isAnswered(error, 401)) throw error;
      // The access token ended before its time: once more with a new one.
      await inTenant(ctx.db, tenantId, (trx) => dropAccessToken(trx, tenantId, mailboxId));
      await refreshSendAs(ctx, tenantId, mailboxId);
    });
    return 'read';
  } catch (error) {
    if (isMissingPermission(error)) return 'unreadable';
    const reason = endingIn(error);
    if (!reason) throw error;
    const ended = { reason, sure: true, from: 'gmail', at: ctx.clock() } as const;
    await inTenant(ctx.db, tenantId, (trx) => endMailbox(trx, tenantId, mailboxId, ended));
    throw new MailboxUnusableError('needs_reconnect');
  }
}

/** Why Gmail's refusal ends the connection; null where it does not. */
function endingIn(error: unknown): EndedReason | null {
  if (isAnswered(error, 401)) return 'refused';
  return error instanceof GoogleError ? mailboxTroubleOf(error.failure) : null;
}

/** As against a 403 that only asks to slow down. */
function isMissingPermission(error: unknown): boolean {
  return isAnswered(error, 403) && /insufficient/i.test(error.code);
}
