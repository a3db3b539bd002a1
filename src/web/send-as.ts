import { setTimeout } from 'node:timers/promises';
import { GoogleError } from '../google/errors.ts';
import { MailboxUnusableError } from '../mailboxes/access-token.ts';
import { oldListsFor } from '../mailboxes/old-lists.ts';
import { refreshSendAs } from '../mailboxes/send-as.ts';
import type { RefusalReason, SenderResolution } from '../mailboxes/sender.ts';
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
 * Does what needs a sender. Where that is refused by a list of addresses older than 15 minutes, Gmail is asked for the
 * list and it is done once more: the address may have been added or confirmed since.
 *
 * @param act reads or tries in a transaction of its own, so that none is open while Gmail answers
 * @param resolutionOf what that found of the sender; null where it came to something else
 */
export async function byRecentLists<T>(
  ctx: WebContext,
  viewer: Pick<Viewer, 'tenantId' | 'memberId'>,
  act: () => Promise<T>,
  resolutionOf: (done: T) => SenderResolution | null,
): Promise<T> {
  const done = await act();
  const resolution = resolutionOf(done);
  if (resolution === null || resolution.ok) return done;
  return (await askForOldLists(ctx, viewer, resolution.reason)) ? act() : done;
}

/** What a send, or the start of a run, found of the sender where it was refused for that. */
export function refusalOf(
  result: { readonly kind: 'refused'; readonly resolution: SenderResolution } | { readonly kind: string },
): SenderResolution | null {
  return 'resolution' in result ? result.resolution : null;
}

/** @returns whether there was anything to ask for */
async function askForOldLists(
  ctx: WebContext,
  { tenantId, memberId }: Pick<Viewer, 'tenantId' | 'memberId'>,
  reason: RefusalReason,
): Promise<boolean> {
  const old = await inTenant(ctx.db, tenantId, (trx) => oldListsFor(trx, tenantId, memberId, reason, ctx.clock()));
  if (old.length === 0) return false;
  const asking = Promise.all(old.map((id) => tryToReadAliases(ctx, tenantId, id))).catch((err: unknown) =>
    ctx.log.error({ err }, 'asking for addresses failed'),
  );
  const patience = new AbortController();
  await Promise.race([asking, setTimeout(patienceMs, null, { signal: patience.signal }).catch(() => null)]);
  patience.abort();
  return true;
}
