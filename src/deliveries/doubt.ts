import { getDraft } from '../google/drafts.ts';
import { GoogleError } from '../google/errors.ts';
import type { AccessToken, SentMessage } from '../google/gmail.ts';
import { MailboxUnusableError } from '../mailboxes/access-token.ts';
import { capabilitiesOf } from '../mailboxes/capabilities.ts';
import type { Database } from '../platform/database.ts';
import { KeyRingError } from '../platform/key-ring.ts';
import type { DeliveryJob } from '../platform/queue.ts';
import { wake } from '../platform/wake.ts';
import { inTenant } from '../tenants/scope.ts';
import type { DeliverContext } from './context.ts';
import { findDraftOf, findInSent } from './find-in-gmail.ts';
import { closeAttempt } from './settle.ts';
import { type HeldReason, moveDelivery } from './state.ts';
import { type Evidence, type Verdict, verdictOn } from './verdict.ts';

/** What is known of a delivery whose outcome is not. */
interface Doubt {
  readonly state: 'sending' | 'unconfirmed';
  readonly mailboxId: string;
  readonly createdAt: Date;
  readonly fromEmail: string;
  readonly draft: { readonly id: string; readonly messageId: string } | null;
  readonly canUseDrafts: boolean;
  readonly canLook: boolean;
  readonly firstAttemptAt: Date;
  readonly attempt: {
    readonly id: string;
    readonly startedAt: Date;
    readonly via: 'message' | 'draft';
    readonly sendBegunAt: Date | null;
  };
}

/** How soon Gmail is asked again, where it could not be. */
const againAfterMs = 30_000;
/** Longer after the attempt it is not tried: a person is asked, and it can still be looked into later. */
const patienceMs = 3_600_000;
/** Asked for longer ago than this, an email that turns out not to be sent waits for somebody to say "send now". */
const staleAfterMs = 24 * 3_600_000;

/**
 * Takes care of a delivery that was handed to Gmail and whose outcome nobody knows: its worker died, or the answer was
 * lost. Before its time nothing happens. Then Gmail is looked into as far as the permissions go: a draft that is still
 * there was not sent, our header among the sent messages was. Only where neither can tell is a person asked, and
 * nothing is ever sent from here.
 */
export async function resolveDoubt(ctx: DeliverContext, { tenantId, deliveryId }: DeliveryJob): Promise<void> {
  const doubt = await inTenant(ctx.db, tenantId, (trx) => readDoubt(ctx, trx, tenantId, deliveryId));
  if (!doubt) return;
  const evidence = await gather(ctx, tenantId, deliveryId, doubt);
  if (evidence === 'later' && ctx.clock().getTime() - doubt.attempt.startedAt.getTime() < patienceMs) {
    return inTenant(ctx.db, tenantId, (trx) => lookAgain(ctx, trx, tenantId, deliveryId));
  }
  const verdict = evidence === 'later' ? 'ask' : verdictOn(evidence);
  const sent = evidence === 'later' ? null : evidence.sent;
  await inTenant(ctx.db, tenantId, (trx) => conclude(ctx, trx, { tenantId, deliveryId }, doubt, verdict, sent));
}

async function readDoubt(
  ctx: DeliverContext,
  trx: Database,
  tenantId: string,
  deliveryId: string,
): Promise<Doubt | null> {
  const row = await trx
    .selectFrom('deliveries')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .leftJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
    .select([
      ...(['deliveries.state', 'deliveries.not_before', 'deliveries.mailbox_id', 'deliveries.created_at'] as const),
      ...(['deliveries.draft_id', 'deliveries.draft_message_id', 'deliveries.from_email'] as const),
      ...(['mailboxes.wanted', 'grants.scopes'] as const),
    ])
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', '=', deliveryId)
    .executeTakeFirst();
  if (!row || (row.state !== 'sending' && row.state !== 'unconfirmed')) return null;
  if (row.not_before === null || row.not_before > ctx.clock()) return null;
  const attempts = await trx
    .selectFrom('attempts')
    .select(['id', 'started_at as startedAt', 'via', 'send_begun_at as sendBegunAt'])
    .where('tenant_id', '=', tenantId)
    .where('delivery_id', '=', deliveryId)
    .orderBy('number', 'desc')
    .limit(100)
    .execute();
  const attempt = attempts[0];
  if (!attempt) throw new Error('A delivery is being sent without an attempt.');
  const capabilities = capabilitiesOf(row.scopes ?? [], row.wanted);
  const { draft_id: id, draft_message_id: messageId } = row;
  return {
    ...{ state: row.state, mailboxId: row.mailbox_id, createdAt: row.created_at, fromEmail: row.from_email },
    draft: id !== null && messageId !== null ? { id, messageId } : null,
    canUseDrafts: capabilities.includes('safe_retry'),
    canLook: capabilities.includes('tracking'),
    firstAttemptAt: attempts.at(-1)?.startedAt ?? attempt.startedAt,
    attempt: { ...attempt, via: attempt.via === 'draft' ? 'draft' : 'message' },
  };
}

