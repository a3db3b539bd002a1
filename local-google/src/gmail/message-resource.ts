import { randomBytes } from 'node:crypto';
import { type Message, partsOf, rawOf } from '../mailboxes.ts';
import type { Header } from '../mime/headers.ts';
import { allParts, type Part, parseMessage, partText } from '../mime/parts.ts';
import { decodeWords } from '../mime/words.ts';

/** The formats of messages.get. */
export type Format = 'minimal' | 'full' | 'raw' | 'metadata';

/** A users.messages resource; `wanted` limits the headers of the metadata format (any case). */
export function messageResource(message: Message, format: Format, wanted: readonly string[]): Record<string, unknown> {
  const { id, threadId, labels, at, historyId } = message;
  const common = {
    id,
    threadId,
    labelIds: labels,
    snippet: snippetFor(message),
    sizeEstimate: message.size,
    historyId: String(historyId),
    internalDate: String(Math.floor(at)),
  };
  switch (format) {
    case 'minimal':
      return common;
    case 'raw':
      return { ...common, raw: padded(rawOf(message)) };
    case 'metadata': {
      const names = new Set(wanted.map((name) => name.toLowerCase()));
      const { mimeType, headers } = parseMessage(message.head);
      const shown = headers.filter(({ name }) => names.size === 0 || names.has(name.toLowerCase()));
      return { ...common, payload: { mimeType, headers: shown.map(headerResource) } };
    }
    case 'full':
      return { ...common, payload: partResource(partsOf(message), true) };
    default:
      return format satisfies never;
  }
}

const snippets = new WeakMap<Message, string>();

/** Worked out once: lists and gets ask for it again and again, and it takes the whole message apart. */
export function snippetFor(message: Message): string {
  const known = snippets.get(message);
  if (known !== undefined) return known;
  const snippet = snippetOf(partsOf(message));
  snippets.set(message, snippet);
  return snippet;
}

/** The content behind an attachment id; undefined when the message has no such part. */
export function attachmentOf(message: Message, attachmentId: string): Buffer | undefined {
  const partId = Buffer.from(attachmentId, 'base64url').toString('latin1').split('|')[1];
  return allParts(partsOf(message)).find((part) => part.partId === partId && part.parts.length === 0)?.content;
}

/** base64url with its padding, as Google writes bytes. */
export function padded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** The first words of a message, for lists. */
export function snippetOf(whole: Part): string {
  const parts = allParts(whole).filter((part) => part.filename === '' && part.parts.length === 0);
  const plain = parts.find((part) => part.mimeType === 'text/plain');
  const rich = parts.find((part) => part.mimeType === 'text/html');
  const text = plain ? partText(plain) : rich ? partText(rich).replace(/<style.*?<\/style>|<[^>]*>/gis, ' ') : '';
  return text.replace(/\s+/g, ' ').trim().slice(0, 200);
}

function partResource(part: Part, whole: boolean): Record<string, unknown> {
  const attached = part.filename !== '' || (part.parts.length === 0 && !part.mimeType.startsWith('text/') && !whole);
  return {
    partId: part.partId,
    mimeType: part.mimeType,
    filename: part.filename,
    headers: part.headers.map(headerResource),
    body: {
      ...(attached ? { attachmentId: newAttachmentId(part.partId) } : {}),
      size: part.content.length,
      ...(!attached && part.content.length > 0 ? { data: padded(part.content) } : {}),
    },
    ...(part.parts.length > 0 ? { parts: part.parts.map((child) => partResource(child, false)) } : {}),
  };
}

function headerResource({ name, value }: Header): { name: string; value: string } {
  return { name, value: decodeWords(value) };
}

/** Different at every get, as Google's are: whoever stores one loses the attachment (docs/google.md, E). */
function newAttachmentId(partId: string): string {
  return Buffer.from(`${randomBytes(24).toString('hex')}|${partId}`).toString('base64url');
}
