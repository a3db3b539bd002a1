import { createHash } from 'node:crypto';
import { documentContentSchema } from '../documents/document.ts';
import { pdfName } from '../documents/format.ts';
import { headSchema } from '../documents/pdf/head.ts';
import { PdfError } from '../documents/pdf/render.ts';
import { inTenant } from '../tenants/scope.ts';
import type { DeliverContext } from './context.ts';
import { moveDelivery } from './state.ts';

type FreezeContext = Pick<DeliverContext, 'db' | 'pdf'>;

/**
 * Makes the PDF of a run's delivery, once: from the record as it was when the run was started, under the company's head
 * of that moment, whatever became of both since. Whoever asks first (a worker, or somebody who looks) freezes its bytes;
 * whoever comes second keeps the first's.
 *
 * @returns false where there is nothing to make it from
 * @throws {PdfError}
 */
export async function freezePdf({ db, pdf }: FreezeContext, tenantId: string, deliveryId: string): Promise<boolean> {
  const row = await inTenant(db, tenantId, (trx) =>
    trx
      .selectFrom('deliveries')
      .innerJoin('runs', 'runs.id', 'deliveries.run_id')
      .select(['deliveries.document_snapshot', 'runs.head'])
      .where('deliveries.tenant_id', '=', tenantId)
      .where('deliveries.id', '=', deliveryId)
      .executeTakeFirst(),
  );
  if (!row) return false;
  const content = documentContentSchema.parse(row.document_snapshot);
  const bytes = Buffer.from(await pdf.render({ ...headSchema.parse(row.head), content }));
  const file = {
    file_name: pdfName(content),
    media_type: 'application/pdf',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes,
  };
  await inTenant(db, tenantId, (trx) =>
    trx
      .insertInto('delivery_attachments')
      .values({ delivery_id: deliveryId, tenant_id: tenantId, ...file })
      .onConflict((conflict) => conflict.columns(['delivery_id', 'file_name']).doNothing())
      .execute(),
  );
  return true;
}

/**
 * The same for a worker. What cannot be made, even at a second try, never can: the delivery fails and says so.
 *
 * @returns whether the PDF is there now
 * @throws {PdfError} `closed`, when the program stops: its job runs again
 */
export async function freezeOrFail(ctx: DeliverContext, tenantId: string, deliveryId: string): Promise<boolean> {
  for (let round = 1; ; round += 1) {
    try {
      if (await freezePdf(ctx, tenantId, deliveryId)) return true;
      throw new Error('A document is sent without its file.');
    } catch (error) {
      if (!(error instanceof PdfError) || error.code === 'closed') throw error;
      if (round === 1) continue;
      ctx.log.error({ err: error, tenantId, deliveryId }, 'the PDF of a delivery could not be made');
      const detail =
        'Its PDF could not be made, so it was not sent. Open the record, look at its PDF and send it again.';
      const move = { from: 'queued', to: 'failed', at: ctx.clock(), detail } as const;
      await inTenant(ctx.db, tenantId, (trx) => moveDelivery(trx, tenantId, deliveryId, move));
      return false;
    }
  }
}
