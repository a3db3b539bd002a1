import { storedContent } from '../documents/content.ts';
import { headOf } from '../documents/pdf/head.ts';
import { getDocument } from '../documents/store.ts';
import { totalsOf } from '../documents/totals.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { inTurns } from '../platform/turns.ts';
import { getTenant } from '../tenants/tenants.ts';
import { recordsNow } from './record-now.ts';
import { replace } from './revise.ts';

/**
 * Puts an email with the record as it is now in the place of one that has just come back to the queue, because somebody
 * said so a while ago. Its paper is made when it leaves. Where the record says what it said, the email leaves as it is.
 *
 * @param memberId who said so
 */
export async function reviseByItself(
  trx: Database,
  clock: Clock,
  tenantId: string,
  deliveryId: string,
  memberId: string | undefined,
): Promise<void> {
  const old = await trx
    .selectFrom('deliveries')
    .select(['id', 'recipients', 'subject', 'message', 'member_id as memberId'])
    .select(['document_id as documentId', 'document_snapshot as snapshot'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', deliveryId)
    .where('state', '=', 'queued')
    .executeTakeFirst();
  const record = old?.documentId ? await getDocument(trx, tenantId, old.documentId) : undefined;
  const isChanged = (await recordsNow(trx, tenantId, [deliveryId])).get(deliveryId)?.isChanged ?? false;
  if (!old || !record || old.snapshot === null || !isChanged) return;
  const content = await inTurns(storedContent(old.snapshot));
  const before = { ...record, content, payable: (await inTurns(totalsOf(content))).payable };
  const head = headOf(await getTenant(trx, tenantId));
  const by = { at: clock(), memberId: memberId ?? old.memberId };
  await replace(trx, tenantId, { ...old, state: 'queued' }, { before, record, head }, by);
}
