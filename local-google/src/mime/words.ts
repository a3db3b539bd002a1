const WORD = /=\?([^?*]+)(?:\*[^?]*)?\?([bq])\?([^?]*)\?=/gi;

/** Decodes the encoded words of a header value (RFC 2047); white space between two words disappears. */
export function decodeWords(value: string): string {
  if (!value.includes('=?')) return value;
  const joined = value.replace(/(\?=)\s+(?==\?[^?]+\?[bq]\?)/gi, '$1');
  // Neighbouring words of one charset are decoded together: builders may cut inside a character.
  return joined.replace(new RegExp(`(?:${WORD.source})+`, 'gi'), (run) => {
    let text = '';
    let bytes: Buffer[] = [];
    let charset = '';
    for (const [, wordCharset = '', encoding = '', payload = ''] of run.matchAll(WORD)) {
      if (bytes.length > 0 && wordCharset.toLowerCase() !== charset) {
        text += decode(bytes, charset);
        bytes = [];
      }
      charset = wordCharset.toLowerCase();
      bytes.push(encoding.toLowerCase() === 'b' ? Buffer.from(payload, 'base64') : fromQ(payload));
    }
    return text + decode(bytes, charset);
  });
}

/** A header value that is safe to write: as it is when plain ASCII, else as one or more encoded words. */
export function encodeWords(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value;
  const words: string[] = [];
  let chunk = '';
  for (const character of value) {
    if (Buffer.byteLength(chunk + character) > 42) {
      words.push(chunk);
      chunk = '';
    }
    chunk += character;
  }
  words.push(chunk);
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join(' ');
}

function fromQ(payload: string): Buffer {
  return Buffer.from(
    payload
      .replaceAll('_', ' ')
      .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

function decode(parts: readonly Buffer[], charset: string): string {
  try {
    return new TextDecoder(charset).decode(Buffer.concat(parts));
  } catch {
    return Buffer.concat(parts).toString('utf8');
  }
}
