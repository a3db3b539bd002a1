import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { membershipsOf, rememberPerson } from '../../src/tenants/system.ts';
import { getTenant } from '../../src/tenants/tenants.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

describe('founding a company', () => {
  it('makes it with one owner, who belongs to it', async () => {
    const { tenantId, memberId, personId } = await database.tenant('Brightwater Joinery');
    const tenant = await inTenant(database.db, tenantId, (trx) => getTenant(trx, tenantId));
    expect(tenant).toMatchObject({ name: 'Brightwater Joinery', timeZone: 'Europe/Dublin', isDemo: false });
    expect(await membershipsOf(database.system, personId)).toEqual([
      {
        tenantId,
        tenantName: 'Brightwater Joinery',
        memberId,
        role: 'owner',
        ownerEmail: expect.any(String),
        createdAt: expect.any(Date),
        isLast: false,
      },
    ]);
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
