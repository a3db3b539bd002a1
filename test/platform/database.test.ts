import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase } from '../../src/platform/database.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { type DatabaseLine, databaseLine } from '../support/database-line.ts';

let database: TestDatabase;
let line: DatabaseLine;
beforeAll(async () => {
  database = await testDatabase();
  line = await databaseLine(database.urls.app);
});
afterAll(async () => {
  await line.close();
  await database.close();
});

const one = sql<{ one: number }>`select 1 as one`;

it('a connection that is lost while it is in use fails that work alone, and never the process', async () => {
  // Between two statements: nobody waits for an answer that could carry the error.
  const work = line.db.transaction().execute(async (trx) => {
    await one.execute(trx);
    line.cut();
    await new Promise((resolve) => setImmediate(resolve));
    await sql`select pg_sleep(0)`.execute(trx);
  });
  await expect(work).rejects.toThrow();
  expect((await one.execute(line.db)).rows).toEqual([{ one: 1 }]);
});

it('a pool that is closed keeps no connection, though it was never asked through Kysely', async () => {
  const { pool, close } = openDatabase(database.urls.app, 1, () => {});
  await pool.query('select 1');
  expect(pool.totalCount).toBe(1);
  await close();
  expect(pool.totalCount).toBe(0);
});
