import { createDraft, type Draft, getDraft, sendDraft } from '../google/drafts.ts';
import { GoogleError, type GoogleFailure } from '../google/errors.ts';
import { type SentMessage, sendMessage } from '../google/gmail.ts';
import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import type { Claimed } from './claim.ts';
import { compose } from './compose.ts';
import type { DeliverContext } from './context.ts';
import { findDraftOf, findInSent } from './find-in-gmail.ts';
import { classifyBeforeSend, classifyFailure, type Outcome } from './outcome.ts';

/** What an attempt brought. */
export type AttemptResult =
  | { readonly kind: 'sent'; readonly sent: SentMessage }
  | { readonly kind: 'failed'; readonly failure: GoogleFailure; readonly outcome: Outcome };

/**
 * Talks to Gmail, once: nothing in here is tried again. Knows nothing of states; what it returns is the whole of what
 * is known. With a permission for drafts the email goes by way of one (`docs/delivery.md` says why), else as a message.
 */
export async function transmit(ctx: DeliverContext, tenantId: string, claimed: Claimed): Promise<AttemptResult> {
  const { delivery } = claimed;
  let mime: Buffer;
  try {
    mime = await compose({ ...delivery.email, date: ctx.clock() });
  } catch (error) {
    // What cannot be put into a message now never can: it fails, instead of being tried for ever.
    ctx.log.error({ err: error, tenantId, deliveryId: delivery.id }, 'an email could not be composed');
    const words =
      'The email could not be put together, so it was not sent. Change its text or its recipients and send again.';
    return neverSent('COMPOSE', words, { kind: 'refuse', words });
  }
  return claimed.via === 'draft' ? byDraft(ctx, tenantId, claimed, mime) : asMessage(ctx, claimed, mime);
}

async function asMessage(ctx: DeliverContext, { attempt, token }: Claimed, mime: Buffer): Promise<AttemptResult> {
  try {
    return { kind: 'sent', sent: await sendMessage(ctx.google, token, mime, timeLeft(ctx, attempt.deadline)) };
  } catch (error) {
    return failed(ctx, attempt, error, classifyFailure);
  }
}

/**
 * 1. Our draft of an earlier attempt is looked for, else one is made. Whatever goes wrong here, nothing was sent.
 * 2. Its ids, and that the send is going out, are committed: from here on the draft tells what happened.
 * 3. The draft is sent.
 */
async function byDraft(ctx: DeliverContext, tenantId: string, claimed: Claimed, mime: Buffer): Promise<AttemptResult> {
  const { attempt, token } = claimed;
  let draft: Draft;
  try {
    const found = await readyDraft(ctx, claimed, mime);
    if ('kind' in found) return found;
    draft = found;
    await inTenant(ctx.db, tenantId, (trx) => keepDraft(trx, ctx, tenantId, claimed, draft));
  } catch (error) {
    return failed(ctx, attempt, error, classifyBeforeSend);
  }
  try {
    return { kind: 'sent', sent: await sendDraft(ctx.google, token, draft.id, timeLeft(ctx, attempt.deadline)) };
  } catch (error) {
    // It was there a moment ago: somebody deleted it, or it was sent. The look into Gmail will tell.
    if (isGone(error)) {
      const words = 'Our draft was gone from Gmail when it was to be sent.';
      const { failure } = error;
      return { kind: 'failed', failure, outcome: { kind: 'unknown', words } };
    }
    return failed(ctx, attempt, error, classifyFailure);
  }
}

/** The draft to send: the one that an earlier attempt left, where it is as we made it; else a new one. */
async function readyDraft(
  ctx: DeliverContext,
  { delivery, attempt, token, tracking }: Claimed,
  mime: Buffer,
): Promise<Draft | AttemptResult> {
  const look = { google: ctx.google, token, deliveryId: delivery.id };
  // Of a first attempt there can be none. Of a later one there may be one whose id we never heard.
  const known = delivery.draft ?? (attempt.number > 1 ? await findDraftOf(look, delivery.createdAt) : null);
  if (known) {
    const message = await getDraft(ctx.google, token, known.id);
    if (message?.id === known.messageId) return known;
    if (message) {
      const words = 'Somebody changed our draft of it in Gmail. What would be sent is no longer what you saw.';
      return neverSent('DRAFT_EDITED', words, holdFor('draft_edited', words));
    }
    // Gone, although every attempt before was refused: somebody deleted it, or sent it from Gmail by hand.
    const sent = tracking ? await findInSent(look, delivery.createdAt) : null;
    if (sent?.found) return { kind: 'sent', sent: sent.found };
  }
  return createDraft(ctx.google, token, mime, timeLeft(ctx, attempt.deadline));
}

async function keepDraft(
  trx: Database,
  { clock }: DeliverContext,
  tenantId: string,
  { delivery, attempt }: Claimed,
  draft: Draft,
): Promise<void> {
  await trx
    .updateTable('deliveries')
    .set({ draft_id: draft.id, draft_message_id: draft.messageId })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', delivery.id)
    .execute();
  await trx
    .updateTable('attempts')
    .set({ send_begun_at: clock() })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', attempt.id)
    .execute();
}

/** @throws {GoogleError} where it is too little for Gmail to answer in: right before the bytes are written */
function timeLeft(ctx: DeliverContext, deadline: Date): number {
  const left = deadline.getTime() - ctx.clock().getTime();
  // With a deadline as short as the shortest one allowed, half of it.
  if (left < Math.min(1_000, ctx.sendDeadlineMs / 2)) {
    throw new GoogleError({ kind: 'not_sent', code: 'DEADLINE', message: 'The attempt had no time left.' });
  }
  return left;
}

function failed(
  ctx: DeliverContext,
  { number, tokensRefused }: Claimed['attempt'],
  error: unknown,
  classify: typeof classifyFailure,
): AttemptResult {
  if (!(error instanceof GoogleError)) throw error;
  const outcome = classify(error.failure, { attempts: number, tokensRefused }, ctx.clock());
  return { kind: 'failed', failure: error.failure, outcome };
}

function neverSent(code: string, message: string, outcome: Outcome): AttemptResult {
  return { kind: 'failed', failure: { kind: 'not_sent', code, message }, outcome };
}

function holdFor(reason: 'draft_edited', words: string): Outcome {
  return { kind: 'hold', reason, until: null, reconnect: null, words };
}

function isGone(error: unknown): error is GoogleError {
  return error instanceof GoogleError && error.failure.kind === 'answered' && error.failure.status === 404;
}
