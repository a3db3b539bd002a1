import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from './database.ts';
import { eventually } from './eventually.ts';
import { openKept } from './kept-pools.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

/** Of a size of its own, so that nobody else has these connections. */
const open = (hear: (error: Error) => void = () => {}) => openKept(database.urls.owner, 2, hear);
const pidOf = async ({ pool }: Pick<ReturnType<typeof open>, 'pool'>): Promise<number> =>
  (await pool.query('select pg_backend_pid() as pid')).rows[0].pid;

it('the next pool has the connection of the last one, which refuses whoever asks it still', async () => {
  const first = open();
  const pid = await pidOf(first);
  await first.close();
  await expect(first.pool.query('select 1')).rejects.toThrow('after calling end');
  await expect(first.pool.connect()).rejects.toThrow('after calling end');
  const second = open();
  expect(await pidOf(second)).toBe(pid);
  await second.close();
});

it('a pool is closed when all of its connections are back', async () => {
  const pool = open();
  const client = await pool.pool.connect();
  const said: string[] = [];
  const closing = pool.close().then(() => said.push('closed'));
  await client.query('select pg_sleep(0)');
  said.push('asked');
  client.release();
  await closing;
  expect(said).toEqual(['asked', 'closed']);
});

it('a connection that is lost is heard of by whoever has the pool, and replaced', async () => {
  const heard: string[] = [];
  const pool = open((error) => heard.push(error.message));
  const pid = await pidOf(pool);
  await database.pool.query('select 1');
  const owner = openKept(database.urls.owner, 1, () => {});
  await owner.pool.query('select pg_terminate_backend($1, 10000)', [pid]);
  await eventually(
    () => heard.length,
    (count) => count > 0,
  );
  expect(await pidOf(pool)).not.toBe(pid);
  await pool.close();
  await owner.close();
});
