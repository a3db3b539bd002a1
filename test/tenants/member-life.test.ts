import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MemberRole } from '../../src/platform/database-types.ts';
import { acceptInvitation, invite } from '../../src/tenants/invitations.ts';
import { changeRole, removeMember } from '../../src/tenants/member-life.ts';
import { listMembers } from '../../src/tenants/members.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { membershipsOf, rememberPerson } from '../../src/tenants/system.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { aMailbox } from '../support/rows.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

let people = 0;

/** A company with an owner, and others who joined it. */
async function company(...roles: Exclude<MemberRole, 'owner'>[]) {
  const { tenantId, memberId: owner } = await database.tenant();
  const within = <T>(work: Parameters<typeof inTenant<T>>[2]) => inTenant(database.db, tenantId, work);
  const joined = [];
  for (const role of roles) {
    people += 1;
    const email = `person${people}@x.example`;
    const person = { issuer: 'https://test.example', sub: `life-${people}`, email, name: `Person ${people}` };
    const personId = await rememberPerson(database.system, person);
    const join = async (as: Exclude<MemberRole, 'owner'>) => {
      const by = { memberId: owner, at: new Date() };
      const invited = await within((trx) => invite(trx, tenantId, { email, role: as }, by));
      if (invited.kind !== 'invited') throw new Error(invited.kind);
      const invitee = { personId, email, name: person.name, hd: 'x.example' };
      const answering = { invitationId: invited.id, token: undefined, role: as };
      await acceptInvitation(database, invitee, answering, new Date());
    };
    await join(role);
    const [membership] = await membershipsOf(database.system, personId);
    joined.push({ id: membership?.memberId ?? '', personId, join });
  }
  return {
    ...{ tenantId, owner, joined, within },
    role: (memberId: string, role: MemberRole, byId = owner) =>
      within((trx) => changeRole(trx, tenantId, memberId, role, { memberId: byId, at: new Date() })),
    remove: (memberId: string, byId = owner) =>
      within((trx) => removeMember(trx, tenantId, memberId, { memberId: byId, at: new Date() })),
    roles: async () => (await within((trx) => listMembers(trx, tenantId))).rows.map(({ role }) => role).sort(),
  };
}

describe('another role', () => {
  it('is given by owners and admins, and by nobody else', async () => {
    const { joined, role, roles } = await company('admin', 'member', 'viewer');
    const [admin, member, viewer] = joined.map(({ id }) => id);
    expect(await role(viewer ?? '', 'member', admin)).toMatchObject({ kind: 'done', was: 'viewer' });
    expect(await role(viewer ?? '', 'admin', member)).toEqual({ kind: 'not_allowed' });
    expect(await role(admin ?? '', 'viewer', viewer)).toEqual({ kind: 'not_allowed' });
    expect(await roles()).toEqual(['admin', 'member', 'member', 'owner']);
  });

  it('of owner is given and taken by owners alone', async () => {
    const { owner, joined, role, roles } = await company('admin', 'member');
    const [admin, member] = joined.map(({ id }) => id);
    expect(await role(member ?? '', 'owner', admin)).toEqual({ kind: 'owners_only' });
    expect(await role(owner, 'member', admin)).toEqual({ kind: 'owners_only' });
    expect(await role(member ?? '', 'owner')).toMatchObject({ kind: 'done' });
    expect(await role(owner, 'viewer', member)).toMatchObject({ kind: 'done' });
    expect(await roles()).toEqual(['admin', 'owner', 'viewer']);
  });

  it('is not given to the last owner, not even by two owners at once who unmake each other', async () => {
    const { owner, joined, role, roles } = await company('member');
    const [second] = joined;
    expect(await role(owner, 'admin')).toEqual({ kind: 'last_owner' });
    await role(second?.id ?? '', 'owner');
    const both = await Promise.all([role(owner, 'member', second?.id), role(second?.id ?? '', 'member', owner)]);
    // Whoever came second was no owner any more.
    expect(both.map(({ kind }) => kind).sort()).toEqual(['done', 'not_allowed']);
    expect(await roles()).toEqual(['member', 'owner']);
  });

  it('finds nobody of another company', async () => {
    const mine = await company();
    const other = await company('member');
    expect(await mine.role(other.joined[0]?.id ?? '', 'admin')).toEqual({ kind: 'not_found' });
    expect(await mine.role(mine.owner, 'admin', other.owner)).toEqual({ kind: 'not_allowed' });
  });
});

