import { describe, expect, it } from 'vitest';
import { connect, DANA, gmailOf, MIRA, mime, OFFICE, refusal, send, start } from './support.ts';

const text = (google: Awaited<ReturnType<typeof start>>, mailbox: string) => {
  const message = google.mail.messages(mailbox).at(-1);
  return message ? google.mail.raw(message).toString() : '';
};

describe('sending', () => {
  it('answers id, thread and SENT, and lists the copy at once', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['modify']));
    const sent = await send(gmail);
    expect(sent).toEqual({ id: expect.stringMatching(/^[0-9a-f]{16}$/), threadId: sent.id, labelIds: ['SENT'] });
    const { data } = await gmail.users.messages.list({ userId: 'me', labelIds: ['SENT'] });
    expect(data.messages).toEqual([{ id: sent.id, threadId: sent.threadId }]);
  });

  it('replaces the Message-ID, keeps X- headers and Date, and takes Bcc out of delivered copies', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    const date = 'Fri, 20 Nov 2026 08:00:00 +0100';
    await send(gmail, { Date: date, 'Message-ID': '<mine@here>', Bcc: DANA, 'X-Letterhead-Delivery': 'd-1' });
    for (const mailbox of [MIRA, DANA]) {
      expect(text(google, mailbox)).toMatch(/^Message-ID: <CA[\w-]+@mail\.gmail\.com>\r$/m);
      expect(text(google, mailbox)).toContain(`Date: ${date}`);
      expect(text(google, mailbox)).toContain('X-Letterhead-Delivery: d-1');
      expect(text(google, mailbox)).not.toMatch(/mine@here|^Bcc:/m);
    }
    expect(text(google, OFFICE)).toContain(`Bcc: ${DANA}`);
    expect(google.truth.accepted()).toMatchObject([
      { order: 1, account: OFFICE, deliveryId: 'd-1', recipients: [MIRA, DANA], subject: 'Invoice 141', via: 'json' },
    ]);
  });

  it.each([
    ['an accepted alias stays', 'Books <accounts@brightwater.example>', 'Books <accounts@brightwater.example>'],
    [
      'an alias without a name gets its own',
      'accounts@brightwater.example',
      '"Accounts, Brightwater" <accounts@brightwater.example>',
    ],
    [
      'an alias whose name is empty takes the primary’s',
      'plain@brightwater.example',
      'Brightwater Joinery <plain@brightwater.example>',
    ],
    ['an alias without a status is as good as accepted', 'A <odd@brightwater.example>', 'A <odd@brightwater.example>'],
    ['a pending alias is swapped', 'sales@brightwater.example', 'Brightwater Joinery <office@brightwater.example>'],
    ['somebody else’s address is swapped', `Dana <${DANA}>`, 'Brightwater Joinery <office@brightwater.example>'],
    ['no From at all is filled in', '', 'Brightwater Joinery <office@brightwater.example>'],
  ])('From: %s, with 200 either way', async (_rule, requested, used) => {
    const google = await start();
    google.accounts.addSendAs(OFFICE, { email: 'plain@brightwater.example', status: 'accepted' });
    google.accounts.addSendAs(OFFICE, { email: 'odd@brightwater.example', name: 'Odd', status: 'none' });
    await send(gmailOf(google, await connect(google, OFFICE, ['send'])), { From: requested });
    expect(text(google, MIRA).match(/^From: (.*)\r$/m)?.[1]).toBe(used);
  });

  it('swaps to the default address when that is an alias', async () => {
    const sendAs = [{ email: 'hello@shop.example', name: 'Hello', status: 'accepted' as const, isDefault: true }];
    const google = await start({ accounts: [{ email: 'kim@shop.example', name: 'Kim', sendAs }] });
    await send(gmailOf(google, await connect(google, 'kim@shop.example', ['send'])), { From: 'x@else.example' });
    expect(google.truth.accepted()[0]?.from).toEqual({ name: 'Hello', address: 'hello@shop.example' });
  });

  it('keeps mail to the outside, and gives one mailbox one copy', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    await send(gmail, { To: `${DANA}, "Buyer, Big" <buyer@else.example>`, Cc: `${DANA}, second@else.example` });
    expect(google.mail.messages(DANA)).toHaveLength(1);
    expect(google.mail.outside().map(({ envelope }) => envelope)).toEqual([
      ['buyer@else.example', 'second@else.example'],
    ]);
  });

  it('files a message to oneself once, in SENT and INBOX', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, DANA, ['modify']));
    expect((await send(gmail, { To: DANA })).labelIds).toEqual(['UNREAD', 'SENT', 'INBOX']);
    expect(google.mail.messages(DANA)).toHaveLength(1);
  });

  it.each([
    [{ To: 'not an address' }, 'invalidArgument', 'Invalid To header'],
    [{ Cc: 'a@b@c' }, 'invalidArgument', 'Invalid Cc header'],
    [{ To: '' }, 'invalidArgument', 'Recipient address required'],
  ])('refuses %o for good', async (headers, reason, message) => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    expect(await refusal(send(gmail, headers))).toEqual({ status: 400, reason, message });
    expect(google.truth.accepted()).toHaveLength(0);
  });

  it('refuses an account without a Gmail mailbox', async () => {
    const google = await start();
    google.accounts.setMailEnabled(OFFICE, false);
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    expect(await refusal(send(gmail))).toEqual({
      status: 400,
      reason: 'failedPrecondition',
      message: 'Mail service not enabled',
    });
  });
});

