import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { leaseMs } from '../../src/mailboxes/refresh-lease.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { startWorker, type WorkerProcess } from '../support/worker-process.ts';

const mailboxes = 5;
const sends = 50;
/** Google's library asks again when an answer takes longer: a busy machine must not look like a second refresh. */
const timeoutSeconds = '20';

let letterhead: TestLetterhead;
const workers: WorkerProcess[] = [];
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, settleMs: 1_000 });
});
afterEach(async () => {
  letterhead.google.faults.clear();
  for (const worker of workers.splice(0)) await worker.stop();
});
afterAll(() => letterhead.close());

async function startWorkers(count: number): Promise<WorkerProcess[]> {
  const started = await Promise.all(
    Array.from({ length: count }, () => startWorker(letterhead, { GOOGLE_TIMEOUT_SECONDS: timeoutSeconds })),
  );
  workers.push(...started);
  return started;
}

/** Companies whose access tokens have ended: the next send of each needs a new one. */
async function expired(count: number): Promise<Company[]> {
  const some: Company[] = [];
  for (let number = 0; number < count; number += 1) some.push(await company(letterhead));
  for (const { tenantId } of some) {
    await inTenant(letterhead.database.db, tenantId, (trx) =>
      trx
        .updateTable('grants')
        .set({ access_token_expires_at: new Date(Date.now() - 1_000) })
        .execute(),
    );
  }
  letterhead.google.truth.resetCalls();
  return some;
}

const slowly = (one: Company, ms: number) =>
  letterhead.google.faults.add({ method: 'token', account: one.account, times: 1_000, effect: { kind: 'slow', ms } });
const calls = () => letterhead.google.truth.calls('token');
const owners = async (one: Company) =>
  inTenant(letterhead.database.db, one.tenantId, (trx) =>
    trx.selectFrom('attempts').select('owner').distinct().execute(),
  );

describe('two processes', () => {
  it('send 50 emails at once over 5 mailboxes whose tokens have ended: one call to the token endpoint for each', async () => {
    await startWorkers(2);
    // Until both had a part in it, or this would prove nothing.
    for (let owned = 0, wave = 1; owned < 2; wave += 1) {
      expect(wave).toBeLessThan(10);
      const some = await expired(mailboxes);
      // What a rule of this account has struck is the count of its token calls.
      const rules = some.map((one) => slowly(one, 500));
      const sent = await Promise.all(
        Array.from({ length: sends }, async (_, number) => {
          const one = some[number % mailboxes];
          if (!one) throw new Error('There is no company.');
          return { one, id: await one.send() };
        }),
      );
      for (const { one, id } of sent) await one.reaches(id, 'sent');
      expect(rules.map(({ fired }) => fired)).toEqual(some.map(() => 1));
      expect(calls()).toBe(mailboxes);
      for (const { one, id } of sent) expect(one.accepted(id)).toHaveLength(1);
      owned = new Set((await Promise.all(some.map(owners))).flat().map(({ owner }) => owner)).size;
    }
  });

  it('lose little more than a lease when the one that renews is killed', async () => {
    const [one] = await expired(1);
    if (!one) throw new Error('There is no company.');
    // The first call hangs until its process is gone; those after it are answered.
    letterhead.google.faults.add({
      ...{ method: 'token', account: one.account, times: 1 },
      effect: { kind: 'hang', when: 'before' },
    });
    const [first] = await startWorkers(1);
    const id = await one.send();
    await eventually(calls, (count) => count === 1);
    // Whoever else needs the token now waits for the one that asks.
    const { tokens } = letterhead.context;
    const waiting = tokens.of(one.tenantId, one.mailboxId);
    await first?.kill();
    const killedAt = performance.now();
    await waiting;
    const waited = performance.now() - killedAt;
    expect(waited).toBeLessThan(leaseMs + 20_000);
    expect(calls()).toBe(2);
    // And the email of the dead process is taken up by another.
    await startWorkers(1);
    await eventually(
      () => one.delivery(id),
      ({ state }) => state === 'sent',
    );
    expect(one.accepted(id)).toHaveLength(1);
    expect(calls()).toBe(2);
  });
});
