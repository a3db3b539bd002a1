import { z } from 'zod';
import { type GoogleApp, onceWithin } from './app.ts';
import { askGmail } from './ask.ts';
import { isAnswered } from './errors.ts';
import {
  type AccessToken,
  gmailClient,
  type MessageHeaders,
  readable,
  readHeaders,
  readSent,
  type SentMessage,
  timeAtGoogle,
} from './gmail.ts';

/** A draft as we keep it. Its id stays; the id of its message changes whenever somebody edits it. */
export interface Draft {
  readonly id: string;
  readonly messageId: string;
}

/**
 * Makes a draft: nothing is sent. One request, never repeated.
 *
 * @throws {GoogleError} `lost` when nobody knows whether it is there now
 */
export async function createDraft(app: GoogleApp, token: AccessToken, mime: Buffer, timeoutMs: number): Promise<Draft> {
  const { data } = await askGmail(app, token, () =>
    onceWithin(app, timeoutMs, (options) =>
      gmailClient(app, token).users.drafts.create(
        { userId: 'me', media: { mimeType: 'message/rfc822', body: mime } },
        { rootUrl: app.endpoints.gmailRoot, ...options },
      ),
    ),
  );
  return readDraft(readable(draftShape, data));
}

const draftShape = z.object({ id: z.string().min(1), message: z.object({ id: z.string().min(1) }) });
const draftList = z.object({
  drafts: z.array(draftShape).optional(),
  nextPageToken: z.string().min(1).optional(),
  resultSizeEstimate: z.number(),
});

function readDraft({ id, message }: z.infer<typeof draftShape>): Draft {
  return { id, messageId: message.id };
}

/**
 * Sends a draft: it is gone afterwards, and the sent message has a new id. One request, never repeated.
 *
 * @throws {GoogleError} 404 when the draft is gone; `lost` when nobody knows whether Gmail sent it
 */
export async function sendDraft(
  app: GoogleApp,
  token: AccessToken,
  draftId: string,
  timeoutMs: number,
): Promise<SentMessage> {
  const { data } = await askGmail(app, token, () =>
    onceWithin(app, timeoutMs, (options) =>
      gmailClient(app, token).users.drafts.send({ userId: 'me', requestBody: { id: draftId } }, options),
    ),
  );
  return readSent(data);
}

/** A draft's present message, with all its headers; null when the draft is gone. */
export async function getDraft(app: GoogleApp, token: AccessToken, draftId: string): Promise<MessageHeaders | null> {
  try {
    const { data } = await askGmail(app, token, () =>
      gmailClient(app, token).users.drafts.get(
        { userId: 'me', id: draftId, format: 'metadata' },
        { timeout: app.timeoutMs },
      ),
    );
    return readHeaders(data?.message);
  } catch (error) {
    if (isAnswered(error, 404)) return null;
    throw error;
  }
}

/** A page of the mailbox's drafts, newest first, and what time it is at Google. */
export async function listDrafts(
  app: GoogleApp,
  token: AccessToken,
  pageToken: string | null,
): Promise<{ readonly drafts: readonly Draft[]; readonly next: string | null; readonly at: Date | null }> {
  const { data, headers } = await askGmail(app, token, () =>
    gmailClient(app, token).users.drafts.list(
      { userId: 'me', maxResults: 100, ...(pageToken && { pageToken }) },
      { timeout: app.timeoutMs },
    ),
  );
  const { drafts = [], nextPageToken = null } = readable(draftList, data);
  return { drafts: drafts.map(readDraft), next: nextPageToken, at: timeAtGoogle(headers) };
}

/** Removes a draft for good. One that is gone already is no error. */
export async function deleteDraft(app: GoogleApp, token: AccessToken, draftId: string): Promise<void> {
  try {
    await askGmail(app, token, () =>
      gmailClient(app, token).users.drafts.delete({ userId: 'me', id: draftId }, { timeout: app.timeoutMs }),
    );
  } catch (error) {
    if (!isAnswered(error, 404)) throw error;
  }
}
