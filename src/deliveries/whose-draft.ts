import type { Selectable } from 'kysely';
import type { Draft } from '../google/drafts.ts';
import type { Database } from '../platform/database.ts';
import type { Deliveries } from '../platform/database-types.ts';
import type { FoundDraft } from './find-in-gmail.ts';

/** What is known of a delivery's drafts in Gmail. */
export interface KnownDrafts {
  /** The one that it goes by, as we made it. */
  readonly draft: Draft | null;
  /** Those that somebody changed. */
  readonly foreignDraftIds: readonly string[];
}

/** Where that stands. */
export const draftColumns = [
  'deliveries.draft_id',
  'deliveries.draft_message_id',
  'deliveries.foreign_draft_ids',
] as const;

/** Reads it. */
export function readDrafts({
  draft_id: id,
  draft_message_id: messageId,
  foreign_draft_ids: foreignDraftIds,
}: Pick<Selectable<Deliveries>, 'draft_id' | 'draft_message_id' | 'foreign_draft_ids'>): KnownDrafts {
  return { draft: id !== null && messageId !== null ? { id, messageId } : null, foreignDraftIds };
}

/**
 * Whose a draft is that carries our header. Pure.
 *
 * - `ours`: as we made it
 * - `changed`: somebody changed it since, so it is theirs from now on
 * - `theirs`: that was found before
 *
 * @param madeUntil until when we can have made one whose id we never heard; what was touched after that was by others
 */
export function whoseDraft(
  { id, messageId, at }: FoundDraft,
  { draft, foreignDraftIds }: KnownDrafts,
  madeUntil: Date,
): 'ours' | 'changed' | 'theirs' {
  if (foreignDraftIds.includes(id)) return 'theirs';
  const asWeMadeIt = draft?.id === id ? draft.messageId === messageId : at <= madeUntil;
  return asWeMadeIt ? 'ours' : 'changed';
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
