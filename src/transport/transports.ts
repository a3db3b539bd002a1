import type { MailboxProvider } from '../platform/database-types.ts';
import { gmailTransport } from './gmail/gmail.ts';
import { gmailLimits } from './gmail/limits.ts';
import type { TransportLimits, Transports } from './transport.ts';

/** Every provider that mailboxes can have. A further one is a folder beside `gmail/` and a line in each of these. */
export const transports: Transports = { gmail: gmailTransport };

const limits: Readonly<Record<MailboxProvider, TransportLimits>> = { gmail: gmailLimits };

/** What a provider takes, told before anything is asked. */
export function limitsOf(provider: MailboxProvider): TransportLimits {
  return limits[provider];
}
