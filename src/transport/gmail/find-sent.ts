import { isAnswered } from '../../google/errors.ts';
import { getHeaders, listSent, type MessageHeaders, type SentPage } from '../../google/gmail.ts';
import { deliveryHeader, type Of, type Pay, type Sight, type Since } from '../transport.ts';
import type { GmailMailbox } from './context.ts';
import { agree, marginMs, most, onceOnly } from './known-headers.ts';
import { units, worthwhile } from './units.ts';

const header = deliveryHeader.toLowerCase();

/**
 * Looks through the mailbox's sent messages for the one that carries our header, newest first, back to what was sent
 * before the first attempt. The list of SENT is immediately consistent; a search is not (docs/google.md, B).
 *
 * Where nothing is known to have been sent before, the look ends at messages that Gmail dates before the first attempt:
 * but only if our clock and Google's agree. A clock that was wrong would end it too early, and what was sent would
 * seem not to be. One request after the other, so that a mailbox has no more in flight than it has deliveries in hand.
 *
 * @returns `unseen`: there was too much to look through. `absent`: all since then was looked at, so it is not there
 * @throws {GoogleError} when Gmail could not be asked, or does not let us
 * @throws {LookPausedError} when the account's rate is used up: what was read is remembered
 */
export async function findInSent(
  mailbox: GmailMailbox,
  { account, deliveryId }: Pick<Of, 'account' | 'deliveryId'>,
  since: Since,
): Promise<Pick<Sight, 'inSent' | 'sent'>> {
  const { google, token, clock, purse } = mailbox;
  const sentBefore = await since.sentBefore();
  return purse.paying(account, worthwhile, async (pay) => {
    let page: string | null = null;
    let seen = 0;
    do {
      await pay(units.list);
      const list: SentPage = await listSent(google, token, page);
      const dated = sentBefore.size === 0 && agree(list.at, clock());
      for (const id of list.ids) {
        const message = await headersOf(mailbox, id, pay);
        if (message?.headers[header] === deliveryId)
          return { inSent: 'found', sent: { messageId: message.id, threadId: message.threadId } };
        const tooOld = dated && message && message.at.getTime() < since.at.getTime() - marginMs;
        if (tooOld || sentBefore.has(id)) return { inSent: 'absent', sent: null };
      }
      seen += list.ids.length;
      page = list.next;
    } while (page !== null && seen < most);
    return { inSent: page === null ? 'absent' : 'unseen', sent: null };
  });
}

async function headersOf(mailbox: GmailMailbox, id: string, pay: Pay): Promise<MessageHeaders | null> {
  try {
    return await onceOnly(mailbox, id, async () => {
      await pay(units.readHeaders);
      return getHeaders(mailbox.google, mailbox.token, id, [deliveryHeader]);
    });
  } catch (error) {
    // Deleted for good since the list was made: nothing that carries our header can be known of it.
    if (isAnswered(error, 404)) return null;
    throw error;
  }
}
