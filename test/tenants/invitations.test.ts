import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MemberRole } from '../../src/platform/database-types.ts';
import {
  acceptInvitation,
  declineInvitation,
  invitationDays,
  invite,
  listInvitations,
  withdrawInvitation,
} from '../../src/tenants/invitations.ts';
import { changeRole, removeMember } from '../../src/tenants/member-life.ts';
import { listMembers } from '../../src/tenants/members.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { membershipsOf, rememberPerson } from '../../src/tenants/system.ts';
import { invitationBehind, invitationsTo } from '../../src/tenants/system-invitations.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

type Role = Exclude<MemberRole, 'owner'>;

/** Somebody who signed in; a Workspace of their domain manages the account, unless told. */
async function person(email: string, hd: string | null = email.split('@')[1] ?? '') {
  const identity = { issuer: 'https://test.example', sub: randomUUID(), email, name: `Person ${email}`, hd };
  return { personId: await rememberPerson(database.system, identity), email, name: identity.name, hd };
}

/** A company that invites. */
async function inviting(name?: string) {
  const { tenantId, memberId } = await database.tenant(name);
  const within = <T>(work: Parameters<typeof inTenant<T>>[2]) => inTenant(database.db, tenantId, work);
  const by = (memberId_ = memberId) => ({ memberId: memberId_, at: new Date() });
  return {
    ...{ tenantId, memberId, within },
    ask: async (email: string, role: Role = 'member', from = memberId) => {
      const invited = await within((trx) => invite(trx, tenantId, { email, role }, by(from)));
      return invited.kind === 'invited' ? invited : { ...invited, id: '', token: '' };
    },
    withdraw: (id: string) => within((trx) => withdrawInvitation(trx, tenantId, id, by())),
    roles: async () => (await within((trx) => listMembers(trx, tenantId))).rows.map(({ role }) => role).sort(),
    invitations: () => within((trx) => listInvitations(trx, tenantId)),
  };
}

type Somebody = Awaited<ReturnType<typeof person>>;
interface Answer {
  readonly role?: Role;
  readonly token?: string;
  readonly now?: Date;
}
const answering = (invitationId: string, { role = 'member', token }: Answer) => ({ invitationId, role, token });
const accept = async (who: Somebody, id: string, answer: Answer = {}) =>
  (await acceptInvitation(database, who, answering(id, answer), answer.now ?? new Date())).kind;
const decline = async (who: Somebody, id: string, answer: Answer = {}) =>
  (await declineInvitation(database, who, answering(id, answer), answer.now ?? new Date())).kind;
let names = 0;
const address = (domain = 'x.example') => {
  names += 1;
  return `person${names}@${domain}`;
};

