import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { oneLine } from './plain-text.ts';

/** One address with the name it was written with, `''` for none. */
export const addressSchema = z.object({ name: z.string(), email: z.string() });
/** See {@link addressSchema}. */
export type Address = z.infer<typeof addressSchema>;

// RFC 5322 dot-atom; any letter, as RFC 6531 allows. One that needs quotes exists nowhere: it is refused.
const atom = "[\\p{L}\\p{M}\\p{N}!#$%&'*+/=?^_`{|}~-]+";
const localPattern = new RegExp(`^${atom}(?:\\.${atom})*$`, 'u');
const labelsPattern = /^[\p{L}\p{M}\p{N}-]+(?:\.[\p{L}\p{M}\p{N}-]+)+$/u;
const hostPattern = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Whether something is an address that mail can go to: `local@host.tld`, international domains included. The only rule
 * for this, wherever an address is typed, imported or sent to.
 */
export function isAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  if (at < 1 || Buffer.byteLength(text) > 254 || /\p{Default_Ignorable_Code_Point}/u.test(text)) return false;
  const local = text.slice(0, at);
  return Buffer.byteLength(local) <= 64 && localPattern.test(local) && hostOf(text.slice(at + 1)) !== undefined;
}

/** What two ways to write one address have in common: case, and how an international domain is written. */
export function addressKey(email: string): string {
  const at = email.lastIndexOf('@');
  const domain = email.slice(at + 1);
  return `${email.slice(0, at).normalize('NFC').toLowerCase()}@${hostOf(domain) ?? domain.toLowerCase()}`;
}

/** The domain as DNS has it, or undefined where none can be called so (RFC 1035, UTS 46). */
function hostOf(domain: string): string | undefined {
  if (!labelsPattern.test(domain)) return undefined;
  const host = domainToASCII(domain);
  return host.length <= 253 && hostPattern.test(host) ? host : undefined;
}

/**
 * Whether a name is, or holds, an address other than the one that it stands before: mail programs show the name, so
 * `"accounts@bank.example" <a@b.example>` says who it is not.
 */
export function holdsOtherAddress(name: string, email: string): boolean {
  // NFKC: a wide ＠ is read as one. Blanks around it are no disguise where a domain follows.
  const plain = oneLine(name.normalize('NFKC')).replaceAll(/ ?@ ?(?=[^\s@]+\.\p{L})/gu, '@');
  const words = plain.split(/[\s<>()[\]"',;:|/\\]+/).map((word) => word.replace(/^\.|\.$/g, ''));
  return words.some((word) => /.@./.test(word) && addressKey(word) !== addressKey(email));
}

/** The name as it may stand before an address: `''` where it says nothing that the address does not, or another one. */
export function fittingName(name: string, email: string): string {
  const plain = oneLine(name);
  const bare = plain.replace(/^(['"])(.*)\1$/, '$2');
  return addressKey(bare) === addressKey(email) || holdsOtherAddress(plain, email) ? '' : plain;
}

/** `Mira Okafor <mira@northgate.example>`, or the bare address. */
export function formatAddress({ name, email }: Address): string {
  if (name === '') return email;
  const quoted = /[(),.:;<>@＠﹫[\]"\\]/.test(name) ? `"${name.replaceAll(/["\\]/g, '\\$&')}"` : name;
  return `${quoted} <${email}>`;
}

/** Several, as {@link formatAddress} writes each, with commas between them. */
export function formatAddresses(addresses: readonly Address[]): string {
  return addresses.map(formatAddress).join(', ');
}
