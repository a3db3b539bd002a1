import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { DANA, headerOf, MIRA, OFFICE, office, readBack, sendMail } from './support.ts';

describe('a bounce', () => {
  it('comes from the mail delivery subsystem, with the headers that tell which message it is about', async () => {
    const { google, gmail } = await office();
    const sent = await sendMail(gmail, { to: 'bounce@else.example', headers: { 'X-Letterhead-Delivery': 'd-1' } });
    const assigned = google.truth.accepted()[0]?.messageId;
    const bounce = await readBack(google, OFFICE);
    expect(bounce.from).toEqual({ name: 'Mail Delivery Subsystem', address: 'mailer-daemon@googlemail.com' });
    expect(bounce.subject).toBe('Delivery Status Notification (Failure)');
    expect(headerOf(bounce, 'auto-submitted')).toBe('auto-replied');
    expect(headerOf(bounce, 'x-failed-recipients')).toBe('bounce@else.example');
    expect(bounce.inReplyTo).toBe(assigned);
    const { data } = await gmail.users.threads.get({ userId: 'me', id: sent.threadId, format: 'minimal' });
    expect(data.messages?.map(({ labelIds }) => labelIds)).toEqual([['SENT'], ['INBOX', 'UNREAD']]);
  });

  it('has three parts: words with an icon, the delivery status, and the original with its X- headers', async () => {
    const { google, gmail } = await office();
    const pdf = { filename: 'invoice.pdf', content: '%PDF-1.7', contentType: 'application/pdf' };
    const headers = { 'X-Letterhead-Delivery': 'd-1' };
    await sendMail(gmail, { to: 'bounce@else.example', headers, attachments: [pdf] });
    const assigned = google.truth.accepted()[0]?.messageId;
    const id = google.mail.messages(OFFICE).at(-1)?.id ?? '';
    const { data } = await gmail.users.messages.get({ userId: 'me', id });
    expect(data.payload?.headers?.find(({ name }) => name === 'Content-Type')?.value).toMatch(
      /^multipart\/report;.*report-type=delivery-status/,
    );
    const parts = data.payload?.parts ?? [];
    expect(parts.map(({ mimeType }) => mimeType)).toEqual([
      'multipart/related',
      'message/delivery-status',
      'message/rfc822',
    ]);
    expect(parts[0]?.parts?.map(({ mimeType }) => mimeType)).toEqual(['multipart/alternative', 'image/png']);
    const raw = google.mail.messages(OFFICE).at(-1);
    const text = raw ? google.mail.raw(raw).toString() : '';
    expect(text).toContain(`X-Original-Message-ID: ${assigned}\r\n`);
    expect(text).toContain('Final-Recipient: rfc822; bounce@else.example\r\nAction: failed\r\nStatus: 5.1.1\r\n');
    expect(text).toContain('Diagnostic-Code: smtp; 550-5.1.1 ');
    const original = text.slice(text.indexOf('Content-Type: message/rfc822\r\n\r\n') + 32);
    const read = await PostalMime.parse(original.slice(0, original.lastIndexOf('\r\n--')));
    expect(headerOf(read, 'x-letterhead-delivery')).toBe('d-1');
    expect(read.messageId).toBe(assigned);
    expect(read.attachments.map(({ filename }) => filename)).toEqual(['invoice.pdf']);
  });

  it('comes for an address that a domain here does not have, and names all of them in one message', async () => {
    const { google, gmail } = await office();
    await sendMail(gmail, { to: ['nobody@northgate.example', MIRA], cc: 'bounce@else.example' });
    expect(google.mail.messages(MIRA)).toHaveLength(1);
    expect(headerOf(await readBack(google, OFFICE), 'x-failed-recipients')).toBe(
      'nobody@northgate.example, bounce@else.example',
    );
    expect(google.mail.outside()).toHaveLength(0);
  });

  it('does not come for addresses elsewhere, which are kept in the outside world', async () => {
    const { google, gmail } = await office();
    const before = google.mail.messages(OFFICE).length;
    await sendMail(gmail, { to: 'buyer@else.example' });
    expect(google.mail.messages(OFFICE)).toHaveLength(before + 1);
    expect(google.mail.outside().map(({ envelope }) => envelope)).toEqual([['buyer@else.example']]);
  });

  it('goes to the mailbox of an alias, and to nobody else', async () => {
    const { google, gmail } = await office();
    await sendMail(gmail, { from: 'accounts@brightwater.example', to: 'bounce@else.example' });
    const bounce = await readBack(google, OFFICE);
    expect(bounce.to?.[0]?.address).toBe('accounts@brightwater.example');
    expect(google.mail.messages(DANA)).toHaveLength(0);
  });

  it('lands in the thread of its own message, also when the same was sent twice', async () => {
    const { google, gmail } = await office();
    const one = await sendMail(gmail, { to: 'bounce@else.example' });
    const two = await sendMail(gmail, { to: 'bounce@else.example' });
    const bounces = google.mail
      .messages(OFFICE)
      .filter(({ labels }) => labels.includes('INBOX'))
      .slice(-2);
    expect(bounces.map(({ threadId }) => threadId)).toEqual([one.threadId, two.threadId]);
  });

  it('says delayed first, which is no failure, and failed when Gmail gives up after three days', async () => {
    const { google, gmail } = await office();
    await sendMail(gmail, { to: 'delayed@else.example' });
    const texts = () =>
      google.mail
        .messages(OFFICE)
        .map((message) => google.mail.raw(message).toString())
        .filter((text) => text.includes('mailer-daemon@googlemail.com'));
    expect(texts()).toHaveLength(1);
    expect(texts()[0]).toContain('Action: delayed\r\nStatus: 4.4.1\r\n');
    expect(texts()[0]).toContain('Subject: Delivery Status Notification (Delay)');
    google.clock.forward(72 * 3_600_000);
    expect(texts()).toHaveLength(2);
    expect(texts()[1]).toContain('Action: failed');
  });
});

describe('over the sending limit', () => {
  it('Gmail answers 200, files SENT, delivers to nobody, and says so in the thread', async () => {
    const { google, gmail } = await office();
    google.quotas.set({ messagesPerDay: 1, overSendingLimit: 'bounce' });
    await sendMail(gmail);
    const second = await sendMail(gmail);
    expect(second.labelIds).toEqual(['SENT']);
    expect(google.mail.messages(MIRA)).toHaveLength(1);
    expect(google.truth.accepted().map(({ overLimit }) => overLimit)).toEqual([undefined, true]);
    const notice = await readBack(google, OFFICE);
    expect(notice.from?.address).toBe('mailer-daemon@googlemail.com');
    expect(notice.text).toContain('You have reached a limit for sending mail. Your message was not sent.');
    expect(notice.inReplyTo).toBe(google.truth.accepted()[1]?.messageId);
    expect(google.mail.messages(OFFICE).at(-1)?.threadId).toBe(second.threadId);
  });
});
