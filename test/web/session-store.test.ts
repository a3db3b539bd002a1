import type session from 'express-session';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sessionStore } from '../../src/web/session.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const minute = 60_000;
let database: TestDatabase;
let now = Date.parse('2026-12-01T09:00:00Z');
let store: session.Store;
beforeAll(async () => {
  database = await testDatabase();
  store = sessionStore(database.pool, () => now);
});
afterAll(() => database.close());

/** A request of this session, which lasts half an hour from the last one on. */
async function visit(id: string): Promise<void> {
  const cookie = { originalMaxAge: 30 * minute, expires: new Date(now + 30 * minute) };
  await new Promise<void>((resolve) => store.touch?.(id, { cookie } as session.SessionData, resolve));
}

async function endsIn(id: string): Promise<number> {
  const { rows } = await database.pool.query('select expire from sessions where sid = $1', [id]);
  return Math.round((rows[0].expire.getTime() - now) / minute);
}

it('puts the end of a session off when a twentieth of its time is gone, and not with each request', async () => {
  for (const id of ['one', 'other'])
    await database.pool.query(`insert into sessions (sid, sess, expire) values ($1, '{}', $2)`, [id, new Date(now)]);
  await visit('one');
  expect(await endsIn('one')).toBe(30);
  now += minute;
  await visit('one');
  expect(await endsIn('one')).toBe(29);
  await visit('other');
  expect(await endsIn('other')).toBe(30);
  now += minute;
  await visit('one');
  expect(await endsIn('one')).toBe(30);
});
