import { describe, expect, it } from 'vitest';
import { connect, DANA, gmailOf, MIRA, mime, OFFICE, refusal, send, start } from './support.ts';

describe('scopes', () => {
  it('lets gmail.send read nothing, with Google’s own body', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['send']);
    const gmail = gmailOf(google, client);
    const { id } = await send(gmail);
    for (const call of [
      gmail.users.getProfile({ userId: 'me' }),
      gmail.users.messages.list({ userId: 'me' }),
      gmail.users.messages.get({ userId: 'me', id }),
      gmail.users.settings.sendAs.list({ userId: 'me' }),
    ]) {
      expect(await refusal(call)).toMatchObject({ status: 403, reason: 'insufficientPermissions' });
    }
    const headers = { authorization: `Bearer ${client.credentials.access_token}` };
    const body = await (await fetch(`${google.url}/gmail/v1/users/me/profile`, { headers })).json();
    expect(body).toMatchObject({
      error: {
        code: 403,
        status: 'PERMISSION_DENIED',
        details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }],
      },
    });
  });

  it('refuses no token and a strange token with 401', async () => {
    const google = await start();
    const status = async (headers: Record<string, string>) => {
      const response = await fetch(`${google.url}/gmail/v1/users/me/profile`, { headers });
      return { status: response.status, body: await response.json() };
    };
    expect(await status({})).toMatchObject({ status: 401, body: { error: { errors: [{ reason: 'required' }] } } });
    expect(await status({ authorization: 'Bearer ya29.nothing' })).toMatchObject({
      status: 401,
      body: { error: { status: 'UNAUTHENTICATED', errors: [{ reason: 'authError', message: 'Invalid Credentials' }] } },
    });
  });

  it('refuses another mailbox in the path', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['readonly']));
    expect(await refusal(gmail.users.getProfile({ userId: DANA }))).toMatchObject({
      status: 403,
      message: `Delegation denied for ${OFFICE}`,
    });
  });

  it('refuses q, full and raw to a token that holds gmail.metadata, whatever else it holds', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['metadata', 'modify']));
    const { id } = await send(gmail);
    expect(await refusal(gmail.users.messages.list({ userId: 'me', q: 'in:sent' }))).toMatchObject({
      status: 403,
      message: "Metadata scope does not support 'q' parameter",
    });
    for (const format of ['full', 'raw']) {
      expect(await refusal(gmail.users.messages.get({ userId: 'me', id, format }))).toMatchObject({ status: 403 });
    }
    const { data } = await gmail.users.messages.get({ userId: 'me', id, format: 'metadata' });
    expect(data.payload?.headers?.length).toBeGreaterThan(3);
  });
});

