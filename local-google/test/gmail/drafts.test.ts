import { describe, expect, it } from 'vitest';
import { composeRaw, headerOf, MIRA, OFFICE, office, readBack, refusal, sendMail } from './support.ts';

describe('drafts', () => {
  it('keep their id when they are updated, and change their message', async () => {
    const { gmail } = await office(['compose']);
    const created = await gmail.users.drafts.create({
      userId: 'me',
      requestBody: { message: { raw: await composeRaw() } },
    });
    const id = created.data.id ?? '';
    expect(id).toMatch(/^r-\d+$/);
    expect(created.data.message?.labelIds).toEqual(['DRAFT']);
    const updated = await gmail.users.drafts.update({
      userId: 'me',
      id,
      requestBody: { message: { raw: await composeRaw({ subject: 'Invoice 142' }) } },
    });
    expect(updated.data.id).toBe(id);
    expect(updated.data.message?.id).not.toBe(created.data.message?.id);
    expect(updated.data.message?.threadId).toBe(created.data.message?.threadId);
    const { data } = await gmail.users.drafts.get({ userId: 'me', id, format: 'full' });
    expect(data.message?.payload?.headers?.find(({ name }) => name === 'Subject')?.value).toBe('Invoice 142');
  });

  it('send: the draft goes, its message comes back with a new id, SENT, and in its thread', async () => {
    const { google, gmail } = await office();
    const raw = await composeRaw({ headers: { 'X-Letterhead-Delivery': 'd-1' }, messageId: '<mine@here>' });
    const { data: draft } = await gmail.users.drafts.create({ userId: 'me', requestBody: { message: { raw } } });
    const { data: sent } = await gmail.users.drafts.send({ userId: 'me', requestBody: { id: draft.id ?? '' } });
    expect(sent.labelIds).toEqual(['SENT']);
    expect(sent.id).not.toBe(draft.message?.id);
    expect(sent.threadId).toBe(draft.message?.threadId);
    expect(await refusal(gmail.users.drafts.get({ userId: 'me', id: draft.id ?? '' }))).toMatchObject({ status: 404 });
    expect(await refusal(gmail.users.messages.get({ userId: 'me', id: draft.message?.id ?? '' }))).toMatchObject({
      status: 404,
    });
    expect((await gmail.users.drafts.list({ userId: 'me' })).data).toEqual({ resultSizeEstimate: 0 });
    expect(google.truth.accepted()).toMatchObject([{ deliveryId: 'd-1', via: 'draft', recipients: [MIRA] }]);
    const arrived = await readBack(google, MIRA);
    expect(arrived.messageId).toMatch(/@mail\.gmail\.com>$/);
    expect(headerOf(arrived, 'x-letterhead-delivery')).toBe('d-1');
  });

  it('answer 404 to a second send', async () => {
    const { google, gmail } = await office(['compose']);
    const { data } = await gmail.users.drafts.create({
      userId: 'me',
      requestBody: { message: { raw: await composeRaw() } },
    });
    const send = () => gmail.users.drafts.send({ userId: 'me', requestBody: { id: data.id ?? '' } });
    await send();
    expect(await refusal(send())).toMatchObject({ status: 404, reason: 'notFound' });
    expect(google.truth.accepted()).toHaveLength(1);
  });

  it('go out a second time when the switch says that Gmail does so', async () => {
    const { google, gmail } = await office(['compose']);
    google.policies.setUnconfirmed({ secondDraftSend: 'sendsAgain' });
    const { data } = await gmail.users.drafts.create({
      userId: 'me',
      requestBody: { message: { raw: await composeRaw() } },
    });
    const send = () => gmail.users.drafts.send({ userId: 'me', requestBody: { id: data.id ?? '' } });
    const [one, two] = [await send(), await send()];
    expect(one.data.id).not.toBe(two.data.id);
    expect(google.mail.messages(MIRA)).toHaveLength(2);
  });

  it('stay when Gmail refuses to send them', async () => {
    const { google, gmail } = await office(['compose']);
    const raw = Buffer.from('Subject: Nobody\r\n\r\nHello').toString('base64url');
    const { data } = await gmail.users.drafts.create({ userId: 'me', requestBody: { message: { raw } } });
    const id = data.id ?? '';
    expect(await refusal(gmail.users.drafts.send({ userId: 'me', requestBody: { id } }))).toMatchObject({
      status: 400,
      message: 'Recipient address required',
    });
    expect(google.drafts.ids(OFFICE)).toEqual([id]);
  });

  it('are listed newest first, as drafts and as messages with DRAFT', async () => {
    const { gmail } = await office();
    const ids: string[] = [];
    for (const subject of ['One', 'Two', 'Three']) {
      const requestBody = { message: { raw: await composeRaw({ subject }) } };
      ids.unshift((await gmail.users.drafts.create({ userId: 'me', requestBody })).data.id ?? '');
    }
    const first = (await gmail.users.drafts.list({ userId: 'me', maxResults: 2 })).data;
    const second = (await gmail.users.drafts.list({ userId: 'me', pageToken: first.nextPageToken ?? '' })).data;
    expect([...(first.drafts ?? []), ...(second.drafts ?? [])].map(({ id }) => id)).toEqual(ids);
    const { data } = await gmail.users.messages.list({ userId: 'me', labelIds: ['DRAFT'] });
    expect(data.messages).toHaveLength(3);
  });

  it('are deleted for good', async () => {
    const { gmail } = await office(['compose']);
    const requestBody = { message: { raw: await composeRaw() } };
    const id = (await gmail.users.drafts.create({ userId: 'me', requestBody })).data.id ?? '';
    expect((await gmail.users.drafts.delete({ userId: 'me', id })).status).toBe(204);
    expect(await refusal(gmail.users.drafts.delete({ userId: 'me', id }))).toMatchObject({ status: 404 });
  });

  it('come by upload as well', async () => {
    const { google, gmail } = await office(['compose']);
    const media = { mimeType: 'message/rfc822', body: Buffer.from(await composeRaw(), 'base64url').toString() };
    const { data } = await gmail.users.drafts.create({ userId: 'me', media }, { rootUrl: `${google.url}/` });
    await gmail.users.drafts.send({ userId: 'me', requestBody: { id: data.id ?? '' } });
    expect(google.mail.messages(MIRA)).toHaveLength(1);
  });

  it('join a thread by the three conditions', async () => {
    const { google, gmail } = await office();
    const first = await sendMail(gmail);
    const inReplyTo = google.truth.accepted()[0]?.messageId ?? '';
    const reply = await composeRaw({ subject: 'Re: Invoice 141', inReplyTo, references: inReplyTo });
    const requestBody = { message: { raw: reply, threadId: first.threadId } };
    const { data } = await gmail.users.drafts.create({ userId: 'me', requestBody });
    expect(data.message?.threadId).toBe(first.threadId);
    const sent = await gmail.users.drafts.send({ userId: 'me', requestBody: { id: data.id ?? '' } });
    expect(sent.data.threadId).toBe(first.threadId);
  });

  it('are edited and discarded by people, and a discard undone brings them back under another id', async () => {
    const { google, gmail } = await office();
    const raw = await composeRaw();
    const { data } = await gmail.users.drafts.create({ userId: 'me', requestBody: { message: { raw } } });
    const id = data.id ?? '';
    google.drafts.edit(OFFICE, id, Buffer.from(await composeRaw({ subject: 'Edited' }), 'base64url'));
    const edited = await gmail.users.drafts.get({ userId: 'me', id, format: 'metadata' });
    expect(edited.data.message?.id).not.toBe(data.message?.id);
    google.drafts.discard(OFFICE, id);
    const back = google.drafts.undoDiscard(OFFICE, id);
    expect(back).not.toBe(id);
    expect(google.drafts.raw(OFFICE, back).toString()).toContain('Subject: Edited');
  });
});
