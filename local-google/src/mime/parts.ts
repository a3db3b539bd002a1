import {
  decodeText,
  type Header,
  headerValue,
  parseHeaders,
  parseParameters,
  rawHeaderValue,
  splitMessage,
} from './headers.ts';

/** One part of a message, numbered as the Gmail API does: '' for the whole, then '0', '1', '1.0' … */
export interface Part {
  partId: string;
  headers: Header[];
  mimeType: string;
  charset: string;
  filename: string;
  disposition: string;
  contentId: string;
  /** Decoded from its transfer encoding; empty for a multipart. */
  content: Buffer;
  parts: Part[];
}

/** The tree of a MIME message. Broken structure never throws: what cannot be split is one part. */
export function parseMessage(raw: Buffer): Part {
  return parsePart(raw, '', 'text/plain', 0);
}

/** Every part of the tree, the whole first. */
export function allParts(part: Part): Part[] {
  return [part, ...part.parts.flatMap(allParts)];
}

/** The text of a text part, in its own charset. */
export function partText(part: Part): string {
  return decodeText(part.content, part.charset);
}

function parsePart(raw: Buffer, partId: string, fallbackType: string, depth: number): Part {
  const { head, body } = splitMessage(raw);
  const headers = parseHeaders(head);
  const type = parseParameters(rawHeaderValue(headers, 'Content-Type') ?? fallbackType);
  const disposition = parseParameters(rawHeaderValue(headers, 'Content-Disposition') ?? '');
  const mimeType = /^[^\s/]+\/[^\s/]+$/.test(type.value) ? type.value : fallbackType;
  const boundary = type.parameters.get('boundary');
  const split = mimeType.startsWith('multipart/') && boundary && depth < 20 ? splitParts(body, boundary) : [];
  const childType = mimeType === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
  const prefix = partId === '' ? '' : `${partId}.`;
  return {
    partId,
    headers,
    mimeType,
    charset: type.parameters.get('charset') ?? 'utf-8',
    filename: disposition.parameters.get('filename') ?? type.parameters.get('name') ?? '',
    disposition: disposition.value,
    contentId: (headerValue(headers, 'Content-ID') ?? '').replace(/^<|>$/g, ''),
    content:
      split.length > 0 ? Buffer.alloc(0) : decodeTransfer(body, rawHeaderValue(headers, 'Content-Transfer-Encoding')),
    parts: split.map((child, index) => parsePart(child, `${prefix}${index}`, childType, depth + 1)),
  };
}

/** The bodies between the delimiter lines of a multipart (RFC 2046 5.1). */
function splitParts(body: Buffer, boundary: string): Buffer[] {
  const text = body.toString('latin1');
  const delimiter = `--${boundary}`;
  const parts: Buffer[] = [];
  let start = -1;
  let at = text.startsWith(delimiter) ? 0 : nextDelimiter(text, delimiter, 0);
  while (at !== -1) {
    if (start !== -1) parts.push(body.subarray(start, beforeLineBreak(text, at)));
    const lineEnd = text.indexOf('\n', at);
    if (text.startsWith('--', at + delimiter.length) || lineEnd === -1) return parts;
    start = lineEnd + 1;
    at = nextDelimiter(text, delimiter, lineEnd);
  }
  if (start !== -1) parts.push(body.subarray(start));
  return parts;
}

function nextDelimiter(text: string, delimiter: string, from: number): number {
  for (let at = text.indexOf(`\n${delimiter}`, from); at !== -1; at = text.indexOf(`\n${delimiter}`, at + 1)) {
    const after = text.slice(at + 1 + delimiter.length, at + 3 + delimiter.length);
    if (after === '--' || /^[ \t]*(?:\r?\n|\r$|$)/.test(after)) return at + 1;
  }
  return -1;
}

function beforeLineBreak(text: string, at: number): number {
  return text.charAt(at - 2) === '\r' ? at - 2 : at - 1;
}

function decodeTransfer(body: Buffer, encoding: string | undefined): Buffer {
  switch (encoding?.toLowerCase()) {
    case 'base64':
      return Buffer.from(body.toString('latin1'), 'base64');
    case 'quoted-printable':
      return Buffer.from(
        body
          .toString('latin1')
          .replace(/=[ \t]*\r?\n/g, '')
          .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
        'latin1',
      );
    default:
      return body;
  }
}
