import { getDraft, listDrafts } from '../../google/drafts.ts';
import { type DraftIds, deliveryHeader, type Of, type Sight } from '../transport.ts';
import type { GmailMailbox } from './context.ts';
import { agree, marginMs, most, onceOnly } from './known-headers.ts';
import { units, worthwhile } from './units.ts';

const header = deliveryHeader.toLowerCase();

/** A draft that carries our header. */
export interface FoundDraft extends DraftIds {
  /** When it was made, or last changed. */
  readonly at: Date;
}

/**
 * Looks for drafts that carry our header: those that were made although we never heard their ids, newest first.
 *
 * @param since nothing older is looked at, where our clock and Google's agree
 * @throws {GoogleError | LookPausedError} as `findInSent`
 */
export function findDraftsOf(
  mailbox: GmailMailbox,
  { account, deliveryId }: Pick<Of, 'account' | 'deliveryId'>,
  since: Date,
): Promise<FoundDraft[]> {
  const { google, token, clock, purse } = mailbox;
  return purse.paying(account, worthwhile, async (pay) => {
    const found: FoundDraft[] = [];
    let page: string | null = null;
    let seen = 0;
    do {
      await pay(units.list);
      const list: Awaited<ReturnType<typeof listDrafts>> = await listDrafts(google, token, page);
      const dated = agree(list.at, clock());
      for (const { id, messageId } of list.drafts) {
        const message = await onceOnly(mailbox, messageId, async () => {
          await pay(units.readHeaders);
          return getDraft(google, token, id);
        });
        if (message?.headers[header] === deliveryId) found.push({ id, messageId: message.id, at: message.at });
        if (dated && message && message.at.getTime() < since.getTime() - marginMs) return found;
      }
      seen += list.drafts.length;
      page = list.next;
    } while (page !== null && seen < most);
    return found;
  });
}

/** How the draft of a delivery stands: the one that is known, else one that carries our header. @throws as {@link findDraftsOf} */
export async function lookAtDraft(
  mailbox: GmailMailbox,
  { draft, foreignDraftIds, account, deliveryId }: Of,
  since: Date,
): Promise<Pick<Sight, 'draft' | 'draftId'>> {
  const found = draft ? [draft] : await findDraftsOf(mailbox, { account, deliveryId }, since);
  const known = found.find(({ id }) => !foreignDraftIds.includes(id));
  const message =
    known &&
    (await mailbox.purse.paying(account, worthwhile, async (pay) => {
      await pay(units.readHeaders);
      return getDraft(mailbox.google, mailbox.token, known.id);
    }));
  if (!known || !message) return { draft: 'gone', draftId: null };
  return { draft: message.id === known.messageId ? 'same' : 'edited', draftId: known.id };
}
