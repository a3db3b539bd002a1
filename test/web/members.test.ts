import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { colleague } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { deliverNow } from '../support/hand-delivery.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { said, visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
});
afterAll(() => letterhead.close());

const members = '/settings/members';
const within = <T>({ tenantId }: Company, work: Parameters<typeof inTenant<T>>[2]) =>
  inTenant(letterhead.database.db, tenantId, work);

describe('a role', () => {
  it('that is changed holds from the next request on', async () => {
    const office = await company(letterhead);
    const tom = await colleague(letterhead, office, 'Tom');
    expect((await tom.pages.post('/settings/email/stand-in', { standsIn: 'yes' })).status).toBe(403);
    await office.founder.post(`${members}/${tom.memberId}/role`, { role: 'admin' });
    expect((await office.founder.get(members)).text).toContain('Tom is an admin now.');
    expect((await tom.pages.post('/settings/email/stand-in', { standsIn: 'yes' })).status).toBe(303);
    await office.founder.post(`${members}/${tom.memberId}/role`, { role: 'viewer' });
    expect((await tom.pages.post('/settings/email/test-deliveries')).status).toBe(403);
  });

  it('is for owners and admins to change, of owners for owners; each refusal says why', async () => {
    const office = await company(letterhead);
    const tom = await colleague(letterhead, office, 'Tom');
    const ada = await colleague(letterhead, office, 'Ada', 'admin');
    expect((await tom.pages.post(`${members}/${tom.memberId}/role`, { role: 'owner' })).status).toBe(403);
    expect((await tom.pages.get(members)).text).not.toContain('/removal');
    const byAdmin = await ada.pages.post(`${members}/${tom.memberId}/role`, { role: 'owner' });
    expect([byAdmin.status, byAdmin.text]).toEqual([409, expect.stringContaining('Only an owner can make')]);
    expect((await ada.pages.get(members)).text).not.toContain(`${members}/${office.memberId}/`);
    const last = await office.founder.post(`${members}/${office.memberId}/role`, { role: 'member' });
    expect([last.status, last.text]).toEqual([409, expect.stringContaining('Make somebody else an owner first.')]);
    for (const role of ['', 'king', 'owner; drop']) {
      expect((await office.founder.post(`${members}/${tom.memberId}/role`, { role })).status).toBe(409);
    }
  });
});

