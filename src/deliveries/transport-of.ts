import type { MailboxProvider } from '../platform/database-types.ts';
import type { Transport, TransportContext } from '../transport/transport.ts';
import type { DeliverContext } from './context.ts';
import { purseOf } from './purse.ts';

/** What it takes to reach a transport. */
export type TransportNeeds = Omit<TransportContext, 'purse'> & Pick<DeliverContext, 'pace' | 'transports'>;

/** How mailboxes of a provider send; its looks are paid for from the accounts' rates. */
export function transportOf(ctx: TransportNeeds, provider: MailboxProvider): Transport {
  return ctx.transports[provider]({ ...ctx, purse: purseOf(ctx) });
}
