import { createDraft, type Draft, getDraft, sendDraft } from '../google/drafts.ts';
import { GoogleError, type GoogleFailure } from '../google/errors.ts';
import { type SentMessage, sendMessage } from '../google/gmail.ts';
import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import type { Claimed } from './claim.ts';
import { compose } from './compose.ts';
import type { DeliverContext } from './context.ts';
import { findDraftsOf } from './find-in-gmail.ts';
import { disownDraft, keepDraft } from './keep-draft.ts';
import { classifyBeforeSend, classifyFailure, type Outcome } from './outcome.ts';
import { LookPausedError } from './pay-for-look.ts';
import { draftsMadeUntil, whoseDraft } from './whose-draft.ts';

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
  let ready: Ready;
  let ours: boolean;
  try {
    ready = await readyDraft(ctx, tenantId, claimed, mime);
    ours = await inTenant(ctx.db, tenantId, (trx) => beginSend(trx, ctx, tenantId, claimed, ready));
  } catch (error) {
    if (error instanceof LookPausedError) return neverSent('PACED', error.message, { ...tryAgain(ctx), at: error.at });
    return failed(ctx, attempt, error, classifyBeforeSend);
  }
  // It took so long that somebody else looked after it: it is not ours to send any more.
  if (!ours) return neverSent('TOO_LATE', 'The attempt was given up before the email was sent.', tryAgain(ctx));
  if (ready.kind === 'gone') return gone('Our draft was gone from Gmail when it was to be sent.');
  if (ready.kind === 'changed') {
    const words = 'Somebody changed our draft of it in Gmail. What would be sent is no longer what you saw.';
    return neverSent('DRAFT_EDITED', words, holdFor('draft_edited', words));
  }
  try {
    return { kind: 'sent', sent: await sendDraft(ctx.google, token, ready.draft.id, timeLeft(ctx, attempt.deadline)) };
  } catch (error) {
    if (isGone(error)) return gone(error.message);
    return failed(ctx, attempt, error, classifyFailure);
  }
}

/** The draft to send. */
type Ready =
  | { readonly kind: 'ours'; readonly draft: Draft }
  /** Somebody changed it. */
  | { readonly kind: 'changed'; readonly id: string }
  /** It is not there any more, and only a look into Gmail can tell whether somebody deleted it, or sent it. */
  | { readonly kind: 'gone' };

/** The draft that an earlier attempt left; where there is none, a new one. */
async function readyDraft(
  ctx: DeliverContext,
  tenantId: string,
  { delivery, attempt, token }: Claimed,
  mime: Buffer,
): Promise<Ready> {
  const { draft } = delivery;
  if (draft) {
    const message = await getDraft(ctx.google, token, draft.id);
    if (!message) return { kind: 'gone' };
    return message.id === draft.messageId ? { kind: 'ours', draft } : { kind: 'changed', id: draft.id };
  }
  // Of a first attempt there can be none. Of a later one there may be one whose id we never heard.
  if (attempt.number > 1) {
    const look = { token, account: delivery.account, deliveryId: delivery.id };
    const madeUntil = await inTenant(ctx.db, tenantId, (trx) =>
      draftsMadeUntil(ctx, trx, tenantId, delivery.id, attempt.number),
    );
    // The last of them was made last.
    for (const found of await findDraftsOf(ctx, look, delivery.createdAt)) {
      const whose = whoseDraft(found, delivery, madeUntil);
      if (whose === 'ours') return { kind: 'ours', draft: found };
      if (whose === 'changed') return { kind: 'changed', id: found.id };
    }
  }
  return { kind: 'ours', draft: await createDraft(ctx.google, token, mime, timeLeft(ctx, attempt.deadline)) };
}

/** Commits what is about to happen to the draft. False where the attempt is not under way any more. */
async function beginSend(
  trx: Database,
  { clock }: DeliverContext,
  tenantId: string,
  { delivery, attempt }: Claimed,
  ready: Ready,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('attempts')
    .set({ send_begun_at: ready.kind === 'changed' ? null : clock() })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', attempt.id)
    .where('finished_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return false;
  if (ready.kind === 'changed') await disownDraft(trx, tenantId, delivery.id, ready.id);
  if (ready.kind === 'ours') await keepDraft(trx, tenantId, delivery.id, ready.draft);
  return true;
}

/**
 * How long an exchange with Gmail may take.
 *
 * @throws {GoogleError} where it is too little for Gmail to answer in: right before the bytes are written
 */
function timeLeft(ctx: DeliverContext, deadline: Date): number {
  const left = deadline.getTime() - ctx.clock().getTime();
  // With a deadline as short as the shortest one allowed, half of it.
  if (left < Math.min(1_000, ctx.sendDeadlineMs / 2)) {
    throw new GoogleError({ kind: 'not_sent', code: 'DEADLINE', message: 'The attempt had no time left.' });
  }
  // A clock that was put back must not make it longer.
  return Math.min(left, ctx.sendDeadlineMs);
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

/** As Gmail answers it: from here on only a look tells. */
function gone(message: string): AttemptResult {
  const failure = { kind: 'answered', status: 404, reason: 'notFound', message } as const;
  const words = 'Our draft was gone from Gmail when it was to be sent.';
  return { kind: 'failed', failure, outcome: { kind: 'unknown', words } };
}

function tryAgain({ clock }: DeliverContext): Extract<Outcome, { kind: 'retry' }> {
  const words = 'Nothing was sent. We try again.';
  return { kind: 'retry', at: clock(), newToken: false, slowDown: false, words };
}

function holdFor(reason: 'draft_edited', words: string): Outcome {
  return { kind: 'hold', reason, until: null, reconnect: null, words };
}

function isGone(error: unknown): error is GoogleError {
  return error instanceof GoogleError && error.failure.kind === 'answered' && error.failure.status === 404;
}
