import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CLIENT, oauthClient } from '../support.ts';
import { composeRaw, DANA, MIRA, OFFICE, office, patient, refusal, sendMail, start } from './support.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'local-gmail-'));
  folders.push(folder);
  return folder;
};

describe('a data folder', () => {
  it('keeps drafts, labels, watches and history ids across a restart', async () => {
    const dataDir = newFolder();
    const { google, client, gmail } = await office(['modify'], { dataDir });
    const startHistoryId = (await gmail.users.getProfile({ userId: 'me' })).data.historyId ?? '';
    const sent = await sendMail(gmail, { to: DANA });
    const { data: label } = await gmail.users.labels.create({ userId: 'me', requestBody: { name: 'Invoices' } });
    const addLabelIds = [label.id ?? ''];
    await gmail.users.messages.modify({ userId: 'me', id: sent.id, requestBody: { addLabelIds } });
    const create = async () =>
      (await gmail.users.drafts.create({ userId: 'me', requestBody: { message: { raw: await composeRaw() } } })).data;
    const [kept, gone, removed] = [await create(), await create(), await create()];
    await gmail.users.drafts.update({
      userId: 'me',
      id: kept.id ?? '',
      requestBody: { message: { raw: await composeRaw({ subject: 'Changed' }) } },
    });
    await gmail.users.drafts.send({ userId: 'me', requestBody: { id: gone.id ?? '' } });
    await gmail.users.drafts.delete({ userId: 'me', id: removed.id ?? '' });
    await gmail.users.watch({ userId: 'me', requestBody: { topicName: `projects/${CLIENT.id}/topics/mail` } });
    const before = (await gmail.users.history.list({ userId: 'me', startHistoryId })).data;
    await google.close();

    const again = await start({ dataDir });
    const auth = oauthClient(again);
    auth.setCredentials({ refresh_token: client.credentials.refresh_token ?? null });
    const after = patient(again, auth);
    expect((await after.users.history.list({ userId: 'me', startHistoryId })).data).toEqual(before);
    expect((await after.users.drafts.list({ userId: 'me' })).data.drafts?.map(({ id }) => id)).toEqual([kept.id]);
    expect((await after.users.drafts.get({ userId: 'me', id: kept.id ?? '' })).data.message?.threadId).toBe(
      kept.message?.threadId,
    );
    expect((await after.users.labels.get({ userId: 'me', id: label.id ?? '' })).data.messagesTotal).toBe(1);
    again.quotas.set({ messagesPerDay: 2 });
    expect(await refusal(sendMail(after)), 'what was sent before still counts').toMatchObject({ status: 429 });
  });
});

describe('headers only', () => {
  it('keeps headers, sizes, labels and threads, and forgets the text', async () => {
    const { google, gmail } = await office(['modify'], { headersOnly: true });
    const { id, threadId } = await sendMail(gmail, {
      text: 'x'.repeat(50_000),
      headers: { 'X-Letterhead-Delivery': 'd-1' },
    });
    const { data } = await gmail.users.messages.get({ userId: 'me', id, format: 'metadata' });
    expect(data.payload?.headers).toContainEqual({ name: 'X-Letterhead-Delivery', value: 'd-1' });
    expect(data.sizeEstimate).toBeGreaterThan(50_000);
    expect(data.threadId).toBe(threadId);
    const arrived = google.mail.messages(MIRA)[0];
    expect(arrived?.body).toHaveLength(0);
    expect(arrived?.head.toString()).toMatch(new RegExp(`^Delivered-To: ${MIRA}\r\nReturn-Path: <${OFFICE}>\r\n`));
  });

  it('still sends drafts whole and brings bounces back with the original', async () => {
    const { google, gmail } = await office(['modify'], { headersOnly: true });
    const raw = await composeRaw({ to: 'bounce@else.example', text: 'The whole text.' });
    const { data } = await gmail.users.drafts.create({ userId: 'me', requestBody: { message: { raw } } });
    const got = await gmail.users.drafts.get({ userId: 'me', id: data.id ?? '' });
    expect(got.data.message?.snippet).toBe('The whole text.');
    await gmail.users.drafts.send({ userId: 'me', requestBody: { id: data.id ?? '' } });
    expect(google.truth.accepted()[0]?.size).toBeGreaterThan(100);
    expect(google.mail.messages(OFFICE).at(-1)?.size).toBeGreaterThan(2000);
  });
});
