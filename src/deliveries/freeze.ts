import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { storedContent } from '../documents/content.ts';
import { pdfName } from '../documents/format.ts';
import { headSchema } from '../documents/pdf/head.ts';
import type { PdfInput } from '../documents/pdf/input.ts';
import { PdfError } from '../documents/pdf/render.ts';
import type { Database } from '../platform/database.ts';
import { inTurns } from '../platform/turns.ts';
import { inTenant } from '../tenants/scope.ts';
import type { DeliverContext } from './context.ts';
import { moveDelivery } from './state.ts';

/**
 * The PDFs of a run, and of new versions that nobody was there to look at: each is made once, when it is first needed, from
 * the record as it was when the run was started, under the company's head of that moment, whatever became of both since. Whoever asks first (a worker, or somebody who
 * looks) freezes its bytes; whoever comes second keeps the first's.
 */
export interface FrozenFile {
  readonly fileName: string;
  readonly sha256: string;
  readonly bytes: Buffer;
}

/** What to make the PDFs of these deliveries from, by delivery; none for one whose head was not kept. */
export async function readPrintable(
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
): Promise<Map<string, PdfInput>> {
  if (deliveryIds.length === 0) return new Map();
  const rows = await trx
    .selectFrom('deliveries')
    .leftJoin('runs', 'runs.id', 'deliveries.run_id')
    .select(['deliveries.id', 'deliveries.document_snapshot'])
    .select(sql<unknown>`coalesce(deliveries.head, runs.head)`.as('head'))
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
    .where(sql<boolean>`coalesce(deliveries.head, runs.head) is not null`)
    .execute();
  const inputs = new Map<string, PdfInput>();
  for (const { id, document_snapshot, head } of rows) {
    inputs.set(id, { ...headSchema.parse(head), content: await inTurns(storedContent(document_snapshot)) });
  }
  return inputs;
}

/** Makes a PDF, of which nothing is an empty box. @throws {PdfError} */
async function print({ pdf }: Pick<DeliverContext, 'pdf'>, input: PdfInput): Promise<FrozenFile> {
  const [letters = []] = await pdf.missingLetters([input]);
  if (letters.length > 0) throw new PdfError('letters', `No font has these letters: ${letters.slice(0, 12).join(' ')}`);
  const bytes = Buffer.from(await pdf.render(input));
  return {
    fileName: pdfName(input.content, input.company.name),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes,
  };
}

/**
 * Keeps the PDFs of deliveries, by delivery.
 *
 * @returns the deliveries whose PDF it is now; the others have one already, which stays
 */
export async function keepFiles(
  trx: Database,
  tenantId: string,
  files: ReadonlyMap<string, FrozenFile>,
): Promise<Set<string>> {
  if (files.size === 0) return new Set();
  const rows = await trx
    .insertInto('delivery_attachments')
    .values(
      [...files].map(([deliveryId, { fileName, sha256, bytes }]) => ({
        ...{ delivery_id: deliveryId, tenant_id: tenantId },
        ...{ file_name: fileName, media_type: pdfType, sha256, bytes },
      })),
    )
    .onConflict((conflict) => conflict.columns(['delivery_id', 'file_name']).doNothing())
    .returning('delivery_id')
    .execute();
  return new Set(rows.map(({ delivery_id }) => delivery_id));
}

/** The media type of what is kept. */
export const pdfType = 'application/pdf';

/**
 * Makes and keeps the PDF of a delivery for somebody who looks at it.
 *
 * @throws {PdfError}
 */
export async function freezeToLook(
  ctx: Pick<DeliverContext, 'db' | 'pdf'>,
  tenantId: string,
  deliveryId: string,
): Promise<void> {
  const printable = await inTenant(ctx.db, tenantId, (trx) => readPrintable(trx, tenantId, [deliveryId]));
  const input = printable.get(deliveryId);
  if (!input) return;
  const file = await print(ctx, input);
  await inTenant(ctx.db, tenantId, (trx) => keepFiles(trx, tenantId, new Map([[deliveryId, file]])));
}

/**
 * Makes the PDF of a delivery that is about to leave; whoever claims it keeps it. What cannot be made, even at a second
 * try, never can: the delivery fails and says so.
 *
 * @returns null where it failed
 * @throws {PdfError} `closed`, when the program stops: its job runs again
 */
export async function printToSend(
  ctx: DeliverContext,
  tenantId: string,
  { id: deliveryId, toPrint }: { readonly id: string; readonly toPrint: PdfInput | null },
): Promise<FrozenFile | null> {
  if (!toPrint) throw new Error('A document is sent without its file.');
  for (let round = 1; ; round += 1) {
    try {
      return await print(ctx, toPrint);
    } catch (error) {
      if (!(error instanceof PdfError) || error.code === 'closed') throw error;
      if (round === 1 && error.code !== 'letters') continue;
      ctx.log.error({ err: error, tenantId, deliveryId }, 'the PDF of a delivery could not be made');
      const detail =
        error.code === 'letters'
          ? `Its PDF cannot be printed whole, so it was not sent. ${error.message}. Write them in another way and send it again.`
          : 'Its PDF could not be made, so it was not sent. Open the record, look at its PDF and send it again.';
      const move = { from: 'queued', to: 'failed', at: ctx.clock(), detail } as const;
      await inTenant(ctx.db, tenantId, (trx) => moveDelivery(trx, tenantId, deliveryId, move));
      return null;
    }
  }
}
