import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DatabasePool, openDatabase } from '../../src/platform/database.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let database: TestDatabase;
let one: DatabasePool;
let owner: DatabasePool;
beforeAll(async () => {
  database = await testDatabase();
  one = openDatabase(database.urls.owner, 1, () => {});
  owner = openDatabase(database.urls.owner, 1, () => {}, 'endless');
  await sql`create table shapes (id int); insert into shapes values (1), (2)`.execute(owner.db);
});
afterAll(async () => {
  await one.close();
  await owner.close();
  await database.close();
});

const read = (id: number) => sql<Record<string, unknown>>`select * from shapes where id = ${id}`.execute(one.db);
const prepared = async () => {
  const { rows } = await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(one.db);
  return rows.filter(({ statement }) => statement.includes('from shapes')).length;
};

it('a statement is prepared when it comes a second time, and gives each time what it is asked for', async () => {
  expect((await read(1)).rows).toEqual([{ id: 1 }]);
  expect(await prepared()).toBe(0);
  expect((await read(2)).rows).toEqual([{ id: 2 }]);
  expect(await prepared()).toBe(1);
  for (const id of [1, 2, 3]) expect((await read(id)).rows).toHaveLength(id < 3 ? 1 : 0);
  expect(await prepared()).toBe(1);
});

it('one that a migration overtook fails once, in a transaction or not, and is right at the next try', async () => {
  await sql`alter table shapes add column colour text`.execute(owner.db);
  await expect(read(1)).rejects.toThrow('cached plan');
  expect((await read(1)).rows).toEqual([{ id: 1, colour: null }]);
  await read(1);
  await sql`alter table shapes add column size int`.execute(owner.db);
  const work = () => one.db.transaction().execute((trx) => sql`select * from shapes where id = ${1}`.execute(trx));
  await expect(work()).rejects.toThrow('cached plan');
  expect((await work()).rows).toEqual([{ id: 1, colour: null, size: null }]);
});

it('however many different statements come, a connection keeps no more than some of them', async () => {
  const counted = async () => {
    const { rows } = await sql<{ count: number }>`select count(*)::int from pg_prepared_statements`.execute(one.db);
    return rows[0]?.count ?? 0;
  };
  let most = 0;
  for (let number = 0; number < 600; number += 1) {
    const statement = sql`select ${number}::int as ${sql.ref(`n${number}`)}`;
    for (const _ of ['first', 'again']) await statement.execute(one.db);
    if (number % 50 === 0) most = Math.max(most, await counted());
  }
  expect(most).toBeGreaterThan(400);
  expect(most).toBeLessThanOrEqual(501);
  expect(await counted()).toBeLessThan(200);
});
