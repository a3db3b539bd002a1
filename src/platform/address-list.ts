import { type Address, addressKey, fittingName, formatAddresses, holdsOtherAddress, isAddress } from './address.ts';
import { oneLine } from './plain-text.ts';

/** A piece of a list that is not exactly one address, and why. */
export interface Unreadable {
  /** As it was typed. */
  readonly text: string;
  /** `several`: more than one address, or words that belong to none. `other`: the name is another address. */
  readonly why: 'no_address' | 'several' | 'other';
}

/** What a list was read as: nothing of it is left out, each piece is in one of the two. */
export interface AddressList {
  readonly addresses: Address[];
  readonly unreadable: Unreadable[];
}

/**
 * Reads a list of mailboxes as RFC 5322 3.4 writes them: `Mira Okafor <mira@northgate.example>, books@northgate.example`.
 * Commas, semicolons and new lines separate; quoted names, comments and groups (`Office: a@x.example, b@x.example;`) are
 * understood. A text is taken for an address only when all of it is accounted for. Time grows with the length.
 */
export function parseAddresses(text: string): AddressList {
  const list: AddressList = { addresses: [], unreadable: [] };
  for (const piece of pieces(text.replaceAll(/[\r\n\u0085\u2028\u2029]+/g, '\n'))) {
    const read = 'why' in piece ? piece : readMailbox(piece.text);
    if ('why' in read) list.unreadable.push(read);
    else list.addresses.push(read);
  }
  return list;
}

/** Says in words what is wrong with a list, for whoever typed it. */
export function addressProblem({ text, why }: Unreadable): string {
  const shown = `“${text.length > 80 ? `${text.slice(0, 80)}…` : text}”`;
  switch (why) {
    case 'no_address':
      return `${shown} is not an email address. Write it like mira@northgate.example.`;
    case 'several':
      return `${shown} is not one email address. Put a comma or semicolon between addresses, and < > around an address that follows a name.`;
    case 'other':
      return `${shown} has an address for a name, and would go to another one. Leave the name out, or write the person’s name.`;
    default:
      return why satisfies never;
  }
}

/**
 * Reads what stands in a field for one address or several, `undefined` where there is none.
 *
 * @returns the addresses in one way of writing, or what is wrong
 */
export function readAddressField(
  text: string | undefined,
): { readonly ok: true; readonly email: string | undefined } | { readonly ok: false; readonly message: string } {
  const { addresses, unreadable } = parseAddresses(text ?? '');
  const [first] = unreadable;
  if (first) return { ok: false, message: addressProblem(first) };
  const email = formatAddresses(withoutRepeats(addresses));
  return { ok: true, email: email === '' ? undefined : email };
}

/**
 * Reads what stands in a field for one address at most, `null` where there is none. A name before it is left out.
 *
 * @returns the address, or what is wrong
 */
export function readOneAddress(
  text: string,
): { readonly ok: true; readonly email: string | null } | { readonly ok: false; readonly message: string } {
  const { addresses, unreadable } = parseAddresses(text);
  const [wrong] = unreadable;
  const [first, ...others] = withoutRepeats(addresses);
  if (others.length > 0) return { ok: false, message: 'Write one email address, or leave it empty.' };
  if (wrong?.why === 'several')
    return {
      ok: false,
      message: `“${wrong.text.slice(0, 80)}” is not one email address. Write one, or leave it empty.`,
    };
  if (wrong) return { ok: false, message: addressProblem(wrong) };
  return { ok: true, email: first?.email ?? null };
}

/** Each address once, as it stands first; `known` are those that are there already, and grows. */
export function withoutRepeats(addresses: readonly Address[], known = new Set<string>()): Address[] {
  return addresses.filter(({ email }) => {
    const key = addressKey(email);
    return !known.has(key) && known.add(key);
  });
}

type Piece = { readonly text: string } | Unreadable;

/** Cuts a list at its separators, outside quotes and comments. A line ends whatever was open. */
function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let start = 0;
  let group: { readonly from: number; readonly members: number } | undefined;
  const cut = (end: number) => {
    const piece = text.slice(start, end).trim();
    if (piece !== '') found.push({ text: piece });
    start = end + 1;
  };
  const brokenGroup = (end: number) => {
    if (!group) return;
    found.splice(group.members, Infinity, { text: text.slice(group.from, end).trim(), why: 'no_address' });
    group = undefined;
  };
  for (const { at, sign } of separators(text)) {
    if (sign === ':') {
      // Of a group only before any address; a link is no group.
      const name = text.slice(start, at);
      if (group || /[@<>]|^\s*(?:mailto)?\s*$/i.test(name) || text.charAt(at + 1) === '/') continue;
      group = { from: start, members: found.length };
      start = at + 1;
      continue;
    }
    cut(at);
    if (sign === ';' && group) {
      if (found.length === group.members) brokenGroup(at + 1);
      group = undefined;
    }
  }
  cut(text.length);
  brokenGroup(text.length);
  return found;
}

