import { setTimeout } from 'node:timers/promises';
import { GoogleError } from '../google/errors.ts';
import { MailboxUnusableError } from '../mailboxes/access-token.ts';
import { oldListsFor } from '../mailboxes/old-lists.ts';
import { refreshSendAs } from '../mailboxes/send-as.ts';
import type { SenderResolution } from '../mailboxes/sender.ts';
import { KeyRingError } from '../platform/key-ring.ts';
import { inTenant } from '../tenants/scope.ts';
import type { WebContext } from './context.ts';
import type { Viewer } from './viewer.ts';

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

/** How long a page waits for Gmail, in milliseconds; the answer is kept whenever it comes. */
const patienceMs = 3_000;

/**
 * Asks Gmail once more before somebody is refused by a list that is older than 15 minutes: the address may have been
 * added or confirmed since.
 *
 * @returns whether anything was asked, so that the sender is to be worked out anew
 */
export async function askBeforeRefusing(
  ctx: WebContext,
  { tenantId, memberId }: Pick<Viewer, 'tenantId' | 'memberId'>,
  resolution: SenderResolution,
): Promise<boolean> {
  if (resolution.ok) return false;
  const old = await inTenant(ctx.db, tenantId, (trx) =>
    oldListsFor(trx, tenantId, memberId, resolution.reason, ctx.clock()),
  );
  if (old.length === 0) return false;
  const asking = Promise.all(old.map((id) => tryToReadAliases(ctx, tenantId, id))).catch((err: unknown) =>
    ctx.log.error({ err }, 'asking for addresses failed'),
  );
  const patience = new AbortController();
  await Promise.race([asking, setTimeout(patienceMs, null, { signal: patience.signal }).catch(() => null)]);
  patience.abort();
  return true;
}
