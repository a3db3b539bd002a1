import addressparser from 'nodemailer/lib/addressparser/index.js';
import { z } from 'zod';

/** One address with the name it was written with, `''` for none. */
export const addressSchema = z.object({ name: z.string(), email: z.string() });
/** See {@link addressSchema}. */
export type Address = z.infer<typeof addressSchema>;

/** Who an email goes to. */
export const recipientsSchema = z.object({
  to: z.array(addressSchema),
  cc: z.array(addressSchema),
  bcc: z.array(addressSchema),
});
/** See {@link recipientsSchema}. */
export type Recipients = z.infer<typeof recipientsSchema>;

/** Gmail's lower documented limit for one message sent through the API. */
export const maxRecipients = 100;

/**
 * Reads what a person typed: `Mira Okafor <mira@northgate.example>, books@northgate.example`.
 * Commas, semicolons and new lines separate.
 *
 * @returns the addresses, and what could not be read as one
 */
export function parseAddresses(text: string): { addresses: Address[]; unreadable: string[] } {
  const addresses: Address[] = [];
  const unreadable: string[] = [];
  for (const entry of addressparser(text.replaceAll(/[\r\n]+/g, ','), { flatten: true })) {
    const email = entry.address?.trim() ?? '';
    const name = entry.name?.trim() ?? '';
    if (isAddress(email)) addresses.push({ name, email });
    else if (email || name) unreadable.push(email || name);
  }
  return { addresses, unreadable };
}

// RFC 5322 dot-atom before the @ and labels with at least one dot after it; any letter, as RFC 6531 and IDNA allow.
const atom = "[\\p{L}\\p{M}\\p{N}!#$%&'*+/=?^_`{|}~-]+";
const label = '[\\p{L}\\p{M}\\p{N}](?:[\\p{L}\\p{M}\\p{N}-]*[\\p{L}\\p{M}\\p{N}])?';
const addressPattern = new RegExp(`^(?=.{1,64}@)${atom}(?:\\.${atom})*@${label}(?:\\.${label})+$`, 'u');

/** Whether something is an address that mail can go to: `local@host.tld`, international domains included. */
export function isAddress(text: string): boolean {
  return text.length <= 254 && addressPattern.test(text);
}

/** `Mira Okafor <mira@northgate.example>`, or the bare address. */
export function formatAddress({ name, email }: Address): string {
  if (name === '') return email;
  const quoted = /[(),.:;<>@[\]"\\]/.test(name) ? `"${name.replaceAll(/["\\]/g, '\\$&')}"` : name;
  return `${quoted} <${email}>`;
}
