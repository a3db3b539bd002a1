import { GoogleError } from '../google/errors.ts';
import { MailboxUnusableError } from '../mailboxes/access-token.ts';
import { dropAccessToken } from '../mailboxes/grant-vault.ts';
import { findMailbox, listMailboxes, moveMailbox } from '../mailboxes/mailboxes.ts';
import { refreshSendAs, sendAsMaxAgeMs } from '../mailboxes/send-as.ts';
import { resolveSender, type SenderRule } from '../mailboxes/sender.ts';
import { inTenant } from '../tenants/scope.ts';
import type { DeliverContext } from './context.ts';
import type { SendableDelivery } from './load.ts';
import type { HeldReason } from './state.ts';

/** Why a delivery must not leave as it was frozen. */
export interface Objection {
  readonly reason: HeldReason;
  readonly words: string;
}

/**
 * Checks, just before a send, that the frozen sender is still what its rule resolves to. A difference
 * holds the delivery; it is never sent from elsewhere. Gmail's list of addresses is asked again where
 * ours is older than 15 minutes: Gmail itself would not refuse a lost alias, it would swap the From.
 *
 * @throws {GoogleError | MailboxUnusableError} when Gmail could not be asked
 */
export async function checkSender(
  ctx: DeliverContext,
  tenantId: string,
  delivery: SendableDelivery,
): Promise<Objection | null> {
  if (delivery.mailboxState === 'needs_reconnect') {
    return { reason: 'mailbox_needs_reconnect', words: 'Gmail must be connected again.' };
  }
  if (delivery.mailboxState === 'disconnected') {
    return { reason: 'mailbox_disconnected', words: 'The Gmail account was disconnected.' };
  }
  const unreadable = await refreshOldList(ctx, tenantId, delivery);
  if (unreadable) return unreadable;

  const frozen = delivery.email.from.email;
  const resolution = await inTenant(ctx.db, tenantId, async (trx) => {
    const member = await trx
      .selectFrom('members')
      .select(['id', 'email', 'name'])
      .where('id', '=', delivery.memberId)
      .executeTakeFirstOrThrow();
    const mailboxes = await listMailboxes(trx, tenantId, delivery.memberId);
    return resolveSender({ rule: frozenRule(delivery), member, mailboxes });
  });
  if (!resolution.ok) return { reason: 'sender_changed', words: `${resolution.because} ${resolution.fix}` };
  const { sender } = resolution;
  if (sender.mailboxId === delivery.mailboxId && sender.fromEmail === frozen) return null;
  return {
    reason: 'sender_changed',
    words: `It was to be sent from ${frozen}, and would now come from ${sender.fromEmail}. Cancel it and send the document again.`,
  };
}

function frozenRule(delivery: SendableDelivery): SenderRule {
  if (delivery.mode !== 'alias') return { mode: delivery.mode };
  return { mode: 'alias', mailboxId: delivery.mailboxId, email: delivery.email.from.email };
}

async function refreshOldList(
  ctx: DeliverContext,
  tenantId: string,
  delivery: SendableDelivery,
): Promise<Objection | null> {
  const mailbox = await inTenant(ctx.db, tenantId, (trx) =>
    findMailbox(trx, tenantId, delivery.memberId, delivery.mailboxId),
  );
  // Its own address needs no list, and without the permission there is none to ask for.
  if (!mailbox?.capabilities.includes('aliases') || mailbox.email === delivery.email.from.email) return null;
  const age = ctx.clock().getTime() - (mailbox.sendAsFetchedAt?.getTime() ?? 0);
  if (age < sendAsMaxAgeMs) return null;
  try {
    await refreshSendAs(ctx, tenantId, mailbox.id).catch(async (error: unknown) => {
      if (!isAnswered(error, 401)) throw error;
      // The access token ended before its time: once more with a new one.
      await inTenant(ctx.db, tenantId, (trx) => dropAccessToken(trx, tenantId, mailbox.id));
      await refreshSendAs(ctx, tenantId, mailbox.id);
    });
    return null;
  } catch (error) {
    if (isMissingPermission(error)) {
      const words = `Gmail no longer lets us check whether ${mailbox.email} may send as ${delivery.email.from.email}. Connect it again and leave the box about settings ticked.`;
      return { reason: 'sender_changed', words };
    }
    if (!isAnswered(error, 401)) throw error;
    const flip = { from: 'active', to: 'needs_reconnect', reason: 'revoked', at: ctx.clock() } as const;
    await inTenant(ctx.db, tenantId, (trx) => moveMailbox(trx, tenantId, mailbox.id, flip));
    throw new MailboxUnusableError('needs_reconnect');
  }
}

/** As against a 403 that only asks to slow down. */
function isMissingPermission(error: unknown): boolean {
  return isAnswered(error, 403) && error instanceof GoogleError && /insufficient/i.test(error.code);
}

function isAnswered(error: unknown, status: number): boolean {
  return error instanceof GoogleError && error.failure.kind === 'answered' && error.failure.status === status;
}
