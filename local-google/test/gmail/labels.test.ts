import { describe, expect, it } from 'vitest';
import { DANA, office, refusal, sendMail } from './support.ts';

describe('messages', () => {
  it('get labels and lose them, and lists follow at once', async () => {
    const { gmail } = await office();
    const { id } = await sendMail(gmail);
    const { data } = await gmail.users.messages.modify({
      userId: 'me',
      id,
      requestBody: { addLabelIds: ['STARRED', 'UNREAD'] },
    });
    expect(data.labelIds).toEqual(['SENT', 'STARRED', 'UNREAD']);
    const listed = async (...labelIds: string[]) =>
      (await gmail.users.messages.list({ userId: 'me', labelIds })).data.messages?.length ?? 0;
    expect([await listed('SENT', 'STARRED'), await listed('SENT', 'INBOX')]).toEqual([1, 0]);
    await gmail.users.messages.modify({ userId: 'me', id, requestBody: { removeLabelIds: ['STARRED'] } });
    expect(await listed('STARRED')).toBe(0);
  });

  it('cannot be made sent, and take no unknown label', async () => {
    const { gmail } = await office();
    const { id } = await sendMail(gmail);
    const change = (requestBody: Record<string, string[]>) =>
      refusal(gmail.users.messages.modify({ userId: 'me', id, requestBody }));
    expect(await change({ removeLabelIds: ['SENT'] })).toMatchObject({ status: 400, message: 'Invalid label: SENT' });
    expect(await change({ addLabelIds: ['Label_9'] })).toMatchObject({ message: 'Invalid label: Label_9' });
    expect(await change({})).toMatchObject({ message: 'No label add or removes specified' });
  });

  it('go to the trash out of lists, and come back', async () => {
    const { gmail } = await office();
    const { id } = await sendMail(gmail);
    const listed = async (includeSpamTrash: boolean) =>
      (await gmail.users.messages.list({ userId: 'me', includeSpamTrash, labelIds: ['SENT'] })).data.messages?.length ??
      0;
    expect((await gmail.users.messages.trash({ userId: 'me', id })).data.labelIds).toEqual(['SENT', 'TRASH']);
    expect([await listed(false), await listed(true)]).toEqual([0, 1]);
    await gmail.users.messages.untrash({ userId: 'me', id });
    expect(await listed(false)).toBe(1);
  });

  it('change many at once, passing over ids that are not there', async () => {
    const { gmail } = await office();
    const ids = [(await sendMail(gmail)).id, (await sendMail(gmail)).id, '123abc'];
    const { status } = await gmail.users.messages.batchModify({
      userId: 'me',
      requestBody: { ids, addLabelIds: ['STARRED'] },
    });
    expect(status).toBe(204);
    const { data } = await gmail.users.messages.list({ userId: 'me', labelIds: ['STARRED'] });
    expect(data.messages).toHaveLength(2);
  });

  it('are deleted only with the scope of everything', async () => {
    const { gmail } = await office();
    const { id } = await sendMail(gmail);
    expect(await refusal(gmail.users.messages.delete({ userId: 'me', id }))).toMatchObject({
      status: 403,
      reason: 'insufficientPermissions',
    });
  });
});

describe('labels', () => {
  it('list the system’s and the user’s own', async () => {
    const { gmail } = await office(['labels']);
    await gmail.users.labels.create({ userId: 'me', requestBody: { name: 'Invoices' } });
    const { data } = await gmail.users.labels.list({ userId: 'me' });
    const ids = data.labels?.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['INBOX', 'SENT', 'DRAFT', 'TRASH', 'SPAM', 'UNREAD', 'Label_1']));
    expect(data.labels?.at(-1)).toMatchObject({ name: 'Invoices', type: 'user', labelListVisibility: 'labelShow' });
  });

  it('count messages and threads, read and unread', async () => {
    const { gmail } = await office();
    const { data: label } = await gmail.users.labels.create({ userId: 'me', requestBody: { name: 'Customers/Mira' } });
    const id = label.id ?? '';
    const message = await sendMail(gmail);
    await gmail.users.messages.modify({ userId: 'me', id: message.id, requestBody: { addLabelIds: [id, 'UNREAD'] } });
    expect((await gmail.users.labels.get({ userId: 'me', id })).data).toMatchObject({
      messagesTotal: 1,
      messagesUnread: 1,
      threadsTotal: 1,
      threadsUnread: 1,
    });
  });

  it('are renamed, by patch or update, and refuse a name that is taken', async () => {
    const { gmail } = await office(['labels']);
    const make = async (name: string) =>
      (await gmail.users.labels.create({ userId: 'me', requestBody: { name } })).data.id ?? '';
    const [one] = [await make('One'), await make('Two')];
    const renamed = await gmail.users.labels.patch({ userId: 'me', id: one, requestBody: { name: 'First' } });
    expect(renamed.data).toMatchObject({ id: one, name: 'First' });
    expect(
      await refusal(gmail.users.labels.update({ userId: 'me', id: one, requestBody: { name: 'two' } })),
    ).toMatchObject({
      status: 409,
      message: 'Label name exists or conflicts',
    });
    expect(await refusal(gmail.users.labels.create({ userId: 'me', requestBody: { name: 'Inbox' } }))).toMatchObject({
      status: 400,
      message: 'Invalid label name',
    });
  });

  it('leave their messages when they are deleted, and the system’s cannot be', async () => {
    const { google, gmail } = await office();
    const id = (await gmail.users.labels.create({ userId: 'me', requestBody: { name: 'Gone' } })).data.id ?? '';
    const message = await sendMail(gmail, { to: DANA });
    await gmail.users.messages.modify({ userId: 'me', id: message.id, requestBody: { addLabelIds: [id] } });
    expect((await gmail.users.labels.delete({ userId: 'me', id })).status).toBe(204);
    expect(google.mail.messages('office@brightwater.example').at(-1)?.labels).toEqual(['SENT']);
    expect(await refusal(gmail.users.labels.get({ userId: 'me', id }))).toMatchObject({ status: 404 });
    expect(await refusal(gmail.users.labels.delete({ userId: 'me', id: 'INBOX' }))).toMatchObject({ status: 400 });
  });
});
