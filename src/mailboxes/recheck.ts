import { GoogleError, type GoogleFailure } from '../google/errors.ts';
import { probeSending } from '../google/probe.ts';
import { inTenant } from '../tenants/scope.ts';
import { type AccessTokens, MailboxUnusableError, type TokenContext } from './access-token.ts';
import { capabilitiesOf } from './capabilities.ts';
import { readReason } from './ended-words.ts';
import { dropAccessToken } from './grant-vault.ts';
import { endMailbox, recoverMailbox } from './health.ts';
import { mailboxTroubleOf, type SaidByGmail } from './mailbox-trouble.ts';
import { isSaidByGmail } from './outweighs.ts';

/** What another look at a mailbox showed. `not_now`: Google could not be asked, or said nothing about it. */
export type Rechecked = 'works' | 'ended' | 'not_now';

/**
 * Looks whether a mailbox that needs reconnecting works after all: a new access token is asked for; and where Gmail
 * itself had refused, Gmail, too, without sending anything. Success makes the mailbox active; a better reason replaces the one it had.
 *
 * @param depth `token` asks the token endpoint only, and leaves what Gmail said as it is
 */
export async function recheckMailbox(
  ctx: TokenContext & { readonly tokens: AccessTokens },
  tenantId: string,
  mailboxId: string,
  depth: 'token' | 'gmail',
): Promise<Rechecked> {
  await inTenant(ctx.db, tenantId, (trx) => dropAccessToken(trx, tenantId, mailboxId));
  try {
    const { token } = await ctx.tokens.of(tenantId, mailboxId);
    const { state, reason, canSend } = await stateOf(ctx, tenantId, mailboxId);
    if (state === 'active') return 'works';
    if (depth === 'token' || reason === null || !isSaidByGmail(reason) || !canSend) return 'ended';
    const failure = await probeSending(ctx.google, token);
    if (!failure) {
      await inTenant(ctx.db, tenantId, (trx) => recoverMailbox(trx, tenantId, mailboxId, ctx.clock(), 'gmail'));
      return 'works';
    }
    const said = mailboxTroubleOf(failure) ?? (isTokenRefused(failure) ? 'refused' : null);
    if (!said) return 'not_now';
    const ended = { reason: said, sure: true, from: 'gmail', at: ctx.clock() } as const;
    await inTenant(ctx.db, tenantId, (trx) => endMailbox(trx, tenantId, mailboxId, ended));
    return 'ended';
  } catch (error) {
    if (error instanceof MailboxUnusableError) return 'ended';
    if (error instanceof GoogleError) return 'not_now';
    throw error;
  }
}

/** What Gmail names about the account itself: no consent of a person can make up for it. */
const ofTheAccount: readonly SaidByGmail[] = ['no_gmail', 'mailbox_suspended', 'admin_policy'];

/**
 * Looks, right after a mailbox was connected, whether its Google account has a Gmail that sends: Google lets an account
 * without one connect like any other. Nothing is sent. Where Gmail cannot be asked, or says nothing about the account, the
 * mailbox stays as it is, and the first send shows it.
 *
 * @returns why it cannot send; null where nothing speaks against it
 */
export async function probeConnected(
  ctx: TokenContext,
  tenantId: string,
  mailboxId: string,
  accessToken: string,
): Promise<SaidByGmail | null> {
  const failure = await probeSending(ctx.google, accessToken);
  const said = failure && mailboxTroubleOf(failure);
  if (!said || !ofTheAccount.includes(said)) return null;
  const ended = { reason: said, sure: true, from: 'gmail', at: ctx.clock() } as const;
  await inTenant(ctx.db, tenantId, (trx) => endMailbox(trx, tenantId, mailboxId, ended));
  return said;
}

function isTokenRefused(failure: GoogleFailure): boolean {
  return failure.kind === 'answered' && failure.status === 401;
}

async function stateOf({ db }: TokenContext, tenantId: string, mailboxId: string) {
  const row = await inTenant(db, tenantId, (trx) =>
    trx
      .selectFrom('mailboxes')
      .leftJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
      .select(['mailboxes.state', 'mailboxes.state_reason', 'mailboxes.wanted', 'grants.scopes'])
      .where('mailboxes.tenant_id', '=', tenantId)
      .where('mailboxes.id', '=', mailboxId)
      .executeTakeFirstOrThrow(),
  );
  const canSend = capabilitiesOf(row.scopes ?? [], row.wanted).includes('send');
  return { state: row.state, reason: row.state_reason === null ? null : readReason(row.state_reason), canSend };
}
