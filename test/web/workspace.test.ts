import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listDelegations } from '../../src/mailboxes/delegations.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { said, visitor } from '../support/visitor.ts';
import { sendOnly, type Workspace, workspace } from '../support/workspace.ts';

const address = '/settings/email/workspace';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ timeStands: true });
});
afterAll(() => letterhead.close());

const give = ({ founder, keyFile }: Pick<Workspace, 'founder' | 'keyFile'>, text = keyFile) =>
  founder.upload(address, 'keyFile', [{ name: 'key.json', bytes: Buffer.from(text) }]);
const look = async ({ founder }: Pick<Workspace, 'founder'>) => said(await founder.get(address));
const check = async (one: Workspace) => {
  const answer = await one.founder.post(`${address}/check`);
  expect(answer).toMatchObject({ status: 303, location: address });
  return look(one);
};
const kept = async ({ tenantId }: Pick<Workspace, 'tenantId'>) =>
  inTenant(letterhead.database.db, tenantId, (trx) => listDelegations(trx, tenantId));

/** Set up over the pages. */
async function setUp(): Promise<Workspace> {
  const one = await workspace(letterhead);
  one.authorise(sendOnly);
  expect(await give(one)).toMatchObject({ status: 303, location: address });
  expect(await kept(one)).toMatchObject([{ state: 'active', addedByName: expect.any(String) }]);
  return one;
}

describe('setting up Google Workspace', () => {
  it('says what to make, what to paste where, and when it works', async () => {
    const one = await workspace(letterhead);
    expect(said(await one.founder.get('/settings/email'))).toContain('without each of them connecting Gmail');
    expect(await look(one)).toMatch(/Set it up.*Create service account.*Key file/);

    expect(await give(one)).toMatchObject({ status: 303 });
    const waiting = await look(one);
    expect(waiting).toContain('Waits for your administrator');
    expect(waiting).toContain(`Client ID paste ${one.clientId}`);
    expect(waiting).toContain(`OAuth scopes paste ${sendOnly.join(',')}`);
    expect(waiting).toContain('Manage domain-wide delegation');
    expect(await check(one)).toContain('does not let it through yet');

    one.authorise(sendOnly);
    const works = await check(one);
    expect(works).toContain(`Letterhead can send as the people of ${one.domain} now.`);
    expect(works).toContain('2 members are sent as this way.');
    const id = await one.sendAsTom();
    await one.reaches(id, 'sent');
    expect(one.accepted(id)).toMatchObject([{ account: one.tom.account, clientId: one.clientId }]);
    const page = said(await one.tom.visitor.get('/settings/email'));
    expect(page).toContain('your company’s Google Workspace lets Letterhead send as you');
    // It is nobody's connection: there is nothing to disconnect.
    const mailbox = await one.tomsMailbox();
    expect((await one.tom.visitor.post(`/mailboxes/${mailbox.id}/disconnection`)).status).toBe(404);
  });

  it('takes the text of the file as well', async () => {
    const one = await workspace(letterhead);
    one.authorise(sendOnly);
    const answer = await one.founder.post(address, { keyText: `\n ${one.keyFile} \n` });
    expect(answer).toMatchObject({ status: 303, location: address });
    expect(await kept(one)).toMatchObject([{ state: 'active' }]);
  });

  it.each<[string, (one: Workspace) => string, RegExp]>([
    ['no file', () => '', /Choose the key file/],
    ['another file', () => '{"web":{"client_id":"1"}}', /OAuth client/],
    ['half a file', ({ keyFile }) => keyFile.slice(0, 300), /not JSON/],
    ['far too large a file', ({ keyFile }) => keyFile + ' '.repeat(60_000), /larger than any key file/],
  ])('is refused with %s, and nothing of it is said back', async (_what, text, words) => {
    const one = await workspace(letterhead);
    const page = await give(one, text(one));
    expect(page.status).toBe(422);
    expect(said(page)).toMatch(words);
    expect(page.text).not.toContain('PRIVATE KEY');
    expect(await kept(one)).toEqual([]);
  });

  it('is for owners and admins alone', async () => {
    const one = await setUp();
    for (const path of [address, `${address}/check`]) {
      expect((await one.tom.visitor.post(path)).status, path).toBe(403);
    }
    expect((await one.tom.visitor.get(address)).status).toBe(403);
    expect(await one.tom.visitor.upload(address, 'keyFile', [{ name: 'k', bytes: Buffer.from('x') }])).toMatchObject({
      status: 403,
    });
    expect(said(await one.tom.visitor.get('/settings/email'))).not.toContain('Google Workspace Works');
  });

  it('cannot be done from an account that no Workspace manages, whatever its address', async () => {
    const one = await company(letterhead);
    await inTenant(letterhead.database.db, one.tenantId, (trx) =>
      trx.updateTable('members').set({ hd: null }).execute(),
    );
    expect(await look(one)).toContain('Google does not say that a Workspace manages');
    const key = await letterhead.google.addServiceAccount('somebody@project.iam.gserviceaccount.com');
    expect(await give({ ...one, keyFile: JSON.stringify(key) })).toMatchObject({ status: 422 });
    expect(await kept(one)).toEqual([]);
    expect(said(await one.founder.get('/settings/email'))).not.toContain('Google Workspace');
  });

  it('says it where the Gmail API is off in the project of the service account', async () => {
    const one = await workspace(letterhead);
    const project = JSON.parse(one.keyFile).client_email;
    letterhead.google.policies.setApp(project, { apiEnabled: false });
    one.authorise(sendOnly);
    await give(one);
    expect(await look(one)).toContain('The Gmail API is not enabled in the Google Cloud project');
    expect(await kept(one)).toMatchObject([{ state: 'waiting', stateReason: 'api_disabled' }]);
    letterhead.google.policies.setApp(project, { apiEnabled: true });
    expect(await check(one)).toContain('Works');
    // Looking sends nothing.
    expect(letterhead.google.truth.accepted().filter(({ clientId }) => clientId === one.clientId)).toEqual([]);
  });

  it('says so when Google cannot be asked, and keeps the file', async () => {
    const one = await workspace(letterhead);
    one.authorise(sendOnly);
    letterhead.google.faults.add({ method: 'token', times: 1, effect: { kind: 'drop', when: 'before' } });
    const page = await give(one);
    expect(page.status).toBe(502);
    expect(said(page)).toContain('press “Check again” in a minute');
    expect(await check(one)).toContain('Works');
  });
});