describe('messages', () => {
  it('tells the assigned Message-ID by any spelling of the header', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send', 'metadata']));
    const { id } = await send(gmail);
    const { data } = await gmail.users.messages.get({
      userId: 'me',
      id,
      format: 'metadata',
      metadataHeaders: ['message-id'],
    });
    expect(data.payload?.headers).toEqual([{ name: 'Message-ID', value: google.truth.accepted()[0]?.messageId }]);
  });

  it('pages newest first, and new mail between two pages shifts nothing', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['modify']));
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.unshift((await send(gmail)).id);
    const page = async (pageToken?: string) =>
      (
        await gmail.users.messages.list({
          userId: 'me',
          labelIds: ['SENT'],
          maxResults: 2,
          ...(pageToken ? { pageToken } : {}),
        })
      ).data;
    const first = await page();
    await send(gmail);
    const second = await page(first.nextPageToken ?? '');
    const third = await page(second.nextPageToken ?? '');
    expect([first, second, third].flatMap(({ messages }) => messages?.map(({ id }) => id))).toEqual(ids);
    expect(third.nextPageToken).toBeUndefined();
  });

  it('leaves messages out when there are none', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, DANA, ['readonly']));
    const { data } = await gmail.users.messages.list({ userId: 'me' });
    expect(data).toEqual({ resultSizeEstimate: 0 });
  });

  it('finds by q only after minutes, and by the assigned id only', async () => {
    let clock = Date.parse('2026-11-21T09:00:00Z');
    const google = await start({ now: () => clock });
    const client = await connect(google, OFFICE, ['modify']);
    const { refresh_token: _, ...credentials } = client.credentials;
    client.setCredentials({ ...credentials, expiry_date: Date.now() + 3_000_000 });
    const gmail = gmailOf(google, client);
    await send(gmail, { 'Message-ID': '<mine@here>' });
    const found = async (q: string) =>
      (await gmail.users.messages.list({ userId: 'me', q })).data.messages?.length ?? 0;
    const assigned = google.truth.accepted()[0]?.messageId;
    expect(await found(`rfc822msgid:${assigned}`)).toBe(0);
    clock += 5 * 60 * 1000;
    expect(await found(`rfc822msgid:${assigned}`)).toBe(1);
    expect(await found('rfc822msgid:<mine@here>')).toBe(0);
  });

  it('shows structure, decoded words and attachments, whose ids change at every get', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, MIRA, ['readonly']));
    const body = [
      '--b',
      'Content-Type: text/plain; charset=iso-8859-1',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'Gr=FC=DFe, a long =',
      'line',
      '--b',
      "Content-Type: application/pdf; name*0*=utf-8''Rech; name*1*=nung%20%C3%BC.pdf",
      'Content-Transfer-Encoding: base64',
      'Content-Disposition: attachment',
      '',
      Buffer.from('%PDF-1.7').toString('base64'),
      '--b--',
    ].join('\r\n');
    google.mail.receive(
      mime({ Subject: '=?utf-8?Q?Gr=C3=BC=C3=9Fe?=', 'Content-Type': 'multipart/mixed; boundary=b' }, body),
      [MIRA],
    );
    const id = google.mail.messages(MIRA)[0]?.id ?? '';
    const get = async () => (await gmail.users.messages.get({ userId: 'me', id })).data;
    const [one, two] = [await get(), await get()];
    expect(one.snippet).toBe('Grüße, a long line');
    expect(one.payload?.headers?.find(({ name }) => name === 'Subject')?.value).toBe('Grüße');
    const [text, pdf] = one.payload?.parts ?? [];
    expect(text).toMatchObject({ partId: '0', mimeType: 'text/plain', filename: '' });
    expect(pdf).toMatchObject({ partId: '1', mimeType: 'application/pdf', filename: 'Rechnung ü.pdf' });
    expect(pdf?.body?.attachmentId).not.toBe(two.payload?.parts?.[1]?.body?.attachmentId);
    const attachment = await gmail.users.messages.attachments.get({
      userId: 'me',
      messageId: id,
      id: pdf?.body?.attachmentId ?? '',
    });
    expect(Buffer.from(attachment.data.data ?? '', 'base64url').toString()).toBe('%PDF-1.7');
    const { data: raw } = await gmail.users.messages.get({ userId: 'me', id, format: 'raw' });
    expect(Buffer.from(raw.raw ?? '', 'base64url').toString()).toContain(body);
  });

  it('answers 404 for a strange id and 400 for a bad one', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['readonly']));
    expect(await refusal(gmail.users.messages.get({ userId: 'me', id: '123abc' }))).toMatchObject({
      status: 404,
      reason: 'notFound',
      message: 'Requested entity was not found.',
    });
    expect(await refusal(gmail.users.messages.get({ userId: 'me', id: 'zz' }))).toMatchObject({ status: 400 });
  });
});

describe('settings.sendAs', () => {
  it('lists primary, accepted, pending, and an entry without any status', async () => {
    const google = await start();
    google.accounts.addSendAs(OFFICE, { email: 'odd@brightwater.example', status: 'none' });
    const gmail = gmailOf(google, await connect(google, OFFICE, ['settings.basic']));
    const { data } = await gmail.users.settings.sendAs.list({ userId: 'me' });
    expect(
      data.sendAs?.map(({ sendAsEmail, verificationStatus, isPrimary, isDefault }) => [
        sendAsEmail,
        verificationStatus,
        isPrimary,
        isDefault,
      ]),
    ).toEqual([
      [OFFICE, undefined, true, true],
      ['accounts@brightwater.example', 'accepted', undefined, undefined],
      ['sales@brightwater.example', 'pending', undefined, undefined],
      ['odd@brightwater.example', undefined, undefined, undefined],
    ]);
    const one = await gmail.users.settings.sendAs.get({ userId: 'me', sendAsEmail: 'accounts@brightwater.example' });
    expect(one.data.displayName).toBe('Accounts, Brightwater');
    expect(await refusal(gmail.users.settings.sendAs.get({ userId: 'me', sendAsEmail: 'no@x.example' }))).toMatchObject(
      { status: 404 },
    );
  });
});
