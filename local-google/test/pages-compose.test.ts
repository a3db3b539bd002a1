import { describe, expect, it } from 'vitest';
import { connect, gmailOf, MIRA, OFFICE, send, start } from './support.ts';

describe('writing mail by hand', () => {
  it('offers the addresses the mailbox may send as, and sends from the chosen one', async () => {
    const google = await start();
    const url = `${google.url}/mail/${OFFICE}/compose`;
    const page = await (await fetch(url)).text();
    expect(page).toContain('accounts@brightwater.example');
    expect(page, 'not confirmed yet').not.toContain('sales@brightwater.example');
    const letter = { from: 'accounts@brightwater.example', to: MIRA, subject: 'Hello', text: 'Good morning.' };
    const sent = await fetch(url, { method: 'POST', body: new URLSearchParams(letter) });
    expect(sent.url).toBe(`${google.url}/mail/${encodeURIComponent(OFFICE)}/sent`);
    expect(google.truth.accepted()).toMatchObject([
      { via: 'web', from: { address: 'accounts@brightwater.example' }, subject: 'Hello', recipients: [MIRA] },
    ]);
    const refused = await fetch(url, { method: 'POST', body: new URLSearchParams({ ...letter, to: '' }) });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('Recipient address required');
  });

  it('answers in the thread, with a Re: and to whoever wrote', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send', 'readonly']));
    const { threadId } = await send(gmail, { Subject: 'Invoice 141', 'Reply-To': 'accounts@brightwater.example' });
    const [invoice] = google.mail.messages(MIRA);
    const page = await (await fetch(`${google.url}/mail/${MIRA}/compose?reply=${invoice?.id}`)).text();
    expect(page).toContain('value="Re: Invoice 141"');
    expect(page).toContain('value="accounts@brightwater.example"');
    const answer = { from: MIRA, to: OFFICE, subject: 'Re: Invoice 141', text: 'Thank you.', reply: invoice?.id ?? '' };
    await fetch(`${google.url}/mail/${MIRA}/compose`, { method: 'POST', body: new URLSearchParams(answer) });
    const thread = await gmail.users.threads.get({ userId: 'me', id: threadId });
    expect(thread.data.messages).toHaveLength(2);
  });
});
