import type { GoogleApp } from '../../google/app.ts';
import type { AccessToken, MessageHeaders } from '../../google/gmail.ts';

/** So far back it is looked, in the Sent folder and among drafts; a mailbox with more than that is left to a person. */
export const most = 1_000;
/** Clocks differ: messages that Gmail dates somewhat before our first attempt are looked at as well. */
export const marginMs = 10 * 60_000;

/** Whether Google's clock and ours agree, so that the dates of messages can end a look. */
export function agree(theirs: Date | null, ours: Date): boolean {
  return theirs !== null && Math.abs(theirs.getTime() - ours.getTime()) < marginMs / 2;
}

/**
 * What a message carried never changes, so each is asked for once, however many deliveries are looked for. So it is with
 * drafts: one that is edited has another message.
 */
const known = new Map<string, MessageHeaders>();
const mostKnown = 5_000;

/** The headers of a message: those that are known, else those that `ask` brings. */
export async function onceOnly<T extends MessageHeaders | null>(
  { google, token: { token } }: { readonly google: GoogleApp; readonly token: AccessToken },
  messageId: string,
  ask: () => Promise<T>,
): Promise<MessageHeaders | T> {
  const key = `${google.endpoints.gmailRoot} ${token} ${messageId}`;
  const cached = known.get(key);
  if (cached) return cached;
  const message = await ask();
  if (known.size >= mostKnown) known.clear();
  if (message) known.set(key, message);
  return message;
}
