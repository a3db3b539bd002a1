import { gmail, type gmail_v1 } from 'googleapis/build/src/apis/gmail/index.js';
import { z } from 'zod';
import { type GoogleApp, oauthClient, onceWithin } from './app.ts';
import { askGmail } from './ask.ts';
import { GoogleError } from './errors.ts';

/** A token that is good for one mailbox, and until when. */
export interface AccessToken {
  readonly token: string;
  readonly expiresAt: Date;
  /** It was given to a service account, of whatever project: what Google says of its project is not about ours. */
  readonly foreign?: true;
}

/** Gmail's answer to a send. Ids are local to the mailbox. */
export interface SentMessage {
  readonly id: string;
  readonly threadId: string;
}

/** What Gmail tells of a message or draft without its body. */
export interface MessageHeaders {
  readonly id: string;
  readonly threadId: string;
  /** When Gmail took it in; the Date header is the sender's word. */
  readonly at: Date;
  readonly labels: readonly string[];
  /** The headers that were asked for and are there, by name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One entry of Gmail's *Send mail as*. */
export interface SendAsEntry {
  readonly email: string;
  readonly displayName: string;
  readonly replyTo: string | null;
  readonly isPrimary: boolean;
  /** As Gmail wrote it (`accepted`, `pending`), null where it wrote none: the primary, and some Workspace aliases. */
  readonly verificationStatus: string | null;
}

/**
 * Sends a message: one request, never repeated, whatever happens. Media upload, because the JSON
 * endpoint refuses bodies of a few megabytes.
 *
 * @param mime the whole message, Bcc included (Gmail routes by it and then removes it)
 * @param timeoutMs for the whole exchange, by the app's clock
 * @throws {GoogleError} `lost` when nobody knows whether Gmail took it
 */
export async function sendMessage(
  app: GoogleApp,
  token: AccessToken,
  mime: Buffer,
  timeoutMs: number,
): Promise<SentMessage> {
  const { data } = await askGmail(app, token, () =>
    onceWithin(app, timeoutMs, (options) =>
      gmailClient(app, token).users.messages.send(
        { userId: 'me', media: { mimeType: 'message/rfc822', body: mime } },
        // rootUrl again: the client's own does not cover media uploads.
        { rootUrl: app.endpoints.gmailRoot, ...options },
      ),
    ),
  );
  return readSent(data);
}

/**
 * Reads Gmail's answer to a send, of a message or a draft.
 *
 * @throws {GoogleError} `lost`: Gmail said 2xx, so it may well have sent; without an id we cannot say which message it was
 */
export function readSent(data: unknown): SentMessage {
  return readable(sentMessage, data);
}

const sentMessage = z.object({ id: z.string().min(1), threadId: z.string().min(1) });

/** A page of a mailbox's sent messages. */
export interface SentPage {
  readonly ids: readonly string[];
  readonly next: string | null;
  /** What time it is at Google; null where the answer did not say. */
  readonly at: Date | null;
}

/**
 * A page of the mailbox's sent messages, newest first: ids only. Immediately consistent, unlike a search with `q`. With
 * those that somebody moved to the trash since: they were sent all the same.
 */
export async function listSent(app: GoogleApp, token: AccessToken, pageToken: string | null): Promise<SentPage> {
  const { data, headers } = await askGmail(app, token, () =>
    gmailClient(app, token).users.messages.list(
      { userId: 'me', labelIds: ['SENT'], includeSpamTrash: true, maxResults: 100, ...(pageToken && { pageToken }) },
      { timeout: app.timeoutMs },
    ),
  );
  const { messages = [], nextPageToken = null } = readable(sentList, data);
  return { ids: messages.map(({ id }) => id), next: nextPageToken, at: timeAtGoogle(headers) };
}

/** The time that an answer of Google carries (RFC 9110, 6.6.1), to the second; null where it carries none. */
export function timeAtGoogle(headers: unknown): Date | null {
  const at = new Date(isHeaders(headers) ? String(headers.get('date')) : '');
  return Number.isNaN(at.getTime()) ? null : at;
}

/** By what it can do: the library brings a Headers of its own, which is no instance of Node's. */
function isHeaders(headers: unknown): headers is { get(name: string): unknown } {
  return typeof headers === 'object' && headers !== null && 'get' in headers && typeof headers.get === 'function';
}

// An empty list carries its estimate all the same; what has neither is no list.
const sentList = z.object({
  messages: z.array(z.object({ id: z.string().min(1) })).optional(),
  nextPageToken: z.string().min(1).optional(),
  resultSizeEstimate: z.number(),
});

/**
 * Checks that an answer is what was asked for. The library hands over whatever text came with a 200: taken as an empty
 * list or a message without headers, it would say that nothing was sent.
 *
 * @throws {GoogleError} `lost` where it is not
 */
export function readable<T>(shape: z.ZodType<T>, data: unknown): T {
  const read = shape.safeParse(data);
  if (!read.success)
    throw new GoogleError({ kind: 'lost', code: 'UNREADABLE', message: 'Gmail’s answer could not be read.' });
  return read.data;
}

/**
 * Some headers of one message.
 *
 * @throws {GoogleError} 404 when it is not there any more
 */
export async function getHeaders(
  app: GoogleApp,
  token: AccessToken,
  id: string,
  names: readonly string[],
): Promise<MessageHeaders> {
  const { data } = await askGmail(app, token, () =>
    gmailClient(app, token).users.messages.get(
      { userId: 'me', id, format: 'metadata', metadataHeaders: [...names] },
      { timeout: app.timeoutMs },
    ),
  );
  return readHeaders(data);
}

/**
 * Reads a message in Gmail's own form.
 *
 * @throws {GoogleError} `lost` where it is none
 */
export function readHeaders(data: unknown): MessageHeaders {
  const { id, threadId, internalDate, labelIds = [], payload } = readable(messageShape, data);
  const headers = (payload?.headers ?? []).map(({ name, value }) => [name.toLowerCase(), value] as const);
  return {
    ...{ id, threadId, at: new Date(Number(internalDate)), labels: labelIds },
    headers: Object.fromEntries(headers),
  };
}

const messageShape = z.object({
  id: z.string().min(1),
  threadId: z.string().min(1),
  internalDate: z.string().regex(/^\d+$/),
  labelIds: z.array(z.string()).optional(),
  payload: z
    .object({ headers: z.array(z.object({ name: z.string(), value: z.string().default('') })).optional() })
    .optional(),
});

/**
 * The addresses this mailbox may put on the From line, primary first.
 *
 * @throws {GoogleError} `insufficientPermissions` without the permission `gmail.settings.basic`
 */
export async function listSendAs(app: GoogleApp, token: AccessToken): Promise<SendAsEntry[]> {
  const { data } = await askGmail(app, token, () =>
    gmailClient(app, token).users.settings.sendAs.list({ userId: 'me' }, { timeout: app.timeoutMs }),
  );
  return (data.sendAs ?? [])
    .map(readEntry)
    .filter((entry) => entry.email !== '')
    .sort((a, b) => Number(b.isPrimary) - Number(a.isPrimary) || a.email.localeCompare(b.email));
}

function readEntry(entry: gmail_v1.Schema$SendAs): SendAsEntry {
  return {
    email: (entry.sendAsEmail ?? '').toLowerCase(),
    displayName: entry.displayName ?? '',
    replyTo: entry.replyToAddress || null,
    isPrimary: entry.isPrimary ?? false,
    verificationStatus: entry.verificationStatus ?? null,
  };
}

/** The library's client for one mailbox. */
export function gmailClient(app: GoogleApp, { token }: AccessToken): gmail_v1.Gmail {
  const auth = oauthClient(app);
  // With an expiry ahead and no refresh token the library neither refreshes by itself nor repeats a POST after a 401.
  // Whether the token is still good is decided before, by our own clock.
  auth.setCredentials({ access_token: token, expiry_date: Date.now() + 3_600_000 });
  return gmail({ version: 'v1', auth, rootUrl: app.endpoints.gmailRoot });
}
