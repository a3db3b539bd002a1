import type { MailboxProvider } from '../platform/database-types.ts';
import { inTenant } from '../tenants/scope.ts';
import { LookPausedError, NotPermittedError, type Permit, TransportError } from '../transport/transport.ts';
import { noteSlowDown } from './account-standing.ts';
import type { DeliverContext } from './context.ts';
import { slowedUntil } from './purse.ts';
import { transportOf } from './transport-of.ts';

/** The provider could not be asked just now. */
export interface Later {
  readonly kind: 'later';
  /** When it wants to be asked again, where it said so. */
  readonly at: Date | null;
  /** Nothing was wrong: the look goes on then. */
  readonly goesOn?: true;
}

/** Whose mailbox is looked into. */
export interface LookedInto {
  readonly mailboxId: string;
  readonly provider: MailboxProvider;
  readonly account: string;
}

/**
 * Looks into a mailbox, unless its account stands still.
 *
 * @param look asks the provider with this permit
 * @returns what it saw, or when it can be asked; null where there is nothing to look with: no connection, or no permission
 */
export async function lookInto<T>(
  ctx: DeliverContext,
  tenantId: string,
  { mailboxId, provider, account }: LookedInto,
  look: (permit: Permit) => Promise<T>,
): Promise<T | Later | null> {
  const slowed = await slowedUntil(ctx, account);
  if (slowed) return { kind: 'later', at: slowed };
  const transport = transportOf(ctx, provider);
  try {
    return await look(await transport.permit(tenantId, mailboxId));
  } catch (error) {
    if (error instanceof LookPausedError) return { kind: 'later', at: error.at, goesOn: true };
    if (error instanceof NotPermittedError) return error.why.kind === 'later' ? { kind: 'later', at: null } : null;
    if (!(error instanceof TransportError)) throw error;
    await noteSlowDown(ctx, { account, transport }, error);
    const { outcome } = error;
    switch (outcome.kind) {
      case 'retry':
        // It ended before its time: the next look has a new one.
        if (outcome.newPermit)
          await inTenant(ctx.db, tenantId, (trx) => transport.dropPermit(trx, tenantId, mailboxId));
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
