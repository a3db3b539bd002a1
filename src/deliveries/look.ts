import { GoogleError } from '../google/errors.ts';
import type { AccessToken } from '../google/gmail.ts';
import { MailboxUnusableError } from '../mailboxes/access-token.ts';
import { dropAccessToken } from '../mailboxes/grant-vault.ts';
import { KeyRingError } from '../platform/key-ring.ts';
import { inTenant } from '../tenants/scope.ts';
import { noteSlowDown } from './account-standing.ts';
import type { DeliverContext } from './context.ts';
import { classifyFailure } from './outcome.ts';
import { LookPausedError, slowedUntil } from './pay-for-look.ts';

/** Gmail could not be asked just now. */
export interface Later {
  readonly kind: 'later';
  /** When Gmail wants to be asked again, where it said so. */
  readonly at: Date | null;
  /** Nothing was wrong: the look goes on then. */
  readonly goesOn?: true;
}

/**
 * Looks into a mailbox at Gmail, unless its account stands still.
 *
 * @param look asks Gmail with this token
 * @returns what it saw, or when it can be asked; null where there is nothing to look with: no connection, or no permission
 */
export async function lookInto<T>(
  ctx: DeliverContext,
  tenantId: string,
  { mailboxId, account }: { readonly mailboxId: string; readonly account: string },
  look: (token: AccessToken) => Promise<T>,
): Promise<T | Later | null> {
  const slowed = await slowedUntil(ctx, account);
  if (slowed) return { kind: 'later', at: slowed };
  try {
    return await look(await ctx.tokens.of(tenantId, mailboxId));
  } catch (error) {
    if (error instanceof LookPausedError) return { kind: 'later', at: error.at, goesOn: true };
    if (error instanceof MailboxUnusableError) return null;
    if (error instanceof KeyRingError) return { kind: 'later', at: null };
    if (!(error instanceof GoogleError)) throw error;
    const outcome = classifyFailure(error.failure, { attempts: 1, tokensRefused: 0 }, ctx.clock());
    await noteSlowDown(ctx, account, error.failure, outcome);
    switch (outcome.kind) {
      case 'retry':
        // It ended before its time: the next look has a new one.
        if (outcome.newToken) await inTenant(ctx.db, tenantId, (trx) => dropAccessToken(trx, tenantId, mailboxId));
        return { kind: 'later', at: outcome.at };
      case 'hold':
        // A permission that was taken back, or an interruption that passes.
        return outcome.until === null ? null : { kind: 'later', at: outcome.until };
      case 'refuse':
        return null;
      case 'unknown':
        return { kind: 'later', at: null };
      default:
        return outcome satisfies never;
    }
  }
}
