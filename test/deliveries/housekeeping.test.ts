import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HousekeepingContext, keepHouse } from '../../src/deliveries/housekeeping.ts';
import { failuresBeforeStuck, holdStuck } from '../../src/deliveries/stuck.ts';
import { wake } from '../../src/platform/wake.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { findFailingJobs } from '../../src/tenants/system-jobs.ts';
import { type Company, company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { anotherWorker } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
let sender: Company;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ timeStands: true });
  sender = await company(letterhead);
  // The worker's own round, as it starts; no time passes until its next.
  await eventually(
    () => letterhead.database.system.selectFrom('chores').selectAll().where('name', '=', 'housekeeping').execute(),
    (chores) => chores.length === 1,
  );
});
afterAll(() => letterhead.close());

const day = 86_400_000;
const house = (over: Partial<HousekeepingContext> = {}) =>
  keepHouse({ ...letterhead.context, attemptsKeptDays: 90, ...over });
/** Makes the chore due again; the worker's own comes no sooner by it. */
const later = () =>
  letterhead.database.system
    .updateTable('chores')
    .set({ begun_at: new Date(letterhead.google.clock.now() - 11 * 60_000) })
    .execute();
/** Adds an attempt of long ago before those that a delivery has. */
const addOld = (id: string, number: number, outcome: string, ago = 100 * day) => {
  const at = new Date(letterhead.google.clock.now() - ago);
  return inTenant(letterhead.database.db, sender.tenantId, async (trx) => {
    await sql`update attempts set number = number + 10 where delivery_id = ${id} and number = 1`.execute(trx);
    await sql`insert into attempts (tenant_id, delivery_id, number, owner, started_at, deadline, finished_at, outcome)
      values (${sender.tenantId}, ${id}, ${number}, 'x', ${at}, ${at}, ${at}, ${outcome}::attempt_outcome)`.execute(
      trx,
    );
    await trx.updateTable('deliveries').set({ state_at: at }).where('id', '=', id).execute();
  });
};
const outcomes = async (id: string) => (await sender.delivery(id)).attempts.map(({ outcome }) => outcome);

describe('housekeeping', () => {
  it('takes away what refused an old delivery for the time being, and nothing that a dispute needs', async () => {
    const id = await sender.send();
    await sender.reaches(id, 'sent');
    for (const [number, outcome] of [
      [2, 'refused_retry'],
      [3, 'unknown'],
      [4, 'refused_retry'],
    ] as const)
      await addOld(id, number, outcome);
    const young = await sender.send();
    await sender.reaches(young, 'sent');
    await addOld(young, 2, 'refused_retry', 10 * day);
    const before = await sender.delivery(id);
    await later();
    expect(await house()).toBe(2);
    expect(await outcomes(id)).toEqual(['sent', 'unknown']);
    expect(await outcomes(young)).toEqual(['sent', 'refused_retry']);
    const { events, providerMessageId, state, attachments } = await sender.delivery(id);
    expect({ events, providerMessageId, state, attachments }).toEqual({
      ...{ events: before.events, providerMessageId: before.providerMessageId },
      ...{ state: 'sent', attachments: before.attachments },
    });
  });

  it('leaves alone what is not finished, and the last word on what was cancelled', async () => {
    const cancelled = await sender.send();
    await sender.reaches(cancelled, 'sent');
    await addOld(cancelled, 2, 'refused_retry');
    await addOld(cancelled, 20, 'refused_retry');
    await later();
    await house();
    expect(await outcomes(cancelled)).toEqual(['refused_retry', 'sent']);
    await inTenant(letterhead.database.db, sender.tenantId, async (trx) => {
      await sql`update deliveries set state = 'unconfirmed' where id = ${cancelled}`.execute(trx);
    });
    await addOld(cancelled, 3, 'refused_retry');
    await later();
    await house();
    expect(await outcomes(cancelled)).toHaveLength(3);
  });

  it('takes away sessions and consents that are over, in pieces, and no others', async () => {
    await letterhead.pool.query(`insert into sessions (sid, sess, expire)
      select 'consent/x/' || n, '{}', now() - interval '1 hour' from generate_series(1, 2300) n`);
    await letterhead.pool.query(`insert into sessions values ('alive', '{}', now() + interval '1 hour')`);
    await later();
    expect(await house()).toBeGreaterThanOrEqual(2_300);
    const { rows } = await letterhead.pool.query('select sid from sessions where expire < now()');
    expect(rows).toEqual([]);
    expect((await sender.founder.get('/')).status).toBe(200);
  });

  it('is done by one process, however many there are, and not again too soon', async () => {
    await later();
    await letterhead.pool.query(`insert into sessions values ('over', '{}', now() - interval '1 hour')`);
    const done = await Promise.all([house(), house(), house(), house()]);
    expect(done.filter((count) => count > 0)).toEqual([1]);
    await letterhead.pool.query(`insert into sessions values ('over', '{}', now() - interval '1 hour')`);
    expect(await house()).toBe(0);
  });

  it('has the queue delete what is finished every few minutes, not once a day', async () => {
    const { rows } = await sql<{
      deletion: number;
    }>`select deletion_seconds as deletion from pgboss.queue where name = 'deliver'`.execute(
      letterhead.database.system,
    );
    expect(rows[0]?.deletion).toBe(600);
  });
});