describe('what is set up', () => {
  it('that the administrator takes back holds everybody’s emails, says why, and goes on where it left off', async () => {
    const one = await setUp();
    await one.reaches(await one.sendAsTom(), 'sent');
    one.authorise([]);
    letterhead.google.clock.forward(3_600_000);
    const id = await one.sendAsTom();
    await one.reaches(id, 'held');
    const page = await look(one);
    expect(page).toContain('Needs attention');
    expect(page).toContain(`does not let this service account send as its people`);
    expect(page).toContain(one.clientId);
    one.authorise(sendOnly);
    expect(await check(one)).toContain('1 email is going out now.');
    await one.reaches(id, 'sent');
  });

  it('whose key is deleted asks for a new file, which may be of the same service account', async () => {
    const one = await setUp();
    const fresh = await letterhead.google.addServiceAccount(JSON.parse(one.keyFile).client_email);
    expect(await check(one)).toMatch(/this key of it, was deleted or disabled.*Give a key file/);
    expect(await give(one, JSON.stringify(fresh))).toMatchObject({ status: 303 });
    expect(await look(one)).toContain('Works');
  });

  it('is not given up for a file that does not work', async () => {
    const one = await setUp();
    const other = await letterhead.google.addServiceAccount('other@project.iam.gserviceaccount.com');
    const page = await give(one, JSON.stringify(other));
    expect(page.status).toBe(422);
    expect(said(page)).toContain('this file was not stored, and the one that works stays in use');
    await one.reaches(await one.sendAsTom(), 'sent');
  });

  it('names who cannot be sent as, and why', async () => {
    const one = await setUp();
    letterhead.google.accounts.delete(one.tom.account);
    await one.reaches(await one.sendAsTom(), 'held');
    expect(await look(one)).toContain(`Tom Brady has no account ${one.tom.account} in your Workspace`);
    expect(await look(one)).toContain('1 member is sent as this way.');
  });

  it('removed, holds at once what is queued, and set up again lets it go', async () => {
    const one = await setUp();
    letterhead.google.faults.add({
      ...{ method: 'messages.send', account: one.tom.account, times: 50 },
      effect: { kind: 'tooMany', limit: 'rate' },
    });
    const id = await one.sendAsTom();
    await eventually(
      () => letterhead.google.faults.list().find(({ account }) => account === one.tom.account)?.fired ?? 0,
      (fired) => fired > 0,
    );
    letterhead.google.faults.clear();
    await one.reaches(id, 'queued');
    const [delegation] = await kept(one);
    expect(await look(one)).toContain('1 email waits until it is set up again.');
    expect((await one.founder.post(`${address}/${delegation?.id}/removal`)).status).toBe(303);
    expect(await look(one)).toMatch(/no longer sends as the people of .* 1 email that was queued waits\..*Set it up/);
    expect(await one.delivery(id)).toMatchObject({ state: 'held' });
    expect(await kept(one)).toEqual([]);
    await give(one);
    // Gmail said for how long it is to be left alone.
    letterhead.google.clock.forward(120_000);
    await one.reaches(id, 'sent');
  });

  it('brings a member back who was removed and invited again', async () => {
    const one = await setUp();
    await one.reaches(await one.sendAsTom(), 'sent');
    const removal = await one.founder.post(`/settings/members/${one.tom.memberId}/removal`);
    expect(removal.status).toBe(303);
    // Set up anew meanwhile, it is not for somebody who is no member.
    const [delegation] = await kept(one);
    await one.founder.post(`${address}/${delegation?.id}/removal`);
    await give(one);
    expect(await one.tomsMailbox()).toMatchObject({ state: 'disconnected' });
    await one.founder.post('/settings/members/invitations', { email: one.tom.account, role: 'member' });
    await visitor(letterhead).join(one.tom.account);
    await one.reaches(await one.sendAsTom(), 'sent');
  });
});
