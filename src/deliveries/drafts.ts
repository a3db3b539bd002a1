import { type Selectable, sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { Deliveries } from '../platform/database-types.ts';
import type { DraftIds, KnownDrafts } from '../transport/transport.ts';

/** Where a delivery keeps which drafts of it there are. */
export const draftColumns = [
  'deliveries.draft_id',
  'deliveries.draft_message_id',
  'deliveries.foreign_draft_ids',
] as const;

/** Reads that. */
export function readDrafts({
  draft_id: id,
  draft_message_id: messageId,
  foreign_draft_ids: foreignDraftIds,
}: Pick<Selectable<Deliveries>, 'draft_id' | 'draft_message_id' | 'foreign_draft_ids'>): KnownDrafts {
  return { draft: id !== null && messageId !== null ? { id, messageId } : null, foreignDraftIds };
}

/**
 * Until when attempts can have made a draft.
 *
 * @param before only attempts before this one
 */
export async function draftsMadeUntil(
  { settleMs }: { readonly settleMs: number },
  trx: Database,
  tenantId: string,
  deliveryId: string,
  before?: number,
): Promise<Date> {
  const { deadline } = await trx
    .selectFrom('attempts')
    .select(({ fn }) => fn.max('deadline').as('deadline'))
    .where('tenant_id', '=', tenantId)
    .where('delivery_id', '=', deliveryId)
    .where('via', '=', 'draft')
    .$if(before !== undefined, (query) => query.where('number', '<', before ?? 0))
    .executeTakeFirstOrThrow();
  return new Date((deadline?.getTime() ?? 0) + settleMs);
}

/** Keeps which draft a delivery goes by. From then on that draft tells whether it was sent. */
export function keepDraft(trx: Database, tenantId: string, deliveryId: string, draft: DraftIds): Promise<void> {
  return write(trx, tenantId, deliveryId, { draft_id: draft.id, draft_message_id: draft.messageId });
}

/** The draft is gone from Gmail: another try makes another one. */
export function forgetDraft(trx: Database, tenantId: string, deliveryId: string): Promise<void> {
  return write(trx, tenantId, deliveryId, noDraft);
}

/**
 * Somebody changed a draft, so it is theirs: it is neither sent nor removed by us. Its id is kept, so that it is never
 * taken for ours again.
 */
export function disownDraft(trx: Database, tenantId: string, deliveryId: string, draftId: string): Promise<void> {
  const foreign_draft_ids = sql<string[]>`array_append(foreign_draft_ids, ${draftId})`;
  return write(trx, tenantId, deliveryId, { ...noDraft, foreign_draft_ids });
}

const noDraft = { draft_id: null, draft_message_id: null };

async function write(
  trx: Database,
  tenantId: string,
  deliveryId: string,
  set: {
    draft_id: string | null;
    draft_message_id: string | null;
    foreign_draft_ids?: ReturnType<typeof sql<string[]>>;
  },
): Promise<void> {
  await trx.updateTable('deliveries').set(set).where('tenant_id', '=', tenantId).where('id', '=', deliveryId).execute();
}
