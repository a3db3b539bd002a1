import { createDelivery } from '../deliveries/create.ts';
import { assertWithinCap } from '../deliveries/recipient-cap.ts';
import { pdfName } from '../documents/format.ts';
import { getDocument } from '../documents/store.ts';
import { fittingName } from '../platform/address.ts';
import { inTenant } from '../tenants/scope.ts';
import { getTenant } from '../tenants/tenants.ts';
import type { WebContext } from './context.ts';
import { recordPdf } from './record-pdf.ts';
import type { RunForm } from './run-form.ts';
import { previewAlone } from './run-review.ts';
import { byRecentLists, refusalOf } from './send-as.ts';
import type { Viewer } from './viewer.ts';

/** Where the sample is to be seen, or a sentence that says why nothing was sent. */
export type SampleResult = { readonly deliveryId: string; readonly email: string } | { readonly problem: string };

/**
 * Sends the email of a run that the page previews to whoever looks at the page, exactly as its customer would get it but
 * for the address. It is a test email: the record counts as sent no more than before.
 *
 * @throws {PageError} where its PDF cannot be made
 * @throws {RecipientCapError} where the company sent as much as it may today
 */
export async function sendSample(ctx: WebContext, viewer: Viewer, form: RunForm): Promise<SampleResult> {
  const { tenantId, memberId, name, email } = viewer;
  const { preview, tenant, record } = await inTenant(ctx.db, tenantId, async (trx) => {
    const preview = await previewAlone(trx, ctx, viewer, form);
    const record = preview.record && (await getDocument(trx, tenantId, preview.record.id));
    return { preview, record, tenant: await getTenant(trx, tenantId) };
  });
  const [wrong] = preview.problems;
  if (wrong) return { problem: wrong.message };
  if (!record || preview.judgement?.kind !== 'ready')
    return { problem: 'The record in the preview would be left out. Preview another one.' };
  const { subject, message } = preview.judgement;
  const request = {
    ...{ tenantId, memberId, idempotencyKey: form.sampleKey, subject, message, document: null },
    recipients: { to: [{ name: fittingName(name, email), email }], cc: [], bcc: [] },
    sample: { kind: record.kind, fileName: pdfName(record, tenant.name), pdf: await recordPdf(ctx, tenant, record) },
  };
  const act = () =>
    inTenant(ctx.db, tenantId, async (trx) => {
      const result = await createDelivery(trx, ctx.clock, request);
      if (result.kind === 'created' && !result.repeated)
        await assertWithinCap(trx, tenantId, ctx.recipientsPerDay, ctx.clock());
      return result;
    });
  const result = await byRecentLists(ctx, viewer, act, refusalOf);
  if (result.kind === 'refused') return { problem: `${result.resolution.because} ${result.resolution.fix}` };
  if (result.kind !== 'created') return { problem: 'Press the button once more.' };
  return { deliveryId: result.deliveryId, email };
}
