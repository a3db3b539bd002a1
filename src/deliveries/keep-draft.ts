import { sql } from 'kysely';
import type { Draft } from '../google/drafts.ts';
import type { Database } from '../platform/database.ts';

/** Keeps which draft a delivery goes by. From then on that draft tells whether it was sent. */
export function keepDraft(trx: Database, tenantId: string, deliveryId: string, draft: Draft): Promise<void> {
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
