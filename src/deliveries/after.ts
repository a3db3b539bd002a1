import addressparser from 'nodemailer/lib/addressparser/index.js';
import { deleteDraft } from '../google/drafts.ts';
import { GoogleError } from '../google/errors.ts';
import { getHeaders } from '../google/gmail.ts';
import { MailboxUnusableError } from '../mailboxes/access-token.ts';
import { capabilitiesOf } from '../mailboxes/capabilities.ts';
import { dropAccessToken } from '../mailboxes/grant-vault.ts';
import { passed } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { DeliveryJob } from '../platform/queue.ts';
import { inTenant } from '../tenants/scope.ts';
import { noteSlowDown } from './account-standing.ts';
import type { DeliverContext } from './context.ts';
import { findDraftsOf } from './find-in-gmail.ts';
import { concludeFrom } from './from-changed.ts';
import { classifyFailure } from './outcome.ts';
import { LookPausedError } from './pay-for-look.ts';
import { draftColumns, draftsMadeUntil, readDrafts, whoseDraft } from './whose-draft.ts';

/**
 * What is done when a delivery is finished, and can never change what came of it: reads back what Gmail really used,
 * or takes a left-over draft out of the mailbox. What Gmail does not let us do is left undone.
 */
export async function afterDelivery(ctx: DeliverContext, { tenantId, deliveryId }: DeliveryJob): Promise<void> {
  const row = await inTenant(ctx.db, tenantId, (trx) => readFinished(trx, tenantId, deliveryId));
  if (!row) return;
  await askGmail(ctx, { tenantId, deliveryId }, row);
  await inTenant(ctx.db, tenantId, (trx) =>
    trx
      .updateTable('deliveries')
      .set({ not_before: null })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', deliveryId)
      .where('state', '=', row.state)
      .where('not_before', 'is not', null)
      .execute(),
  );
}

/** @throws {GoogleError} where it is worth another try */
async function askGmail(
  ctx: DeliverContext,
  { tenantId, deliveryId }: DeliveryJob,
  row: NonNullable<Awaited<ReturnType<typeof readFinished>>>,
): Promise<void> {
  const { capabilities } = row;
  try {
    const token = await ctx.tokens.of(tenantId, row.mailbox_id);
    if (row.state === 'sent' && row.gmail_message_id && !row.proven_at && capabilities.includes('tracking')) {
      const { headers } = await getHeaders(ctx.google, token, row.gmail_message_id, ['From', 'Message-ID']);
      await keepProof(ctx, tenantId, deliveryId, row, headers);
    }
    if (row.mayHaveLeftDrafts && capabilities.includes('safe_retry')) {
      const look = { token, account: row.account, deliveryId };
      const madeUntil = await inTenant(ctx.db, tenantId, (trx) => draftsMadeUntil(ctx, trx, tenantId, deliveryId));
      for (const found of await patiently(ctx, () => findDraftsOf(ctx, look, row.created_at))) {
        // One that somebody changed stays.
        if (whoseDraft(found, row.drafts, madeUntil) === 'ours') await deleteDraft(ctx.google, token, found.id);
      }
    }
  } catch (error) {
    if (error instanceof MailboxUnusableError) return;
    if (!(error instanceof GoogleError)) throw error;
    const outcome = classifyFailure(error.failure, { attempts: 1, tokensRefused: 0 }, ctx.clock());
    await noteSlowDown(ctx, row.account, error.failure, outcome);
    // Refused for good: the mailbox says no, or the message is not there any more. Else the job runs again.
    if (outcome.kind === 'refuse' || (outcome.kind === 'hold' && outcome.until === null)) return;
    if (outcome.kind === 'retry' && outcome.newToken)
      await inTenant(ctx.db, tenantId, (trx) => dropAccessToken(trx, tenantId, row.mailbox_id));
    throw error;
  }
}

/** Goes on with a look for as long as it takes. */
async function patiently<Found>({ clock }: Pick<DeliverContext, 'clock'>, look: () => Promise<Found>): Promise<Found> {
  while (true) {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof LookPausedError)) throw error;
      await passed(clock, Math.max(0, error.at.getTime() - clock().getTime()));
    }
  }
}

async function readFinished(trx: Database, tenantId: string, deliveryId: string) {
  const row = await trx
    .selectFrom('deliveries')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .leftJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
    .select([
      'deliveries.state',
      'deliveries.mailbox_id',
      'deliveries.account',
      'gmail_message_id',
      'proven_at',
      'from_email',
      'sent_at',
      'tries_from',
      'deliveries.created_at',
    ])
    .select([...draftColumns, 'mailboxes.wanted', 'grants.scopes'])
    .select((eb) =>
      eb
        .selectFrom('attempts')
        .select(({ fn }) => fn.countAll<string>().as('count'))
        .whereRef('attempts.delivery_id', '=', 'deliveries.id')
        .where('via', '=', 'draft')
        .as('draftAttempts'),
    )
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', '=', deliveryId)
    .where('deliveries.state', 'in', ['sent', 'failed', 'cancelled'])
    .executeTakeFirst();
  if (!row) return undefined;
  // The draft that was sent is gone with that; another may have been made before, and its answer lost.
  const mayHaveLeftDrafts = Number(row.draftAttempts) > (row.state === 'sent' ? 1 : 0);
  return {
    ...row,
    drafts: readDrafts(row),
    mayHaveLeftDrafts,
    capabilities: capabilitiesOf(row.scopes ?? [], row.wanted),
  };
}

async function keepProof(
  ctx: DeliverContext,
  tenantId: string,
  deliveryId: string,
  {
    from_email: wanted,
    mailbox_id: mailboxId,
    sent_at,
    tries_from: triesFrom,
  }: NonNullable<Awaited<ReturnType<typeof readFinished>>>,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const [from] = addressparser(headers['from'] ?? '', { flatten: true });
  const used = from?.address?.toLowerCase() ?? null;
  const changed = used !== null && used !== wanted.toLowerCase();
  const now = ctx.clock();
  await inTenant(ctx.db, tenantId, async (trx) => {
    await trx
      .updateTable('deliveries')
      .set({ sent_from: used, sent_message_id: headers['message-id'] ?? null, proven_at: now })
      .$if(changed, (query) => query.set({ from_changed_at: now }))
      .where('tenant_id', '=', tenantId)
      .where('id', '=', deliveryId)
      .execute();
    if (used === null) return;
    const sentAt = sent_at ?? now;
    await concludeFrom(trx, ctx.clock, tenantId, { mailboxId, deliveryId, wanted, used, triesFrom, sentAt });
  });
}
