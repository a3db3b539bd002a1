import addressparser from 'nodemailer/lib/addressparser/index.js';
import { z } from 'zod';

/** One address with the name it was written with, `''` for none. */
export const addressSchema = z.object({ name: z.string(), email: z.string() });
export type Address = z.infer<typeof addressSchema>;

/** Who an email goes to. */
export const recipientsSchema = z.object({
  to: z.array(addressSchema),
  cc: z.array(addressSchema),
  bcc: z.array(addressSchema),
});
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

/** Whether something is an address that mail can go to: `local@host.tld`, international domains included. */
export function isAddress(text: string): boolean {
  return text.length <= 254 && z.email({ pattern: z.regexes.unicodeEmail }).safeParse(text).success;
}

/** `Mira Okafor <mira@northgate.example>`, or the bare address. */
export function formatAddress({ name, email }: Address): string {
  if (name === '') return email;
  const quoted = /[(),.:;<>@[\]"\\]/.test(name) ? `"${name.replaceAll(/["\\]/g, '\\$&')}"` : name;
  return `${quoted} <${email}>`;
}
