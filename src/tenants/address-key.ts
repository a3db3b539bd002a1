import { domainToASCII } from 'node:url';

/** Both are the same mailbox of Gmail, whichever was given to its owner once (support.google.com/mail/answer/10313). */
const gmail = new Set(['gmail.com', 'googlemail.com']);

/**
 * What tells one mailbox from another: two addresses with the same key reach the same one. Gmail ignores case, dots and
 * what follows a plus in addresses of its own (support.google.com/mail/answer/7436150); of other domains nobody but
 * their owner knows, so that only case is ignored.
 */
export function addressKey(address: string): string {
  const lower = address.trim().normalize('NFC').toLowerCase();
  const at = lower.lastIndexOf('@');
  const local = lower.slice(0, at);
  const domain = domainToASCII(lower.slice(at + 1)) || lower.slice(at + 1);
  if (!gmail.has(domain)) return `${local}@${domain}`;
  const plain = local.replace(/\+.*/, '').replaceAll('.', '');
  return `${plain || local}@gmail.com`;
}

/**
 * Whether Google is the authority for an address: whoever signs in with it has that mailbox now. For any other address
 * an account was once made with it, and its owner may be another by now
 * (developers.google.com/identity/gsi/web/guides/verify-google-id-token).
 *
 * @param hd the Workspace domain that manages the account, if any
 */
export function isVouchedFor({ email, hd }: { readonly email: string; readonly hd: string | null }): boolean {
  const domain = addressKey(email).split('@').at(-1) ?? '';
  return domain === 'gmail.com' || (hd !== null && domainToASCII(hd.toLowerCase()) === domain);
}
