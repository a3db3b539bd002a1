import type { KnownDrafts } from '../transport.ts';
import type { FoundDraft } from './find-drafts.ts';

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
