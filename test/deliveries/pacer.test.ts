import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPacer } from '../../src/deliveries/pacer.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { company } from '../support/company.ts';
import { anotherWorker } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, timeStands: true });
});
afterAll(() => letterhead.close());

/** The waiting jobs, by delivery. */
async function jobs(): Promise<Map<string, number>> {
  const { rows } = await sql<{ id: string; count: number }>`
    select data ->> 'deliveryId' as id, count(*)::int from pgboss.job
    where name = 'deliver' and state = 'created' group by 1`.execute(letterhead.database.system);
  return new Map(rows.map(({ id, count }) => [id, count]));
}

describe('a backlog longer than what is handed out at once', () => {
  it('is released a stretch at a time, and never stands still for its own length', async () => {
    const sender = await company(letterhead);
    for (let made = 0; made < 240; made += 1) await sender.send();
    const pacer = createPacer(anotherWorker(letterhead));
    expect((await pacer.tick()).released).toBe(200);
    expect((await pacer.tick()).released).toBe(0);
    await letterhead.database.system.updateTable('deliveries').set({ released_at: null }).execute();
    expect((await pacer.tick()).released).toBe(200);
  });
});

describe('a delivery that was given a job', () => {
  it('gets no other one while that waits, however long; where it was lost, it does', async () => {
    const sender = await company(letterhead);
    const ids = await Promise.all(Array.from({ length: 3 }, () => sender.send()));
    const pacer = createPacer(anotherWorker(letterhead));
    await pacer.tick();
    const before = await jobs();
    for (const id of ids) expect(before.get(id)).toBe(1);
    letterhead.google.clock.forward(600_000);
    expect((await pacer.tick()).released).toBe(0);
    expect(await jobs()).toEqual(before);

    const [lost = ''] = ids;
    await sql`delete from pgboss.job where data ->> 'deliveryId' = ${lost}`.execute(letterhead.database.system);
    letterhead.google.clock.forward(10_000);
    expect((await pacer.tick()).released).toBe(1);
    expect(await jobs()).toEqual(before);
  });

  it('has one job waiting, whoever adds another', async () => {
    const sender = await company(letterhead);
    const deliveryId = await sender.send();
    const job = { tenantId: sender.tenantId, deliveryId, account: sender.account, lane: 0 };
    await letterhead.database.system.transaction().execute(async (trx) => {
      await letterhead.context.queue.add(trx, 'deliver', [job, job]);
      await letterhead.context.queue.add(trx, 'deliver', [job]);
    });
    expect((await jobs()).get(deliveryId)).toBe(1);
  });
});

describe('thousands that are to be looked for in Gmail', () => {
  it('are begun a few at a time, and stand before no other account’s moment, and no send of their own', async () => {
    const { database } = letterhead;
    const [sender, other] = [await company(letterhead), await company(letterhead)];
    const past = new Date(letterhead.google.clock.now() - 60_000);
    for (let made = 0; made < 30; made += 1) await sender.send();
    await inTenant(database.db, sender.tenantId, (trx) =>
      sql`update deliveries set state = 'held', held_reason = 'restored', not_before = ${past}`.execute(trx),
    );
    const single = await sender.send();
    const due = await other.send({ sendAt: new Date(letterhead.google.clock.now() + 1_000) });
    letterhead.google.clock.forward(2_000);
    const pace = { unitsPerMinute: 6_000, projectUnitsPerMinute: null, inFlight: 5 };
    const jobs = async () => {
      const found = sql<{
        id: string;
      }>`select data ->> 'deliveryId' as id from pgboss.job where data ->> 'tenantId' = ${sender.tenantId}`;
      return (await found.execute(database.system)).rows.map(({ id }) => id);
    };
    await createPacer({ ...anotherWorker(letterhead), pace }).tick();
    expect((await jobs()).length).toBe(11);
    expect(await jobs()).toContain(single);
    expect((await other.delivery(due)).state).toBe('queued');
    // The account's rate is used up by looks: no further ones are begun until there is room.
    await database.system
      .updateTable('sending_accounts')
      .set({ paid_until: new Date(letterhead.google.clock.now() + 11_000) })
      .execute();
    await createPacer({ ...anotherWorker(letterhead), pace }).tick();
    expect((await jobs()).length).toBe(11);
    letterhead.google.clock.forward(8_000);
    await createPacer({ ...anotherWorker(letterhead), pace }).tick();
    expect((await jobs()).length).toBe(21);
  });
});
