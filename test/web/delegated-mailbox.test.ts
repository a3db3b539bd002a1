import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { said } from '../support/visitor.ts';
import { sendOnly, type Workspace, workspace } from '../support/workspace.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead();
});
afterAll(() => letterhead.close());

/** A Workspace that is allowed, and the page of Tom's address in it. */
async function allowed(scopes = sendOnly) {
  const one = await workspace(letterhead);
  one.authorise(scopes);
  await one.store();
  // The mailbox is made when somebody first looks for it.
  await one.tom.visitor.get('/settings/email');
  const { id } = await one.tomsMailbox();
  return { ...one, id, address: `/mailboxes/${id}` };
}
const check = ({ founder }: Workspace) => founder.post('/settings/email/workspace/check');

describe('an address that is sent from by Google Workspace', () => {
  it('has a page, to which the email settings lead its owner: how it stands, what is allowed, and no way to cut it off', async () => {
    const one = await allowed();
    const settings = await one.tom.visitor.get('/settings/email');
    expect(settings.text).toContain(`href="${one.address}"`);
    expect(said(settings)).toContain('through your company’s Google Workspace');
    const page = await one.tom.visitor.get(one.address);
    expect(page.status).toBe(200);
    expect(said(page)).toContain('Your own address, through your company’s Google Workspace');
    expect(said(page)).toContain(`Your administrator decides this for everybody at ${one.domain}`);
    for (const button of ['Disconnect', 'Reconnect', 'Switch on', 'Choose who may use it'])
      expect(said(page)).not.toContain(button);
    for (const link of ['/check-up', '/name', '/pause']) expect(page.text).toContain(`"${one.address}${link}"`);
  });

  it('is nobody else’s, not an owner’s either', async () => {
    const one = await allowed();
    for (const path of ['', '/check-up', '/waiting', '/name'])
      expect((await one.founder.get(`${one.address}${path}`)).status, path).toBe(404);
    for (const path of ['/pause', '/resumption', '/recheck', '/check-up', '/disconnection'])
      expect((await one.founder.post(`${one.address}${path}`)).status, path).toBe(404);
  });

  it('cannot be connected, disconnected, made a default or given permissions, even by its owner', async () => {
    const one = await allowed();
    const { visitor } = one.tom;
    for (const path of ['/disconnection', '/permissions/aliases'])
      expect((await visitor.get(`${one.address}${path}`)).status, path).toBe(404);
    const posts = ['/disconnection', '/permissions/aliases', '/send-as-refresh'];
    for (const path of posts) expect((await visitor.post(`${one.address}${path}`)).status, path).toBe(404);
    const reconnect = await visitor.post('/mailboxes/connection', { kind: 'personal', mailboxId: one.id });
    expect(reconnect.status).toBe(404);
  });

  it('takes a name and an address for replies, and shows its history and what waits', async () => {
    const { address, tom, id } = await allowed();
    const saved = await tom.visitor.post(`${address}/name`, { name: 'Tom, Brightwater', replyTo: '' });
    expect(saved.location).toBe(address);
    expect(said(await tom.visitor.get(address))).toContain('Tom, Brightwater');
    expect((await tom.visitor.get(`/activity/mailboxes?mailbox=${id}`)).status).toBe(200);
    expect((await tom.visitor.get(`${address}/waiting`)).status).toBe(200);
  });

  it('has a check-up, and a test email there and back', async () => {
    const { address, tom } = await allowed();
    expect((await tom.visitor.post(`${address}/check-up`)).location).toBe(`${address}/check-up`);
    const page = await tom.visitor.get(`${address}/check-up`);
    expect(said(page)).toContain('Nothing wrong was found');
    await tom.visitor.post(`${address}/check-up/test-email`, { key: crypto.randomUUID() });
    await expect
      .poll(() => letterhead.google.truth.accepted().filter((each) => each.account === tom.account))
      .toHaveLength(1);
    expect((await tom.visitor.get(`${address}/check-up/report.txt`)).text).toContain(tom.account);
  });
});

describe('that it ended', () => {
  it('is told beside a company’s account that ended, in words that are true of both', async () => {
    const one = await allowed();
    await one.founder.get('/settings/email');
    one.authorise([]);
    await check(one);
    letterhead.google.accounts.changePassword(one.account);
    letterhead.google.accounts.expireAccessTokens(one.account);
    await one.founder.post(`/mailboxes/${one.mailboxId}/check-up`);
    expect(said(await one.founder.get('/'))).toContain(`2 accounts cannot send: ${one.account} and ${one.account}.`);
  });
});

describe('its owner’s pause', () => {
  it('holds what is sent, whatever an admin checks meanwhile, until they resume it', async () => {
    const one = await allowed();
    const { visitor } = one.tom;
    await visitor.post(`${one.address}/pause`);
    const id = await one.sendAsTom();
    await one.reaches(id, 'held');
    await check(one);
    expect(await one.tomsMailbox()).toMatchObject({ state: 'paused' });
    expect((await one.delivery(id)).state).toBe('held');
    await visitor.post(`${one.address}/resumption`);
    await one.reaches(id, 'sent');
    expect(one.accepted(id)).toHaveLength(1);
  });

  it('hides no ending: resumed after the administrator took it back, the page says so at once, and later that it works', async () => {
    const one = await allowed();
    const { visitor } = one.tom;
    await visitor.post(`${one.address}/pause`);
    one.authorise([]);
    await check(one);
    expect(said(await visitor.get(one.address))).toMatch(
      /When it is resumed it cannot send yet: Google no longer lets Letterhead send/,
    );
    await visitor.post(`${one.address}/resumption`);
    const ended = said(await visitor.get(one.address));
    expect(ended).toContain('Cannot send Your own address');
    expect(ended).toContain('An owner or admin can see why in Settings → Email → Google Workspace');
    one.authorise(sendOnly);
    await check(one);
    expect(await one.tomsMailbox()).toMatchObject({ state: 'active', state_reason: null });
  });
});
