import { GoogleError } from '../google/errors.ts';
import { MailboxUnusableError } from '../mailboxes/access-token.ts';
import { refreshSendAs } from '../mailboxes/send-as.ts';
import { KeyRingError } from '../platform/key-ring.ts';
import type { WebContext } from './context.ts';

/** Asks Gmail for the list of addresses. Without it the mailbox works all the same, so a failure here fails nothing else. */
export async function tryToReadAliases(
  ctx: WebContext,
  tenantId: string,
  mailboxId: string,
): Promise<'read' | 'unusable' | 'failed'> {
  try {
    await refreshSendAs(ctx, tenantId, mailboxId);
    return 'read';
  } catch (error) {
    if (error instanceof MailboxUnusableError) return 'unusable';
    if (error instanceof GoogleError || error instanceof KeyRingError) return 'failed';
    throw error;
  }
}
