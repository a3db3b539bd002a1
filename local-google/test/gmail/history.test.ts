import { describe, expect, it } from 'vitest';
import { composeRaw, OFFICE, office, refusal, renewed, sendMail } from './support.ts';

const WEEK = 7 * 24 * 60 * 60 * 1000;

describe('history', () => {
  it('begins after the given id and tells what was added, relabelled and deleted', async () => {
    const { gmail } = await office();
    const startHistoryId = (await gmail.users.getProfile({ userId: 'me' })).data.historyId ?? '';
    const { id } = await sendMail(gmail);
    await gmail.users.messages.modify({ userId: 'me', id, requestBody: { addLabelIds: ['STARRED'] } });
    await gmail.users.messages.modify({ userId: 'me', id, requestBody: { removeLabelIds: ['STARRED'] } });
    const requestBody = { message: { raw: await composeRaw() } };
    const draft = (await gmail.users.drafts.create({ userId: 'me', requestBody })).data;
    await gmail.users.drafts.delete({ userId: 'me', id: draft.id ?? '' });
    const { data } = await gmail.users.history.list({ userId: 'me', startHistoryId });
    expect(data.history).toMatchObject([
      { messagesAdded: [{ message: { id, labelIds: ['SENT'] } }], messages: [{ id }] },
      { labelsAdded: [{ message: { id }, labelIds: ['STARRED'] }] },
      { labelsRemoved: [{ message: { id }, labelIds: ['STARRED'] }] },
      { messagesAdded: [{ message: { id: draft.message?.id, labelIds: ['DRAFT'] } }] },
      { messagesDeleted: [{ message: { id: draft.message?.id } }] },
    ]);
    const after = await gmail.users.history.list({ userId: 'me', startHistoryId: data.historyId ?? '' });
    expect(after.data).toEqual({ historyId: data.historyId });
  });

  it('has no history field when nothing happened', async () => {
    const { gmail } = await office();
    const { data: profile } = await gmail.users.getProfile({ userId: 'me' });
    const { data } = await gmail.users.history.list({ userId: 'me', startHistoryId: profile.historyId ?? '' });
    expect(data).toEqual({ historyId: profile.historyId });
  });

  it('pages oldest first until there is no nextPageToken', async () => {
    const { gmail } = await office();
    const startHistoryId = (await gmail.users.getProfile({ userId: 'me' })).data.historyId ?? '';
    const sent: string[] = [];
    for (let n = 0; n < 5; n += 1) sent.push((await sendMail(gmail)).id);
    const seen: (string | null | undefined)[] = [];
    let pageToken: string | undefined;
    do {
      const { data } = await gmail.users.history.list({
        userId: 'me',
        startHistoryId,
        maxResults: 2,
        ...(pageToken === undefined ? {} : { pageToken }),
      });
      seen.push(...(data.history ?? []).map(({ messages }) => messages?.[0]?.id));
      pageToken = data.nextPageToken ?? undefined;
    } while (pageToken !== undefined);
    expect(seen).toEqual(sent);
  });

  it('is narrowed to types and to a label', async () => {
    const { gmail } = await office();
    const startHistoryId = (await gmail.users.getProfile({ userId: 'me' })).data.historyId ?? '';
    const { id } = await sendMail(gmail);
    await gmail.users.messages.modify({ userId: 'me', id, requestBody: { addLabelIds: ['STARRED'] } });
    const list = async (filter: { historyTypes?: string[]; labelId?: string }) =>
      (await gmail.users.history.list({ userId: 'me', startHistoryId, ...filter })).data.history ?? [];
    expect(await list({ historyTypes: ['labelAdded'] })).toMatchObject([{ labelsAdded: [{ labelIds: ['STARRED'] }] }]);
    expect(await list({ labelId: 'INBOX' })).toEqual([]);
    expect(await list({ labelId: 'SENT' })).toHaveLength(2);
  });

  it('answers 404 for an id that is older than a week, and goes on from a younger one', async () => {
    const { google, client, gmail } = await office();
    const old = (await gmail.users.getProfile({ userId: 'me' })).data.historyId ?? '';
    await sendMail(gmail);
    google.clock.forward(WEEK - 60_000);
    const later = await renewed(google, client);
    expect((await later.users.history.list({ userId: 'me', startHistoryId: old })).data.history).toHaveLength(1);
    await sendMail(later);
    const young = (await later.users.getProfile({ userId: 'me' })).data.historyId ?? '';
    google.clock.forward(120_000);
    expect(await refusal(later.users.history.list({ userId: 'me', startHistoryId: old }))).toMatchObject({
      status: 404,
      reason: 'notFound',
    });
    expect((await later.users.history.list({ userId: 'me', startHistoryId: young })).status).toBe(200);
  });

  it('is forgotten after hours when a test says so, and ids from before any mailbox are too old', async () => {
    const { google, gmail } = await office();
    const old = (await gmail.users.getProfile({ userId: 'me' })).data.historyId ?? '';
    await sendMail(gmail);
    google.mail.forgetHistory(OFFICE);
    for (const startHistoryId of [old, '1']) {
      expect(await refusal(gmail.users.history.list({ userId: 'me', startHistoryId }))).toMatchObject({ status: 404 });
    }
    expect(await refusal(gmail.users.history.list({ userId: 'me' }))).toMatchObject({ status: 400 });
  });
});
