import { type Account, type SendAs, type SendAsSeed, sendAsFromSeed } from './accounts.ts';
import type { World } from './world.ts';

/**
 * Delivers the mail that Gmail sends when a user adds an address to send from: the code, and a link to confirm it.
 * It goes to the new address itself, wherever that is read.
 */
export function confirmationMail(world: World, account: Account, entry: SendAs): void {
  const owner = world.accounts.receiving(entry.email);
  const text = [
    `${account.email} has asked to send mail as ${entry.email}.`,
    '',
    `Confirmation code: ${entry.code}`,
    '',
    `To confirm, enter this code at Settings, Send mail as, or open:`,
    `${world.url}/settings/${encodeURIComponent(account.email)}/send-as/${encodeURIComponent(entry.email)}?code=${entry.code}`,
    '',
    'If you did not ask for this, do nothing: mail cannot be sent from your address without the code.',
    '',
  ].join('\r\n');
  const head = [
    'From: Local Google Mail <send-as-noreply@local-google.example>',
    `To: ${entry.email}`,
    `Subject: Confirmation: send mail as ${entry.email}`,
    `Date: ${new Date(world.now()).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <confirm-${entry.code}@local-google.example>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
  ].join('\r\n');
  world.mail.file(Buffer.from(text), [
    {
      mailbox: owner?.email ?? 'outside',
      labels: ['INBOX', 'UNREAD'],
      threadId: null,
      head: Buffer.from(head),
      envelope: [entry.email],
    },
  ]);
}

/** Adds (or replaces) an address to send as; a pending one gets its confirmation mail. */
export function addSendAs(world: World, account: Account, alias: SendAsSeed): SendAs {
  const entry = sendAsFromSeed(alias);
  account.sendAs = [...account.sendAs.filter((other) => other.email !== entry.email || other.isPrimary), entry];
  if (entry.status === 'pending') confirmationMail(world, account, entry);
  world.save();
  return entry;
}

/** Confirms a pending address with its code. false: wrong code, or nothing to confirm. */
export function confirmSendAs(world: World, account: Account, email: string, code: string): boolean {
  const entry = account.sendAs.find((candidate) => candidate.email === email && candidate.status === 'pending');
  if (!entry || entry.code !== code.replace(/\s/g, '')) return false;
  entry.status = 'accepted';
  entry.code = null;
  world.save();
  return true;
}