describe('a job that fails again and again', () => {
  it('harms no other, is told to the operator, and its delivery is held for a person instead of silence', async () => {
    const { database } = letterhead;
    const broken = await sender.send({ sendAt: new Date(letterhead.google.clock.now() + 60_000) });
    await inTenant(database.db, sender.tenantId, (trx) =>
      trx.updateTable('deliveries').set({ recipients: '{"to":"nobody"}' }).where('id', '=', broken).execute(),
    );
    letterhead.google.clock.forward(61_000);
    const fine = await sender.send();
    await wake(database.system, 'waiting');
    await sender.reaches(fine, 'sent');
    const failing = () => findFailingJobs(database.system, 1, 10);
    /** The same, while the worker looks for what is to be tried again: no time passes in which it would by itself. */
    const retried = async () => {
      await wake(database.system, 'ready');
      return failing();
    };
    const [job] = await eventually(retried, (jobs) => jobs.length > 0);
    expect(job).toMatchObject({ deliveryId: broken, queue: 'deliver', error: 'ZodError' });
    expect(letterhead.logged()).toContain('a job failed and will run again');
    expect(await holdStuck(anotherWorker(letterhead))).toBe(0);

    // As if the retries had come, which takes minutes.
    const putOff = () =>
      sql<{
        id: string;
      }>`update pgboss.job set retry_count = ${failuresBeforeStuck}, start_after = now() + interval '1 hour'
        where data ->> 'deliveryId' = ${broken} and state = 'retry' returning id`.execute(database.system);
    await eventually(putOff, ({ rows }) => rows.length === 1);
    const told = await troubles();
    expect(told).toMatchObject({ code: 1 });
    expect(told.output).toContain(`deliver, delivery ${broken}: 8 times since`);
    expect(await holdStuck(anotherWorker(letterhead))).toBe(1);
    const { rows } = await inTenant(database.db, sender.tenantId, (trx) =>
      sql`select state, held_reason, not_before from deliveries where id = ${broken}`.execute(trx),
    );
    expect(rows).toEqual([{ state: 'held', held_reason: 'stuck', not_before: null }]);
    expect(await failing()).toEqual([]);
    // Another job of the same, from when the first seemed lost, goes too.
    const { tenantId } = sender;
    await inTenant(database.db, tenantId, (trx) =>
      letterhead.context.queue.add(trx, 'deliver', [{ tenantId, deliveryId: broken, account: 'a', lane: 0 }]),
    );
    await eventually(retried, (jobs) => jobs.length > 0);
    await eventually(putOff, ({ rows: put }) => put.length === 1);
    expect(await holdStuck(anotherWorker(letterhead))).toBe(0);
    expect(await failing()).toEqual([]);
    expect(letterhead.logged()).toContain('a delivery is stuck');

    const stuck = await troubles();
    expect(stuck.code).toBe(1);
    expect(stuck.output).toContain('1 delivery is held because working on it failed again and again');
    // Mended, and let go by a person.
    await inTenant(database.db, sender.tenantId, (trx) =>
      sql`update deliveries set recipients = (select recipients from deliveries where id = ${fine}) where id = ${broken}`.execute(
        trx,
      ),
    );
    expect((await sender.founder.get(`/deliveries/${broken}`)).text).toContain('by a fault of ours');
    await sender.founder.post(`/deliveries/${broken}/decision`, { decision: 'send_now' });
    await sender.reaches(broken, 'sent');
    expect(await troubles()).toMatchObject({ code: 0 });
  });

  it('is a question for a person where it may have left, and its look fails by our fault', async () => {
    const { database } = letterhead;
    const id = await sender.send({ sendAt: new Date(letterhead.google.clock.now() + day) });
    const at = new Date(letterhead.google.clock.now() - 2 * 3_600_000);
    await inTenant(database.db, sender.tenantId, async (trx) => {
      await sql`update deliveries set state = 'sending', held_reason = null, not_before = null where id = ${id}`.execute(
        trx,
      );
      await sql`insert into attempts (tenant_id, delivery_id, number, owner, started_at, deadline)
        values (${sender.tenantId}, ${id}, 1, 'x', ${at}, ${at})`.execute(trx);
      const job = { tenantId: sender.tenantId, deliveryId: id, account: 'a', lane: 0 };
      await letterhead.context.queue.add(trx, 'deliver', [job]);
      await sql`update pgboss.job set state = 'retry', retry_count = 9, output = '{"error":"TypeError"}',
        start_after = now() + interval '1 hour' where data ->> 'deliveryId' = ${id}`.execute(trx);
    });
    expect(await holdStuck(anotherWorker(letterhead))).toBe(1);
    expect(await sender.delivery(id)).toMatchObject({
      ...{ state: 'unconfirmed', attempts: [{ outcome: 'unknown', reason: 'STUCK' }] },
    });
  });
});

/** `node src/main.ts troubles` beside the running product, as its operator calls it. */
async function troubles(): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, '../../src/main.ts'), 'troubles'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: letterhead.database.urls.app,
      DATABASE_SYSTEM_URL: letterhead.database.urls.system,
    },
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  const [code] = await once(child, 'close');
  return { code: Number(code), output };
}
