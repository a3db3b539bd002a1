import { randomBytes } from 'node:crypto';
import type { Account, SendAs } from '../accounts.ts';
import { type Address, formatAddress, parseAddresses } from '../mime/addresses.ts';
import { type Header, rawHeaderValue } from '../mime/headers.ts';

/** A Message-ID such as Gmail assigns. */
export function newMessageId(): string {
  return `<CA${randomBytes(30).toString('base64url').slice(0, 40)}@mail.gmail.com>`;
}

/** A time as a Date header writes it (RFC 5322 3.3). */
export function dateHeader(at: number): string {
  return new Date(at).toUTCString().replace('GMT', '+0000');
}

/** A header line of our own. */
export function makeHeader(name: string, value: string): Header {
  return { name, value, source: `${name}: ${value}` };
}

/** The From that Gmail really uses: as asked when the account may, else its default address, without a word (fact 2). */
export function chooseFrom(account: Account, requested: string): Address {
  const asked = parseAddresses(requested);
  const [only] = asked;
  const usable = asked.length === 1 && only ? account.sendAs.find((entry) => mayUse(entry, only.address)) : undefined;
  const entry = usable ?? account.sendAs.find((candidate) => candidate.isDefault) ?? account.sendAs[0];
  const address = entry?.email ?? account.email;
  const own = entry?.name || account.name;
  return { address, name: usable && only && only.name !== '' ? only.name : own };
}

/** Pending is refused; accepted and a missing status are both good (fact 11). */
function mayUse(entry: SendAs, address: string): boolean {
  return entry.status !== 'pending' && entry.email === address.toLowerCase();
}

/** What Gmail writes over: each at most once, put in where it is missing. */
export interface Replacements {
  /** null: stays as it is. */
  from: Address | null;
  messageId: string;
  at: number;
  /** Whether a Date that the sender wrote stays; nobody knows for sure (docs/google.md, B). */
  keepDate: boolean;
}

/** The headers of a message as Gmail keeps it: X- headers stay where they are. */
export function rewriteHeaders(headers: readonly Header[], replace: Replacements): Header[] {
  const ours = new Map<string, Header>([
    ...(replace.from ? [['from', makeHeader('From', formatAddress(replace.from))] as const] : []),
    ...(replace.keepDate && rawHeaderValue(headers, 'Date') !== undefined
      ? []
      : [['date', makeHeader('Date', dateHeader(replace.at))] as const]),
    ['message-id', makeHeader('Message-ID', replace.messageId)] as const,
  ]);
  const used = new Set<string>();
  const written = headers.flatMap((header) => {
    const name = header.name.toLowerCase();
    const mine = ours.get(name);
    if (!mine) return [header];
    if (used.has(name)) return [];
    used.add(name);
    return [mine];
  });
  const missing = [...ours].flatMap(([name, header]) => (used.has(name) ? [] : [header]));
  return [...missing, ...written];
}
