import { randomUUID } from 'node:crypto';
import { type KyselyPlugin, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listMailboxes } from '../../src/mailboxes/mailboxes.ts';
import type { SenderRule } from '../../src/mailboxes/sender.ts';
import { listMemberSenders, senderFor } from '../../src/mailboxes/sender-rules.ts';
import type { Database } from '../../src/platform/database.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let database: TestDatabase;
let tenantId: string;
let owner: string;

/** 300 members; 300 shared mailboxes with ten addresses each, half of them given to two members each. */
beforeAll(async () => {
  database = await testDatabase();
  ({ tenantId, memberId: owner } = await database.tenant());
  await sql`
    insert into people (issuer, google_sub, email, name)
    select 'many', 'sub-' || n, 'member' || n || '@many.example', 'Member ' || n from generate_series(1, 300) n
  `.execute(database.system);
  const people = await database.system
    .selectFrom('people')
    .select(['id', 'email', 'name'])
    .where('issuer', '=', 'many')
    .execute();
  await within(async (trx) => {
    const members = people.map(({ id, ...person }) => ({ ...person, person_id: id, tenant_id: tenantId }));
    await trx
      .insertInto('members')
      .values(members.map((member) => ({ ...member, role: 'member' })))
      .execute();
    await sql`
      with made as (
        insert into mailboxes (tenant_id, kind, google_sub, email, display_name, is_default, for_everybody, wanted)
        select ${tenantId}, 'shared', ${randomUUID()} || n, 'shared' || n || '@many.example', 'Shared ' || n, n = 1,
               n % 2 = 1, '{send,aliases}' from generate_series(1, 300) n
        returning id, email, for_everybody
      ), granted as (
        insert into grants (mailbox_id, tenant_id, issuer, client_id, scopes, refresh_token)
        select id, ${tenantId}, 'x', 'x', '{https://www.googleapis.com/auth/gmail.send,https://www.googleapis.com/auth/gmail.settings.basic}', 'x' from made
      ), given as (
        insert into mailbox_members (tenant_id, mailbox_id, member_id)
        select ${tenantId}, made.id, two.id from made, lateral (
          select id from members where tenant_id = ${tenantId} order by md5(made.id::text || id::text) limit 2) two
        where not made.for_everybody
      )
      insert into send_as_addresses (tenant_id, mailbox_id, email, verification_status)
      select ${tenantId}, id, 'alias' || n || '.' || email, 'accepted' from made, generate_series(1, 10) n
    `.execute(trx);
  });
});
afterAll(() => database.close());

const within = <T>(work: (trx: Database) => Promise<T>) => inTenant(database.db, tenantId, work);

/** How often the database is asked. */
async function queriesOf(work: (trx: Database) => Promise<unknown>): Promise<number> {
  let queries = 0;
  const counter: KyselyPlugin = {
    transformQuery: ({ node }) => {
      queries += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  await within((trx) => work(trx.withPlugin(counter)));
  return queries;
}

it('the overview asks the database as often for fifty members as for one, however many mailboxes there are', async () => {
  const { id } = await within((trx) =>
    trx.selectFrom('mailboxes').select('id').where('email', '=', 'shared2@many.example').executeTakeFirstOrThrow(),
  );
  const rules: SenderRule[] = [
    { mode: 'default' },
    { mode: 'current_user' },
    { mode: 'alias', mailboxId: id, email: 'alias3.shared2@many.example' },
  ];
  const asked = (limit: number) => queriesOf((trx) => listMemberSenders(trx, tenantId, rules, { limit }));
  expect(await asked(50)).toBe(await asked(1));
  expect(await asked(50)).toBeLessThanOrEqual(5);

  const { rows } = await within((trx) => listMemberSenders(trx, tenantId, rules, { limit: 200 }));
  const through = rows.filter(({ resolutions }) => resolutions[2]?.ok);
  const given = await within((trx) =>
    trx.selectFrom('mailbox_members').select('member_id').where('mailbox_id', '=', id).execute(),
  );
  const shown = given.filter(({ member_id }) => rows.some(({ member }) => member.id === member_id));
  expect(through.map(({ member }) => member.id).sort()).toEqual(shown.map(({ member_id }) => member_id).sort());
});

it('the page that sends, and the one that lists the mailboxes, ask as often for three hundred as for one', async () => {
  expect(await queriesOf((trx) => senderFor(trx, tenantId, owner, 'invoice'))).toBeLessThanOrEqual(5);
  expect(await queriesOf((trx) => listMailboxes(trx, tenantId, owner))).toBeLessThanOrEqual(4);
  const mailboxes = await within((trx) => listMailboxes(trx, tenantId, owner));
  expect(mailboxes).toHaveLength(300);
  expect(mailboxes.every(({ sendAs }) => sendAs.length === 10)).toBe(true);
  expect(mailboxes.filter(({ mayUse }) => !mayUse).length).toBeGreaterThan(140);
});