describe('a member who is removed', () => {
  it('is signed out at the next request, whatever it is, and told so; nothing of it is saved', async () => {
    const office = await company(letterhead);
    const ada = await colleague(letterhead, office, 'Ada', 'admin');
    await office.founder.post(`${members}/${ada.memberId}/removal`);
    expect((await office.founder.get(members)).text).not.toContain(ada.account);
    const post = await ada.pages.post(`${members}/invitations`, { email: 'friend@x.example', role: 'admin' });
    expect(post.status).toBe(403);
    expect(post.text).toContain('You are no longer a member of Company');
    expect((await office.founder.get(members)).text).not.toContain('friend@x.example');
    // The session is over: what comes next is the sign-in.
    expect((await ada.pages.get('/activity')).location).toContain('/sign-in');
    await ada.pages.signIn(ada.account);
    expect((await ada.pages.get('/activity')).location).toBe('/welcome');
  });

  it('while at Google is told so at an address that carries nothing of Google’s answer', async () => {
    const office = await company(letterhead);
    const ada = await colleague(letterhead, office, 'Ada', 'admin');
    const start = await ada.pages.post('/mailboxes/connection', { kind: 'personal' });
    const callback = await letterhead.google.approve(start.location ?? '', { account: ada.account });
    await office.founder.post(`${members}/${ada.memberId}/removal`);
    const { status, location } = await ada.pages.get(callback);
    expect([status, location]).toEqual([303, '/google/answer']);
    const page = await ada.pages.get('/google/answer');
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('You are no longer a member of Company')]);
    expect((await ada.pages.get('/activity')).location).toContain('/sign-in');
  });

  it('of one company is not moved to another one of theirs by a form that was open', async () => {
    const [office, other] = [await company(letterhead), await company(letterhead)];
    const ada = await colleague(letterhead, office, 'Ada', 'admin');
    await other.founder.post(`${members}/invitations`, { email: ada.account, role: 'admin' });
    await ada.pages.join(ada.account);
    await ada.pages.post('/tenant-switch', { tenantId: office.tenantId });
    await office.founder.post(`${members}/${ada.memberId}/removal`);
    expect((await ada.pages.post('/settings/email/stand-in', { standsIn: 'yes' })).status).toBe(403);
    const stands = ({ tenantId }: Company) =>
      inTenant(letterhead.database.db, tenantId, (trx) =>
        trx.selectFrom('tenants').select('default_stands_in').executeTakeFirst(),
      );
    expect(await stands(other)).toEqual({ default_stands_in: false });
    await ada.pages.signIn(ada.account);
    const page = await ada.pages.get('/settings/email');
    expect([page.status, page.text]).toEqual([200, expect.stringContaining(other.account)]);
  });

  it('has their own Gmail disconnected and revoked at Google; what they sent stays under their name', async () => {
    const office = await company(letterhead);
    const tom = await colleague(letterhead, office, 'Tom');
    await tom.pages.connect(tom.account, { kind: 'personal' });
    await office.founder.post('/settings/email/sender-rule', { mode: 'current_user' });
    const [sent, waiting] = [
      await office.send({ memberId: tom.memberId }),
      await office.send({ memberId: tom.memberId }),
    ];
    await deliverNow(letterhead, office, sent);
    expect(office.accepted(sent)).toMatchObject([{ from: { address: tom.account } }]);

    await office.founder.post(`${members}/${tom.memberId}/removal`);
    const page = await office.founder.get(members);
    expect(page.text).toContain('Tom is no longer a member.');
    expect(page.text).toContain('1 email of theirs is held.');
    const [mailbox] = await within(office, (trx) =>
      trx
        .selectFrom('mailboxes')
        .leftJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
        .select(['mailboxes.state', 'grants.mailbox_id as grant'])
        .where('mailboxes.email', '=', tom.account)
        .execute(),
    );
    expect(mailbox).toEqual({ state: 'disconnected', grant: null });
    expect(letterhead.google.truth.calls('revoke')).toBeGreaterThan(0);
    expect(await office.delivery(waiting)).toMatchObject({ state: 'held', heldReason: 'not_allowed' });
    const history = await office.founder.get(`/deliveries/${sent}`);
    expect(history.text).toMatch(/Sent by<\/dt><dd>Tom/);
    await deliverNow(letterhead, office, waiting);
    expect(office.accepted(waiting)).toEqual([]);
  });

  it('cannot connect a Gmail that they were connecting at Google just then', async () => {
    const office = await company(letterhead);
    const tom = await colleague(letterhead, office, 'Tom');
    const start = await tom.pages.post('/mailboxes/connection', { kind: 'personal' });
    const callback = await letterhead.google.approve(start.location ?? '', { account: tom.account });
    await office.founder.post(`${members}/${tom.memberId}/removal`);
    expect((await tom.pages.bring(callback)).status).toBe(403);
    const mailboxes = await within(office, (trx) => trx.selectFrom('mailboxes').select('email').execute());
    expect(mailboxes).toEqual([{ email: office.account }]);
  });

  it('comes back as who they were, when they are invited again', async () => {
    const office = await company(letterhead);
    const tom = await colleague(letterhead, office, 'Tom');
    const id = await office.send({ memberId: tom.memberId });
    await office.founder.post(`${members}/${tom.memberId}/removal`);
    await office.founder.post(`${members}/invitations`, { email: tom.account, role: 'member' });
    const again = visitor(letterhead);
    await again.join(tom.account);
    expect((await again.get(`/deliveries/${id}`)).text).toMatch(/Sent by<\/dt><dd>Tom/);
    expect((await office.founder.get(members)).text).toContain(`${members}/${tom.memberId}/removal`);
  });

  it('may leave, whatever the role, and is never the last owner', async () => {
    const office = await company(letterhead);
    const refused = await office.founder.post(`${members}/${office.memberId}/removal`);
    expect([refused.status, refused.text]).toEqual([409, expect.stringContaining('A company keeps an owner')]);
    expect((await office.founder.post(`${members}/departure`)).status).toBe(409);
    for (const [name, role] of [
      ['Ada', 'admin'],
      ['Tom', 'member'],
      ['Vera', 'viewer'],
    ] as const) {
      const one = await colleague(letterhead, office, name, role);
      expect((await one.pages.get(members)).text).toContain(`action="${members}/departure"`);
      const left = await one.pages.post(
        role === 'admin' ? `${members}/${one.memberId}/removal` : `${members}/departure`,
      );
      expect([left.status, left.location]).toEqual([303, '/welcome']);
      expect(said(await one.pages.get('/welcome'))).toContain('You left Company');
      expect((await one.pages.get('/activity')).location).toBe('/welcome');
    }
    const changes = said(await office.founder.get('/settings/changes'));
    expect(changes.match(/Left the company/g)).toHaveLength(3);
  });
});
