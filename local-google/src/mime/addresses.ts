import { decodeWords, encodeWords } from './words.ts';

export interface Address {
  name: string;
  address: string;
}

/**
 * The addresses of a To, Cc, Bcc or From value: quoted names, comments and groups understood (RFC 5322 3.4).
 * What cannot be read as an address comes back with its text in `address`, for {@link isAddress} to refuse.
 */
export function parseAddresses(value: string): Address[] {
  const found: Address[] = [];
  for (const piece of splitList(value)) {
    const text = withoutComments(piece).trim();
    if (text === '') continue;
    const angle = /^(.*)<([^<>]*)>\s*$/s.exec(text);
    if (angle) {
      const [, name = '', address = ''] = angle;
      found.push({ name: cleanName(name), address: address.trim() });
    } else {
      found.push({ name: '', address: text });
    }
  }
  return found;
}

/** Whether Gmail would take it as a recipient: one local part, one domain, no blanks. */
export function isAddress(address: string): boolean {
  return /^[^\s@<>()[\],;:"\\]+@[^\s@<>()[\],;:"\\]+$/u.test(address) && !address.includes('..');
}

/** `Name <address>`, the name quoted or encoded where it must be. */
export function formatAddress({ name, address }: Address): string {
  if (name === '') return address;
  const plain = /^[\x20-\x7e]*$/.test(name);
  const shown = !plain ? encodeWords(name) : /^[\w !#$%&'*+/=?^`{|}~-]*$/.test(name) ? name : quote(name);
  return `${shown} <${address}>`;
}

function quote(name: string): string {
  return `"${name.replace(/["\\]/g, '\\$&')}"`;
}

/** Cuts at commas and semicolons outside quotes, comments and angle brackets; a group's name is dropped. */
function splitList(value: string): string[] {
  const pieces: string[] = [];
  let piece = '';
  let quoted = false;
  let depth = 0;
  let angle = false;
  for (let i = 0; i < value.length; i += 1) {
    const c = value.charAt(i);
    if (c === '\\' && (quoted || depth > 0)) {
      piece += c + value.charAt(i + 1);
      i += 1;
      continue;
    }
    if (c === '"' && depth === 0) quoted = !quoted;
    if (!quoted && c === '(') depth += 1;
    if (!quoted && c === ')' && depth > 0) depth -= 1;
    if (!quoted && depth === 0 && c === '<') angle = true;
    if (!quoted && depth === 0 && c === '>') angle = false;
    const free = !quoted && depth === 0 && !angle;
    if (free && (c === ',' || c === ';')) {
      pieces.push(piece);
      piece = '';
    } else if (free && c === ':' && !piece.includes('@')) {
      piece = '';
    } else {
      piece += c;
    }
  }
  pieces.push(piece);
  return pieces;
}

function withoutComments(text: string): string {
  return text.replace(/"(?:\\.|[^"\\])*"|\((?:\\.|[^()\\])*\)/g, (match) => (match.startsWith('"') ? match : ' '));
}

function cleanName(name: string): string {
  const trimmed = name.trim();
  const bare =
    trimmed.startsWith('"') && trimmed.endsWith('"') && trimmed.length > 1
      ? trimmed.slice(1, -1).replace(/\\(.)/g, '$1')
      : trimmed;
  return decodeWords(bare).trim();
}
