import type { GoogleApp } from '../google/app.ts';
import { type Draft, getDraft, listDrafts } from '../google/drafts.ts';
import { GoogleError } from '../google/errors.ts';
import { type AccessToken, getHeaders, listSent, type MessageHeaders, type SentMessage } from '../google/gmail.ts';
import { deliveryHeader } from './compose.ts';

/** What to look for, and with what. */
export interface Look {
  readonly google: GoogleApp;
  readonly token: AccessToken;
  readonly deliveryId: string;
}

/** Clocks differ: messages that Gmail dates somewhat before our first attempt are looked at as well. */
const marginMs = 10 * 60_000;
/** So far back it is looked; a mailbox that sent more since then is left to a person. */
const most = 1_000;
const header = deliveryHeader.toLowerCase();

/** What a look into the Sent folder brought. `found` null and not `all`: there was too much to look through. */
export interface SentLook {
  readonly found: SentMessage | null;
  /** Everything since the moment was looked at, so that what was not found is not there. */
  readonly all: boolean;
}

/**
 * Looks through the mailbox's sent messages for the one that carries our header, newest first, back to a moment. The
 * list of SENT is immediately consistent; a search is not (google.md, B).
 *
 * @param since the first attempt, by our clock
 * @throws {GoogleError} when Gmail could not be asked, or does not let us
 */
export async function findInSent({ google, token, deliveryId }: Look, since: Date): Promise<SentLook> {
  let page: string | null = null;
  let seen = 0;
  do {
    const list: Awaited<ReturnType<typeof listSent>> = await listSent(google, token, page);
    for (let start = 0; start < list.ids.length; start += 5) {
      const messages = await Promise.all(list.ids.slice(start, start + 5).map((id) => headersOf(google, token, id)));
      for (const message of messages) {
        if (message?.headers[header] === deliveryId)
          return { found: { id: message.id, threadId: message.threadId }, all: true };
        if (message && message.at.getTime() < since.getTime() - marginMs) return { found: null, all: true };
      }
    }
    seen += list.ids.length;
    page = list.next;
  } while (page !== null && seen < most);
  return { found: null, all: page === null };
}

/** What a message carried never changes, so each is asked for once, however many deliveries are looked for. */
const known = new Map<string, MessageHeaders>();
const mostKnown = 5_000;

async function headersOf(google: GoogleApp, token: AccessToken, id: string): Promise<MessageHeaders | null> {
  const key = `${google.endpoints.gmailRoot} ${token.token} ${id}`;
  const cached = known.get(key);
  if (cached) return cached;
  try {
    const message = await getHeaders(google, token, id, [deliveryHeader]);
    if (known.size >= mostKnown) known.clear();
    known.set(key, message);
    return message;
  } catch (error) {
    // Deleted for good since the list was made: nothing that carries our header can be known of it.
    if (error instanceof GoogleError && error.failure.kind === 'answered' && error.failure.status === 404) return null;
    throw error;
  }
}

/** Looks for a draft that carries our header: one that was made although we never heard its id. */
export async function findDraftOf({ google, token, deliveryId }: Look, since: Date): Promise<Draft | null> {
  let page: string | null = null;
  let seen = 0;
  do {
    const list: Awaited<ReturnType<typeof listDrafts>> = await listDrafts(google, token, page);
    for (const draft of list.drafts) {
      const message = await getDraft(google, token, draft.id);
      if (message?.headers[header] === deliveryId) return { id: draft.id, messageId: message.id };
      if (message && message.at.getTime() < since.getTime() - marginMs) return null;
    }
    seen += list.drafts.length;
    page = list.next;
  } while (page !== null && seen < most);
  return null;
}