function* separators(text: string): Generator<{ at: number; sign: string }> {
  let quoted = false;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (sign === '\n') {
      quoted = false;
      depth = 0;
      yield { at, sign };
    } else if (sign === '\\' && (quoted || depth > 0)) {
      if (text.charAt(at + 1) !== '\n') at += 1;
    } else if (sign === '"' && depth === 0) quoted = !quoted;
    else if (quoted) continue;
    else if (sign === '(') depth += 1;
    else if (sign === ')' && depth > 0) depth -= 1;
    else if (depth === 0 && (sign === ',' || sign === ';' || sign === ':')) yield { at, sign };
  }
}

/** The parts that a mailbox is made of, in their order. */
const partPattern = /"((?:[^"\\]|\\.)*)"|<([^<>]*)>|\(((?:[^()\\]|\\.)*)\)|[^\s"<>()]+|[^\s]/g;

/** An address of 254 letters with a name that somebody could read. */
const longestMailbox = 1_000;

/** What a browser puts before an address that is copied from a link (RFC 6068); what may follow it there is no address. */
const linkPrefix = /^\s*mailto:\s*/i;

/** Reads one mailbox: an address, or words and then an address in angle brackets. */
function readMailbox(typed: string): Address | Unreadable {
  const text = typed.replace(linkPrefix, '');
  if (text.length > longestMailbox) return unreadable(typed);
  const words: string[] = [];
  const remarks: string[] = [];
  let bare = '';
  let angle: string | undefined;
  let quotedWords = true;
  for (const { 0: part, 1: quoted, 2: inAngle, 3: remark, index } of text.matchAll(partPattern)) {
    if (remark !== undefined) remarks.push(unescaped(remark));
    else if (angle !== undefined) return unreadable(typed);
    else if (inAngle !== undefined) angle = inAngle.replace(linkPrefix, '').trim();
    else if (/^["<>()]$/.test(part)) return unreadable(typed);
    else {
      const apart = /^\s$|^$/.test(text.charAt(index - 1));
      const word = quoted === undefined ? part : unescaped(quoted);
      if (apart || words.length === 0) words.push(word);
      else words.push(`${words.pop() ?? ''}${word}`);
      if (quoted === undefined) quotedWords = false;
      bare += `${apart && bare !== '' ? ' ' : ''}${part}`;
    }
  }
  if (remarks.some(hasAt)) return unreadable(typed);
  const email = readAddress(angle ?? bare);
  if (email === undefined) return unreadable(typed);
  const remark = remarks.map((words) => words.trim()).filter(Boolean);
  const name = angle === undefined ? remark.join(' ') : [...words, ...remark.map((words) => `(${words})`)].join(' ');
  if (name === '') return { name, email };
  if (holdsOtherAddress(name, email)) return unreadable(typed, 'other');
  const fitting = fittingName(name, email);
  // RFC 5322 atoms hold no @: in words without quotes it is another address, or what is left of one.
  if (angle !== undefined && !quotedWords && hasAt(fitting)) return unreadable(typed);
  return { name: fitting, email };
}

/** Marks that make a text be shown the other way round: what is read is not what is there. */
const turnsText = /[\u202B\u202D\u202E\u2067]/;

/** An address as it is written, without what copying brings along unseen, and without quotes that it does not need. */
function readAddress(text: string): string | undefined {
  if (turnsText.test(text)) return undefined;
  const email = text.replaceAll(/[\p{Default_Ignorable_Code_Point}\p{Cc}]/gu, '').replace(/^"([^"\\]*)"@/, '$1@');
  return isAddress(email) ? email : undefined;
}

function unreadable(text: string, why?: Unreadable['why']): Unreadable {
  const shown = oneLine(text.slice(0, longestMailbox));
  const several = /\S\s+\S/.test(text.trim()) && hasAt(text);
  return { text: shown === '' ? text.trim() : shown, why: why ?? (several ? 'several' : 'no_address') };
}

function hasAt(text: string): boolean {
  return /[@＠﹫]/.test(text);
}

function unescaped(quoted: string): string {
  return quoted.replaceAll(/\\(.)/gs, '$1');
}