describe('uploads', () => {
  it('takes the message itself, byte for byte', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    const body = 'ümläut\r\n\r\n--x\r\n';
    const media = { mimeType: 'message/rfc822', body: mime({}, body) };
    await gmail.users.messages.send({ userId: 'me', media }, { rootUrl: `${google.url}/` });
    expect(text(google, MIRA).endsWith(`\r\n\r\n${body}`)).toBe(true);
    expect(google.truth.accepted()[0]?.via).toBe('media');
  });

  it('takes thread and message together, and threads only with References and Subject', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['modify']));
    const first = await send(gmail);
    const messageId = google.truth.accepted()[0]?.messageId ?? '';
    const reply = async (headers: Record<string, string>) => {
      const { data } = await gmail.users.messages.send(
        {
          userId: 'me',
          requestBody: { threadId: first.threadId },
          media: { mimeType: 'message/rfc822', body: mime(headers) },
        },
        { rootUrl: `${google.url}/` },
      );
      return data.threadId;
    };
    expect(await reply({ References: messageId, Subject: 'Re: Invoice 141' })).toBe(first.threadId);
    expect(await reply({ Subject: 'Re: Invoice 141' })).not.toBe(first.threadId);
    expect(await reply({ References: messageId, Subject: 'Something else' })).not.toBe(first.threadId);
    expect(google.truth.accepted().map(({ via }) => via)).toEqual(['json', 'multipart', 'multipart', 'multipart']);
    expect(
      google.mail
        .messages(MIRA)
        .map(({ threadId }) => threadId)
        .filter((id, n, all) => all.indexOf(id) === n),
    ).toHaveLength(3);
  });

  it('tells a bad thread from a strange one', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    expect(await refusal(send(gmail, {}, 'not-hex'))).toMatchObject({
      status: 400,
      message: 'Invalid thread_id value',
    });
    expect(await refusal(send(gmail, {}, 'abcdef'))).toMatchObject({ status: 404, reason: 'notFound' });
  });

  it('answers 413 above five megabytes of JSON, and takes the same message as an upload', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    const big = mime({}, 'x'.repeat(4_500_000));
    const raw = Buffer.from(big).toString('base64url');
    expect(await refusal(gmail.users.messages.send({ userId: 'me', requestBody: { raw } }))).toMatchObject({
      status: 413,
    });
    const media = { mimeType: 'message/rfc822', body: big };
    const { status } = await gmail.users.messages.send({ userId: 'me', media }, { rootUrl: `${google.url}/` });
    expect(status).toBe(200);
  });

  it('takes exactly 36,700,160 bytes by upload and not one more', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['send']);
    const upload = async (size: number) => {
      const start = mime({});
      const response = await fetch(`${google.url}/upload/gmail/v1/users/me/messages/send?uploadType=media`, {
        method: 'POST',
        headers: { authorization: `Bearer ${client.credentials.access_token}`, 'content-type': 'message/rfc822' },
        body: start + 'x'.repeat(size - start.length),
      });
      return response.status;
    };
    expect(await upload(36_700_160)).toBe(200);
    expect(await upload(36_700_161)).toBe(413);
  });
});
