import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { invite, joinInvited, listInvitations, listMembers, withdrawInvitation } from '../../src/tenants/members.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { membershipsOf, rememberPerson } from '../../src/tenants/system.ts';
import { getTenant } from '../../src/tenants/tenants.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

let people = 0;
async function person(email: string) {
  people += 1;
  const identity = { issuer: 'https://test.example', sub: `person-${people}`, email, name: `Person ${people}` };
  return { personId: await rememberPerson(database.system, identity), email, name: identity.name };
}
const join = (who: Awaited<ReturnType<typeof person>>) => joinInvited(database, who, new Date());
async function tenantWith(email: string, role: 'admin' | 'member' | 'viewer' = 'member') {
  const { tenantId, memberId } = await database.tenant();
  const by = { memberId, at: new Date() };
  const asked = (address = email, as = role) =>
    inTenant(database.db, tenantId, (trx) => invite(trx, tenantId, { email: address, role: as }, by));
  await asked();
  const members = () => inTenant(database.db, tenantId, async (trx) => (await listMembers(trx, tenantId)).rows);
  const invitations = () => inTenant(database.db, tenantId, (trx) => listInvitations(trx, tenantId));
  return { tenantId, by, asked, members, invitations };
}

describe('founding a company', () => {
  it('makes it with one owner, who belongs to it', async () => {
    const { tenantId, memberId, personId } = await database.tenant('Brightwater Joinery');
    const tenant = await inTenant(database.db, tenantId, (trx) => getTenant(trx, tenantId));
    expect(tenant).toMatchObject({ name: 'Brightwater Joinery', timeZone: 'Europe/Dublin', isDemo: false });
    expect(await membershipsOf(database.system, personId)).toEqual([
      { tenantId, tenantName: 'Brightwater Joinery', memberId, role: 'owner' },
    ]);
  });
});

describe('an invitation', () => {
  it('lets in whoever signs in with that address, whatever its case, with the role it names', async () => {
    const { members, invitations } = await tenantWith('Aoife@Brightwater.example', 'viewer');
    await join(await person('aoife@brightwater.EXAMPLE'));
    expect((await members()).map(({ role }) => role).sort()).toEqual(['owner', 'viewer']);
    expect(await invitations()).toEqual([]);
  });

  it('lets in nobody else', async () => {
    const { members } = await tenantWith('bea@brightwater.example');
    await join(await person('bea@brightwater.example.evil.example'));
    await join(await person('xbea@brightwater.example'));
    expect(await members()).toHaveLength(1);
  });

  it('counts once, even where the person signs in from several places at once', async () => {
    const { members } = await tenantWith('carl@brightwater.example');
    const carl = await person('carl@brightwater.example');
    await Promise.all([join(carl), join(carl), join(carl), join(carl)]);
    await join(carl);
    expect(await members()).toHaveLength(2);
  });

  it('of two companies brings the person into both', async () => {
    const [first, second] = [await tenantWith('dora@x.example'), await tenantWith('dora@x.example', 'admin')];
    const dora = await person('dora@x.example');
    await join(dora);
    const roles = (await membershipsOf(database.system, dora.personId)).map(({ tenantId, role }) => [tenantId, role]);
    expect(new Map(roles.map(([id, role]) => [id, role]))).toEqual(
      new Map([
        [first.tenantId, 'member'],
        [second.tenantId, 'admin'],
      ]),
    );
  });

  it('made again changes the role, and there is still one', async () => {
    const { asked, invitations } = await tenantWith('emil@x.example', 'viewer');
    expect(await asked('EMIL@x.example', 'admin')).toBe(true);
    expect(await invitations()).toMatchObject([{ email: 'emil@x.example', role: 'admin' }]);
  });

  it('for somebody who is a member already is not made', async () => {
    const { asked, invitations } = await tenantWith('fay@x.example');
    await join(await person('fay@x.example'));
    expect(await asked('Fay@X.example')).toBe(false);
    expect(await invitations()).toEqual([]);
  });

  it('that was taken back lets nobody in', async () => {
    const { tenantId, by, members, invitations } = await tenantWith('gil@x.example');
    const [open] = await invitations();
    const withdraw = () =>
      inTenant(database.db, tenantId, (trx) => withdrawInvitation(trx, tenantId, open?.id ?? '', by));
    expect(await withdraw()).toBe(true);
    expect(await withdraw()).toBe(false);
    await join(await person('gil@x.example'));
    expect(await members()).toHaveLength(1);
  });

  it('never gives a member another role by being followed', async () => {
    const { tenantId, by, members } = await tenantWith('hal@x.example', 'viewer');
    const hal = await person('hal@x.example');
    await join(hal);
    // Invited under an address that he only takes on later.
    const invitation = { email: 'hal@new.example', role: 'admin' } as const;
    await inTenant(database.db, tenantId, (trx) => invite(trx, tenantId, invitation, by));
    await join({ ...hal, email: 'hal@new.example' });
    expect((await members()).map(({ role }) => role).sort()).toEqual(['owner', 'viewer']);
  });
});

describe('a person', () => {
  it('is known by Google’s subject, so a changed address is the same person and a reused one is not', async () => {
    const identity = { issuer: 'https://test.example', sub: 'ida', email: 'ida@x.example', name: 'Ida' };
    const ida = await rememberPerson(database.system, identity);
    expect(await rememberPerson(database.system, { ...identity, email: 'ida@new.example' })).toBe(ida);
    expect(await rememberPerson(database.system, { ...identity, sub: 'another ida' })).not.toBe(ida);
  });
});