describe('a member who is removed', () => {
  it('belongs to the company no more, keeps the row, and loses what was given to them', async () => {
    const { tenantId, joined, remove, roles, within } = await company('member');
    const [tom] = joined;
    const id = tom?.id ?? '';
    await within(async (trx) => {
      const mailbox_id = await aMailbox(trx, tenantId);
      await trx.insertInto('mailbox_members').values({ tenant_id: tenantId, mailbox_id, member_id: id }).execute();
      await trx.updateTable('members').set({ default_mailbox_id: mailbox_id }).where('id', '=', id).execute();
    });
    expect(await remove(id)).toMatchObject({ kind: 'done', was: 'member' });
    expect(await membershipsOf(database.system, tom?.personId ?? '')).toEqual([]);
    expect(await roles()).toEqual(['owner']);
    const row = await within((trx) => trx.selectFrom('members').selectAll().where('id', '=', id).executeTakeFirst());
    expect(row).toMatchObject({ name: expect.stringContaining('Person'), default_mailbox_id: null });
    expect(await within((trx) => trx.selectFrom('mailbox_members').selectAll().execute())).toEqual([]);
    expect(await remove(id)).toEqual({ kind: 'not_found' });
  });

  it('comes back by an invitation, as the one they were, with the role it names', async () => {
    const { joined, remove, roles } = await company('admin');
    const [tom] = joined;
    await remove(tom?.id ?? '');
    await tom?.join('viewer');
    const [membership] = await membershipsOf(database.system, tom?.personId ?? '');
    expect(membership).toMatchObject({ memberId: tom?.id, role: 'viewer' });
    expect(await roles()).toEqual(['owner', 'viewer']);
  });

  it('is not the last owner, and no owner where an admin asks', async () => {
    const { owner, joined, remove, role } = await company('admin');
    const admin = joined[0]?.id ?? '';
    expect(await remove(owner)).toEqual({ kind: 'last_owner' });
    expect(await remove(owner, admin)).toEqual({ kind: 'owners_only' });
    expect(await remove(admin, admin)).toMatchObject({ kind: 'done' });
    expect(await role(admin, 'member')).toEqual({ kind: 'not_found' });
  });

  it('cannot go while a Gmail of their own is connected', async () => {
    const { tenantId, joined, remove, within } = await company('member');
    const id = joined[0]?.id ?? '';
    const mailbox = await within((trx) => aMailbox(trx, tenantId));
    const own = { kind: 'personal', member_id: id } as const;
    await within((trx) => trx.updateTable('mailboxes').set(own).where('id', '=', mailbox).execute());
    expect(await remove(id)).toEqual({ kind: 'still_connected', mailboxId: mailbox });
    await within((trx) => trx.updateTable('mailboxes').set({ state: 'disconnected' }).execute());
    expect(await remove(id)).toMatchObject({ kind: 'done' });
  });

  it('gives nobody anything any more', async () => {
    const { joined, remove, role } = await company('admin', 'member');
    const [admin, member] = joined.map(({ id }) => id);
    await remove(admin ?? '');
    expect(await role(member ?? '', 'admin', admin)).toEqual({ kind: 'not_allowed' });
  });
});

describe('the list of members', () => {
  it('comes in pages, each member once, and finds part of a name or an address', async () => {
    const { tenantId, within } = await company('member', 'viewer', 'admin');
    const list = (request: Parameters<typeof listMembers>[2]) => within((trx) => listMembers(trx, tenantId, request));
    const first = await list({ limit: 3 });
    const second = await list({ limit: 3, after: first.next });
    expect([first.rows.length, second.rows.length, second.next]).toEqual([3, 1, undefined]);
    const [some] = second.rows;
    expect((await list({ search: some?.email.slice(0, 12).toUpperCase() ?? '' })).rows).toContainEqual(some);
    expect((await list({ search: '%' })).rows).toEqual([]);
  });
});