/** Looks into Gmail, as far as the permissions go. `later`: Gmail could not be asked just now. */
async function gather(
  ctx: DeliverContext,
  tenantId: string,
  deliveryId: string,
  doubt: Doubt,
): Promise<(Evidence & { readonly sent: SentMessage | null }) | 'later'> {
  const { via, sendBegunAt } = doubt.attempt;
  const known = { via, sendBegun: via === 'message' || sendBegunAt !== null, draftsSendOnce: ctx.draftsSendOnce };
  const blind = { ...known, draft: 'unseen', inSent: 'unseen', sent: null } as const;
  const useDraft = via === 'draft' && doubt.canUseDrafts;
  if (!known.sendBegun || (!useDraft && !doubt.canLook)) return blind;
  try {
    const token = await ctx.tokens.of(tenantId, doubt.mailboxId);
    const draft = useDraft ? await lookAtDraft(ctx, token, deliveryId, doubt) : 'unseen';
    // A draft that is there says it all.
    if (draft === 'same' || draft === 'edited' || !doubt.canLook) return { ...blind, draft };
    const { found, all } = await findInSent({ google: ctx.google, token, deliveryId }, doubt.firstAttemptAt);
    return { ...known, draft, inSent: found ? 'found' : all ? 'absent' : 'unseen', sent: found };
  } catch (error) {
    // Without a connection, or with a permission that was taken back, there is nothing to look with.
    if (error instanceof MailboxUnusableError || isForbidden(error)) return blind;
    if (error instanceof GoogleError || error instanceof KeyRingError) return 'later';
    throw error;
  }
}

async function lookAtDraft(
  ctx: DeliverContext,
  token: AccessToken,
  deliveryId: string,
  { draft, firstAttemptAt }: Doubt,
): Promise<'same' | 'edited' | 'gone'> {
  const known = draft ?? (await findDraftOf({ google: ctx.google, token, deliveryId }, firstAttemptAt));
  const message = known && (await getDraft(ctx.google, token, known.id));
  if (!known || !message) return 'gone';
  return message.id === known.messageId ? 'same' : 'edited';
}

/** As against a 403 that only asks to slow down. */
function isForbidden(error: unknown): boolean {
  if (!(error instanceof GoogleError) || error.failure.kind !== 'answered') return false;
  return error.failure.status === 403 && !/rateLimit/i.test(error.code);
}

async function lookAgain(ctx: DeliverContext, trx: Database, tenantId: string, deliveryId: string): Promise<void> {
  await trx
    .updateTable('deliveries')
    .set({ not_before: new Date(ctx.clock().getTime() + againAfterMs) })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', deliveryId)
    .where('state', 'in', ['sending', 'unconfirmed'])
    .execute();
}

/** Writes what was found out. */
async function conclude(
  ctx: DeliverContext,
  trx: Database,
  { tenantId, deliveryId }: DeliveryJob,
  doubt: Doubt,
  verdict: Verdict,
  sent: SentMessage | null,
): Promise<void> {
  const at = ctx.clock();
  const message = 'The program stopped before Gmail’s answer arrived.';
  const failure = { kind: 'lost', code: 'WORKER_GONE', message } as const;
  // Where Gmail's answer was lost, the attempt says so already.
  const outcome = { kind: 'unknown', words: failure.message } as const;
  await closeAttempt(trx, doubt.attempt, { kind: 'failed', failure, outcome }, at);
  const from = doubt.state;
  const holdIt = (heldReason: HeldReason, detail: string) =>
    moveDelivery(trx, tenantId, deliveryId, { from, to: 'held', at, heldReason, detail });

  switch (verdict) {
    case 'sent': {
      const gmail = sent && { messageId: sent.id, threadId: sent.threadId };
      const detail = sent
        ? 'Found in Gmail’s Sent folder: it was sent.'
        : 'Our draft of it is gone from Gmail, because it was sent.';
      await moveDelivery(trx, tenantId, deliveryId, { from, to: 'sent', at, detail, ...(gmail && { gmail }) });
      return;
    }
    case 'not_sent': {
      if (at.getTime() - doubt.createdAt.getTime() > staleAfterMs) {
        await holdIt(
          'not_sent',
          'Looked up in Gmail: it was not sent. It is more than a day old, so it waits for you.',
        );
        return;
      }
      const detail = 'Looked up in Gmail: it was not sent. We try again.';
      await moveDelivery(trx, tenantId, deliveryId, { from, to: 'queued', at, detail });
      await wake(trx, 'waiting');
      return;
    }
    case 'edited':
      await holdIt('draft_edited', 'It was not sent, and somebody changed our draft of it in Gmail.');
      return;
    case 'deleted':
      await holdIt('draft_deleted', 'It was not sent, and somebody deleted our draft of it in Gmail.');
      return;
    case 'ask': {
      if (from === 'unconfirmed') return forgetToLook(trx, tenantId, deliveryId);
      const detail = 'Gmail may have sent it. Look in Gmail’s Sent folder, then tell us.';
      await moveDelivery(trx, tenantId, deliveryId, { from, to: 'unconfirmed', at, detail });
      return;
    }
    default:
      verdict satisfies never;
  }
}

async function forgetToLook(trx: Database, tenantId: string, deliveryId: string): Promise<void> {
  await trx
    .updateTable('deliveries')
    .set({ not_before: null })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', deliveryId)
    .where('state', '=', 'unconfirmed')
    .execute();
}