describe('an invitation', () => {
  it('makes nobody a member who has not accepted it', async () => {
    const { ask, roles } = await inviting();
    const email = address();
    const { id } = await ask(email);
    const who = await person(email);
    expect(await membershipsOf(database.system, who.personId)).toEqual([]);
    expect(await invitationsTo(database.system, email, new Date())).toMatchObject([{ id }]);
    expect(await accept(who, id)).toBe('joined');
    expect(await roles()).toEqual(['member', 'owner']);
    expect(await invitationsTo(database.system, email, new Date())).toEqual([]);
  });

  it.each([
    ['in capitals', 'Aoife@X.example', 'aoife@x.example', 'x.example'],
    ['with the dots that Gmail ignores', 'johnsmith@gmail.com', 'jo.hn.smith@gmail.com', null],
    ['at Gmail’s other name', 'petra@gmail.com', 'petra@googlemail.com', null],
    ['with a plus of Gmail', 'ann+work@gmail.com', 'ann@gmail.com', null],
  ] as const)('is for the same mailbox written otherwise: %s', async (_what, invited, signedIn, hd) => {
    const { ask } = await inviting();
    const { id } = await ask(invited);
    expect(await accept(await person(signedIn, hd), id)).toBe('joined');
  });

  it.each([
    ['another address', 'bea@x.example', 'xbea@x.example', 'x.example'],
    ['a domain that begins as it does', 'bea@x.example', 'bea@x.example.evil.example', 'x.example.evil.example'],
    ['dots that others do not ignore', 'be.a@x.example', 'bea@x.example', 'x.example'],
    ['a plus of others', 'bea+a@x.example', 'bea@x.example', 'x.example'],
  ] as const)('is for nobody else, with or without its link: %s', async (_what, invited, signedIn, hd) => {
    const { ask, roles } = await inviting();
    const { id, token } = await ask(invited);
    const who = await person(signedIn, hd);
    for (const answer of [{}, { token }])
      expect([await accept(who, id, answer), await decline(who, id, answer)]).toEqual(['gone', 'gone']);
    expect(await roles()).toEqual(['owner']);
  });

  it('to an address that Google does not vouch for needs the link that was mailed to it', async () => {
    const { ask } = await inviting();
    for (const hd of [null, 'evil.example']) {
      const email = address('firm.example');
      const { id, token } = await ask(email);
      const who = await person(email, hd);
      const other = await ask(address('firm.example'));
      for (const wrong of [undefined, '', 'guessed', other.token, `${token}x`])
        expect(await accept(who, id, wrong === undefined ? {} : { token: wrong })).toBe('gone');
      expect(await accept(who, id, { token })).toBe('joined');
    }
  });

  it('counts once, however often and from wherever it is accepted', async () => {
    const { ask, roles } = await inviting();
    const email = address('firm.example');
    const { id, token } = await ask(email);
    const who = await person(email, null);
    const all = await Promise.all([1, 2, 3, 4].map(() => accept(who, id, { token })));
    expect(all.sort()).toEqual(['gone', 'gone', 'gone', 'joined']);
    expect(await accept(who, id, { token })).toBe('gone');
    expect(await invitationBehind(database.system, token, new Date())).toBeUndefined();
    expect(await roles()).toEqual(['member', 'owner']);
  });

  it('that was declined is over, is seen, and can be made again', async () => {
    const { ask, invitations } = await inviting();
    const email = address();
    const { id, token } = await ask(email);
    const who = await person(email);
    expect(await decline(who, id)).toBe('declined');
    expect([await accept(who, id), await accept(who, id, { token })]).toEqual(['gone', 'gone']);
    expect(await invitations()).toMatchObject([{ email, declinedAt: expect.any(Date) }]);
    const again = await ask(email);
    expect(await invitations()).toMatchObject([{ email, declinedAt: null }]);
    expect(await accept(who, again.id)).toBe('joined');
  });

  it('that is too old lets nobody in', async () => {
    const { ask } = await inviting();
    const email = address();
    const { id, token } = await ask(email);
    const who = await person(email);
    const later = new Date(Date.now() + invitationDays * 86_400_000 + 1_000);
    expect([await accept(who, id, { now: later }), await decline(who, id, { now: later })]).toEqual(['gone', 'gone']);
    expect(await invitationBehind(database.system, token, later)).toBeUndefined();
    expect(await accept(who, id, { now: new Date(later.getTime() - 5_000) })).toBe('joined');
  });

  it('that was taken back lets nobody in', async () => {
    const { ask, withdraw, invitations } = await inviting();
    const email = address();
    const { id, token } = await ask(email);
    expect([await withdraw(id), await withdraw(id)]).toEqual([true, false]);
    expect(await accept(await person(email), id, { token })).toBe('gone');
    expect(await invitations()).toEqual([]);
  });

  it('made again in another spelling takes the place of the first, with its role and its link', async () => {
    const { ask, invitations } = await inviting();
    const name = address('gmail.com');
    const first = await ask(name, 'viewer');
    const second = await ask(name.replace('person', 'per.son'), 'admin');
    expect(await invitations()).toMatchObject([{ role: 'admin' }]);
    const who = await person(name, null);
    expect(await accept(who, first.id, { token: first.token, role: 'viewer' })).toBe('gone');
    expect(await invitationBehind(database.system, first.token, new Date())).toBeUndefined();
    // A page that was open since before says another role.
    expect(await accept(who, second.id, { role: 'viewer' })).toBe('gone');
    expect(await accept(who, second.id, { role: 'admin' })).toBe('joined');
  });

  it('made by two at once stands once', async () => {
    const { ask, invitations } = await inviting();
    const email = address();
    await Promise.all([ask(email), ask(email, 'admin'), ask(email, 'viewer')]);
    expect(await invitations()).toHaveLength(1);
  });

  it('of two companies of one name are two, each with its addresses, and each answered by itself', async () => {
    const [first, second] = [await inviting('Twin Ltd'), await inviting('Twin Ltd')];
    const email = address();
    const [one, two] = [await first.ask(email), await second.ask(email, 'admin')];
    const open = await invitationsTo(database.system, email, new Date());
    expect(new Set(open.map(({ tenantName }) => tenantName)).size).toBe(1);
    expect(new Set(open.map(({ inviterEmail }) => inviterEmail)).size).toBe(2);
    expect(new Set(open.map(({ ownerEmail }) => ownerEmail)).size).toBe(2);
    const who = await person(email);
    expect(await accept(who, one.id)).toBe('joined');
    expect(await decline(who, two.id, { role: 'admin' })).toBe('declined');
    expect(await membershipsOf(database.system, who.personId)).toMatchObject([{ tenantId: first.tenantId }]);
  });

  it('ends with the right of whoever made it: removed, made less, or gone by themselves', async () => {
    for (const how of ['removed', 'member', 'left'] as const) {
      const { ask, tenantId, memberId, within, invitations } = await inviting();
      const adminEmail = address();
      const admin = await person(adminEmail);
      await accept(admin, (await ask(adminEmail, 'admin')).id, { role: 'admin' });
      const [membership] = await membershipsOf(database.system, admin.personId);
      const adminId = membership?.memberId ?? '';
      const email = address();
      const { id, token } = await ask(email, 'admin', adminId);
      const by = { memberId: how === 'left' ? adminId : memberId, at: new Date() };
      await within((trx) =>
        how === 'member' ? changeRole(trx, tenantId, adminId, 'member', by) : removeMember(trx, tenantId, adminId, by),
      );
      expect(await invitations()).toEqual([]);
      expect(await accept(await person(email), id, { role: 'admin', token })).toBe('gone');
      expect(await ask(address(), 'admin', adminId)).toMatchObject({ kind: 'not_allowed' });
    }
  });

  it('does not outlive a removal at the same moment', async () => {
    const { ask, tenantId, memberId, within, roles } = await inviting();
    const adminEmail = address();
    const admin = await person(adminEmail);
    await accept(admin, (await ask(adminEmail, 'admin')).id, { role: 'admin' });
    const [membership] = await membershipsOf(database.system, admin.personId);
    const adminId = membership?.memberId ?? '';
    const email = address();
    const { id } = await ask(email, 'member', adminId);
    const by = { memberId, at: new Date() };
    const [answer] = await Promise.all([
      accept(await person(email), id),
      within((trx) => removeMember(trx, tenantId, adminId, by)),
    ]);
    expect(await roles()).toEqual(answer === 'joined' ? ['member', 'owner'] : ['owner']);
  });

  it('is not made for a member, in whatever spelling, and gives no member another role', async () => {
    const { ask, roles } = await inviting();
    const email = address('gmail.com');
    const who = await person(email, null);
    await accept(who, (await ask(email, 'viewer')).id, { role: 'viewer' });
    expect(await ask(email.replace('person', 'p.e.r.son').toUpperCase(), 'admin')).toMatchObject({ kind: 'member' });
    // The same person by an address they have since: Google knows them by their number.
    const renamed = { ...who, email: address(), hd: 'x.example' };
    expect(await accept(renamed, (await ask(renamed.email, 'admin')).id, { role: 'admin' })).toBe('member');
    expect(await roles()).toEqual(['owner', 'viewer']);
  });
});
