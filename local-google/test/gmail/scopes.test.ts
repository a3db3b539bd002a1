import { describe, expect, it } from 'vitest';
import type { METHODS } from '../../src/gmail/methods.ts';
import { composeRaw, connect, OFFICE, office, patient, refusal, start } from './support.ts';

const base = '/gmail/v1/users/me';

/** Each method as a call; the ids are strange, so that what is allowed answers 400, 403 or 404 of another kind. */
const CALLS: Record<keyof typeof METHODS, [string, string]> = {
  getProfile: ['GET', '/profile'],
  watch: ['POST', '/watch'],
  stop: ['POST', '/stop'],
  listHistory: ['GET', '/history?startHistoryId=1'],
  send: ['POST', '/messages/send'],
  list: ['GET', '/messages'],
  get: ['GET', '/messages/12ab?format=minimal'],
  attachment: ['GET', '/messages/12ab/attachments/x'],
  modify: ['POST', '/messages/12ab/modify'],
  batchModify: ['POST', '/messages/batchModify'],
  trash: ['POST', '/messages/12ab/trash'],
  untrash: ['POST', '/messages/12ab/untrash'],
  remove: ['DELETE', '/messages/12ab'],
  createDraft: ['POST', '/drafts'],
  getDraft: ['GET', '/drafts/r1?format=minimal'],
  listDrafts: ['GET', '/drafts'],
  updateDraft: ['PUT', '/drafts/r1'],
  sendDraft: ['POST', '/drafts/send'],
  removeDraft: ['DELETE', '/drafts/r1'],
  listThreads: ['GET', '/threads'],
  getThread: ['GET', '/threads/12ab?format=minimal'],
  modifyThread: ['POST', '/threads/12ab/modify'],
  trashThread: ['POST', '/threads/12ab/trash'],
  untrashThread: ['POST', '/threads/12ab/untrash'],
  listLabels: ['GET', '/labels'],
  getLabel: ['GET', '/labels/INBOX'],
  createLabel: ['POST', '/labels'],
  updateLabel: ['PATCH', '/labels/Label_1'],
  removeLabel: ['DELETE', '/labels/Label_1'],
  listSendAs: ['GET', '/settings/sendAs'],
  getSendAs: ['GET', '/settings/sendAs/x@y.example'],
  updateSendAs: ['PATCH', '/settings/sendAs/x@y.example'],
  createSendAs: ['POST', '/settings/sendAs'],
  removeSendAs: ['DELETE', '/settings/sendAs/x@y.example'],
  verifySendAs: ['POST', '/settings/sendAs/x@y.example/verify'],
};

/** What each scope opens (docs/google.md, Scopes). */
const OPENS: Record<string, (keyof typeof METHODS)[]> = {
  labels: ['listLabels', 'getLabel', 'createLabel', 'updateLabel', 'removeLabel'],
  send: ['send'],
  compose: ['getProfile', 'send', 'createDraft', 'getDraft', 'listDrafts', 'updateDraft', 'sendDraft', 'removeDraft'],
  metadata: [
    'getProfile',
    'watch',
    'stop',
    'listHistory',
    'list',
    'get',
    'listThreads',
    'getThread',
    'listLabels',
    'getLabel',
  ],
  readonly: [
    ...(['getProfile', 'watch', 'stop', 'listHistory', 'list', 'get', 'attachment', 'getDraft', 'listDrafts'] as const),
    ...(['listThreads', 'getThread', 'listLabels', 'getLabel', 'listSendAs', 'getSendAs'] as const),
  ],
  'settings.basic': ['listSendAs', 'getSendAs', 'updateSendAs'],
};

describe('scopes', () => {
  it.each(Object.entries(OPENS))('gmail.%s opens %j and nothing else', async (scope, opened) => {
    const { google, token } = await office([scope]);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const open: string[] = [];
    for (const [name, [method, path]] of Object.entries(CALLS)) {
      const response = await fetch(google.url + base + path, {
        method,
        headers,
        ...(method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }),
      });
      if (!(await response.text()).includes('ACCESS_TOKEN_SCOPE_INSUFFICIENT')) open.push(name);
    }
    expect(open.sort()).toEqual([...opened].sort());
  });

  it('gmail.metadata refuses q, full and raw on messages, threads and drafts, even beside modify', async () => {
    const google = await start();
    const gmail = patient(google, await connect(google, OFFICE, ['metadata', 'modify']));
    const requestBody = { message: { raw: await composeRaw() } };
    const { data } = await gmail.users.drafts.create({ userId: 'me', requestBody });
    const ids = { userId: 'me', id: data.message?.id ?? '' };
    for (const call of [
      gmail.users.messages.list({ userId: 'me', q: 'in:sent' }),
      gmail.users.threads.list({ userId: 'me', q: 'in:sent' }),
      gmail.users.drafts.list({ userId: 'me', q: 'in:sent' }),
      gmail.users.messages.get({ ...ids, format: 'raw' }),
      gmail.users.messages.get({ ...ids, format: 'full' }),
      gmail.users.threads.get({ ...ids, format: 'full' }),
      gmail.users.drafts.get({ userId: 'me', id: data.id ?? '', format: 'full' }),
    ]) {
      expect(await refusal(call)).toMatchObject({ status: 403, message: expect.stringContaining('Metadata scope') });
    }
    expect((await gmail.users.messages.get({ ...ids, format: 'metadata' })).data.payload?.headers).toBeTruthy();
  });

  it('refuses every method but settings to an account without a mailbox', async () => {
    const { google, gmail } = await office();
    google.accounts.setMailEnabled(OFFICE, false);
    for (const call of [
      gmail.users.messages.list({ userId: 'me' }),
      gmail.users.drafts.list({ userId: 'me' }),
      gmail.users.history.list({ userId: 'me', startHistoryId: '1000' }),
      gmail.users.labels.list({ userId: 'me' }),
    ]) {
      expect(await refusal(call)).toMatchObject({ status: 400, message: 'Mail service not enabled' });
    }
  });
});
