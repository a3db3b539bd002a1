import { decodeWords } from './words.ts';

/** One header line: its name as written, its unfolded value, and the exact bytes (latin1) it came from. */
export interface Header {
  name: string;
  value: string;
  source: string;
}

/**
 * Cuts a message or part at its first empty line. `head` keeps its last line break; without an empty line
 * everything is head. Accepts bare LF, as Gmail does.
 */
export function splitMessage(raw: Buffer): { head: Buffer; body: Buffer } {
  if (raw[0] === 0x0a) return { head: raw.subarray(0, 0), body: raw.subarray(1) };
  if (raw[0] === 0x0d && raw[1] === 0x0a) return { head: raw.subarray(0, 0), body: raw.subarray(2) };
  const crlf = raw.indexOf('\r\n\r\n');
  const lf = raw.indexOf('\n\n');
  if (crlf !== -1 && (lf === -1 || crlf < lf)) {
    return { head: raw.subarray(0, crlf + 2), body: raw.subarray(crlf + 4) };
  }
  if (lf !== -1) return { head: raw.subarray(0, lf + 1), body: raw.subarray(lf + 2) };
  return { head: raw, body: Buffer.alloc(0) };
}

/** The headers of a head, in order, unfolded (RFC 5322 2.2.3). Lines that are no header are left out. */
export function parseHeaders(head: Buffer): Header[] {
  const headers: Header[] = [];
  for (const line of head.toString('latin1').split(/\r?\n(?![ \t])/)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim();
    if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name)) continue;
    headers.push({ name, value: unfold(line.slice(colon + 1)), source: line });
  }
  return headers;
}

/** The first header of that name (any case), encoded words decoded; undefined when there is none. */
export function headerValue(headers: readonly Header[], name: string): string | undefined {
  const found = rawHeaderValue(headers, name);
  return found === undefined ? undefined : decodeWords(found);
}

/** The first header of that name (any case) as it stands, encoded words and all. */
export function rawHeaderValue(headers: readonly Header[], name: string): string | undefined {
  return headers.find((header) => header.name.toLowerCase() === name.toLowerCase())?.value;
}

/** A head from header sources, one per line, CRLF. */
export function joinHeaders(sources: readonly string[]): Buffer {
  return Buffer.from(sources.map((source) => `${source.replace(/\r?\n/g, '\r\n')}\r\n`).join(''), 'latin1');
}

/** A value with its parameters: `text/plain; charset=utf-8` gives `text/plain` and {charset}. RFC 2231 names included. */
export function parseParameters(value: string): { value: string; parameters: Map<string, string> } {
  const [first = '', ...rest] = value.match(/(?:"(?:\\.|[^"\\])*"|[^;"])+/g) ?? [];
  const pieces = new Map<string, string>();
  for (const piece of rest) {
    const equals = piece.indexOf('=');
    if (equals === -1) continue;
    pieces.set(piece.slice(0, equals).trim().toLowerCase(), unquote(piece.slice(equals + 1).trim()));
  }
  const parameters = new Map<string, string>();
  for (const key of pieces.keys()) {
    const name = key.replace(/\*.*$/, '');
    if (!parameters.has(name)) parameters.set(name, parameterValue(pieces, name));
  }
  return { value: first.trim().toLowerCase(), parameters };
}

/** RFC 2231: `name*=utf-8''…`, or `name*0*=…; name*1*=…` put together. */
function parameterValue(pieces: Map<string, string>, name: string): string {
  const plain = pieces.get(name);
  const extended = pieces.get(`${name}*`);
  if (extended !== undefined) return decodeExtended(extended);
  let joined = '';
  for (let n = 0; ; n += 1) {
    const piece = pieces.get(`${name}*${n}*`) ?? pieces.get(`${name}*${n}`);
    if (piece === undefined) break;
    joined += piece;
  }
  if (joined !== '') return pieces.has(`${name}*0*`) ? decodeExtended(joined) : joined;
  return decodeWords(plain ?? '');
}

function decodeExtended(value: string): string {
  const match = /^([^']*)'[^']*'(.*)$/s.exec(value);
  const [, charset = 'utf-8', encoded = value] = match ?? [];
  const bytes = Buffer.from(
    encoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  return decodeText(bytes, charset);
}

/** Bytes to text in the named charset; an unknown charset is read as UTF-8. */
export function decodeText(bytes: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset || 'utf-8').decode(bytes);
  } catch {
    return bytes.toString('utf8');
  }
}

function unfold(value: string): string {
  const text = value.replace(/\r?\n(?=[ \t])/g, '').trim();
  // 8-bit headers are UTF-8 in practice (RFC 6532); the head was read byte by byte.
  return Buffer.from(text, 'latin1').toString('utf8');
}

function unquote(value: string): string {
  return value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
}
