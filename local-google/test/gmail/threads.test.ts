import { describe, expect, it } from 'vitest';
import { connect, DANA, gmailOf, office, refusal, sendMail } from './support.ts';

async function conversation() {
  const { google, gmail } = await office();
  const first = await sendMail(gmail, { to: DANA });
  const inReplyTo = google.truth.accepted()[0]?.messageId ?? '';
  const dana = gmailOf(google, await connect(google, DANA, ['modify']));
  await sendMail(dana, { from: DANA, to: 'office@brightwater.example', subject: 'Re: Invoice 141', inReplyTo });
  return { google, gmail, threadId: first.threadId };
}

describe('threads', () => {
  it('hold the sent message and the answer to it, oldest first', async () => {
    const { gmail, threadId } = await conversation();
    const { data } = await gmail.users.threads.get({ userId: 'me', id: threadId, format: 'metadata' });
    expect(data.messages?.map(({ labelIds }) => labelIds)).toEqual([['SENT'], ['INBOX', 'UNREAD']]);
    expect(Number(data.historyId)).toBeGreaterThan(1000);
  });

  it('are listed once each, by the newest message that fits, with its snippet', async () => {
    const { gmail, threadId } = await conversation();
    await sendMail(gmail, { subject: 'Another' });
    const { data } = await gmail.users.threads.list({ userId: 'me' });
    expect(data.threads?.map(({ id }) => id)).toContain(threadId);
    expect(new Set(data.threads?.map(({ id }) => id)).size).toBe(data.threads?.length);
    const inbox = await gmail.users.threads.list({ userId: 'me', labelIds: ['INBOX', 'UNREAD'] });
    expect(inbox.data.threads).toMatchObject([{ id: threadId, snippet: 'Good morning.' }, {}]);
  });

  it('page without repeating one', async () => {
    const { gmail } = await office();
    for (const subject of ['A', 'B', 'C']) await sendMail(gmail, { subject });
    const first = (await gmail.users.threads.list({ userId: 'me', labelIds: ['SENT'], maxResults: 2 })).data;
    const pageToken = first.nextPageToken ?? '';
    const second = (await gmail.users.threads.list({ userId: 'me', labelIds: ['SENT'], pageToken })).data;
    const ids = [...(first.threads ?? []), ...(second.threads ?? [])].map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    expect(second.nextPageToken).toBeUndefined();
  });

  it('are relabelled, trashed and brought back as a whole', async () => {
    const { gmail, threadId } = await conversation();
    const id = threadId;
    await gmail.users.threads.modify({ userId: 'me', id, requestBody: { addLabelIds: ['STARRED'] } });
    const labels = async () =>
      (await gmail.users.threads.get({ userId: 'me', id, format: 'minimal' })).data.messages?.map(
        ({ labelIds }) => labelIds,
      );
    expect(await labels()).toEqual([
      ['SENT', 'STARRED'],
      ['INBOX', 'UNREAD', 'STARRED'],
    ]);
    await gmail.users.threads.trash({ userId: 'me', id });
    expect(await labels()).toEqual([
      ['SENT', 'STARRED', 'TRASH'],
      ['UNREAD', 'STARRED', 'TRASH'],
    ]);
    await gmail.users.threads.untrash({ userId: 'me', id });
    expect((await labels())?.flat()).not.toContain('TRASH');
  });

  it('answer 404 for a strange id', async () => {
    const { gmail } = await office();
    expect(await refusal(gmail.users.threads.get({ userId: 'me', id: '123abc' }))).toMatchObject({ status: 404 });
  });
});
