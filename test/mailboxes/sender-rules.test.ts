import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSameRule, listMemberSenders, listRules, removeRule, saveRule } from '../../src/mailboxes/sender-rules.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
let office: Company;

beforeAll(async () => {
  letterhead = await sharedLetterhead();
  office = await company(letterhead);
  for (let number = 0; number < 60; number += 1) {
    const email = `member${number}@many.example`;
    const { id } = await letterhead.database.system
      .insertInto('people')
      .values({ google_sub: randomUUID(), issuer: 'local', email, name: 'Same Name' })
      .returning('id')
      .executeTakeFirstOrThrow();
    await inTenant(letterhead.database.db, office.tenantId, (trx) =>
      trx
        .insertInto('members')
        .values({ ...{ tenant_id: office.tenantId, person_id: id, email, name: 'Same Name' }, role: 'member' })
        .execute(),
    );
  }
});
afterAll(() => letterhead.close());

describe('the senders of many members', () => {
  it('come fifty at a time, each member once, also where names are the same', async () => {
    const { tenantId } = office;
    const list = (after?: string) =>
      inTenant(letterhead.database.db, tenantId, (trx) =>
        listMemberSenders(trx, tenantId, [{ mode: 'default' }, { mode: 'current_user' }], { after }),
      );
    const first = await list();
    const second = await list(first.next);
    expect([first.rows.length, second.rows.length, second.next]).toEqual([50, 11, undefined]);
    expect(new Set([...first.rows, ...second.rows].map(({ member }) => member.id)).size).toBe(61);
    expect((await list(randomUUID())).rows).toEqual([]);
    const own = [...first.rows, ...second.rows].filter(({ resolutions }) => resolutions[1]?.ok);
    expect(own.map(({ member }) => member.email)).toEqual([office.account]);
  });
});

describe('a kind’s own rule', () => {
  it('is saved once per kind and taken away again, the tenant’s left alone', async () => {
    const { tenantId, memberId } = office;
    const by = { memberId, at: new Date() };
    await inTenant(letterhead.database.db, tenantId, async (trx) => {
      await saveRule(trx, tenantId, null, { mode: 'default' }, by);
      await saveRule(trx, tenantId, 'quote', { mode: 'current_user' }, by);
      await saveRule(trx, tenantId, 'quote', { mode: 'default' }, by);
      expect(await listRules(trx, tenantId)).toHaveLength(2);
      await removeRule(trx, tenantId, 'quote', by);
      await removeRule(trx, tenantId, 'quote', by);
      expect(await listRules(trx, tenantId)).toEqual([{ documentKind: null, rule: { mode: 'default' } }]);
    });
  });

  it('is the same as another only with the same address of the same mailbox', () => {
    const alias = { mode: 'alias', mailboxId: 'a', email: 'x@y.example' } as const;
    expect(isSameRule(alias, { ...alias })).toBe(true);
    expect(isSameRule(alias, { ...alias, mailboxId: 'b' })).toBe(false);
    expect(isSameRule(alias, { mode: 'default' })).toBe(false);
    expect(isSameRule({ mode: 'default' }, { mode: 'default' })).toBe(true);
  });
});
