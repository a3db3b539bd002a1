import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { startWorker, type WorkerProcess } from '../support/worker-process.ts';

let letterhead: TestLetterhead;
const workers: WorkerProcess[] = [];
const worker = async () => {
  const started = await startWorker(letterhead);
  workers.push(started);
  return started;
};

beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, sendDeadlineMs: 20_000, settleMs: 1_000 });
});
afterAll(async () => {
  await Promise.all(workers.map((each) => each.kill()));
  await letterhead.close();
});

it('after a killed worker another one takes over: nothing stays, nothing is lost, nothing is doubled', async () => {
  const [early, during, late] = [await company(letterhead), await company(letterhead), await company(letterhead)];
  const { faults } = letterhead.google;
  // The first dies while it renews its access token, before Gmail was asked …
  await inTenant(letterhead.database.db, early.tenantId, (trx) =>
    trx.updateTable('grants').set({ access_token: null, access_token_expires_at: null }).execute(),
  );
  const never = { kind: 'hang', when: 'before' } as const;
  const struck = [
    faults.add({ method: 'token', account: early.account, every: 1, effect: never }),
    // … the second while Gmail has the request, and the third after Gmail accepted it.
    faults.add({ method: 'messages.send', account: during.account, effect: never }),
    faults.add({ method: 'messages.send', account: late.account, effect: { kind: 'hang', when: 'after' } }),
  ];
  const first = await worker();
  const deliveries = await Promise.all(
    [early, during, late].map(async (sender) => [sender, await sender.send()] as const),
  );
  await eventually(
    () => struck.map(({ fired }) => fired),
    (fired) => fired.every((times) => times >= 1),
  );
  await eventually(
    () => late.accepted(deliveries[2]?.[1] ?? '').length,
    (count) => count === 1,
  );
  await first.kill();
  expect(await states(deliveries)).toEqual(['queued', 'sending', 'sending']);

  faults.clear();
  const second = await worker();
  const ended = await eventually(
    () => states(deliveries),
    ([a, b, c]) => a === 'sent' && b === 'unconfirmed' && c === 'unconfirmed',
  );
  expect(ended).toEqual(['sent', 'unconfirmed', 'unconfirmed']);
  const accepted = deliveries.map(([sender, id]) => sender.accepted(id).length);
  expect(accepted).toEqual([1, 0, 1]);
  for (const [sender, id] of deliveries) {
    const { attempts, state } = await sender.delivery(id);
    expect(attempts).toHaveLength(1);
    if (state === 'unconfirmed') expect(attempts[0]).toMatchObject({ outcome: 'unknown', reason: 'WORKER_GONE' });
  }
  expect(await second.stop()).toBe(0);
});

it('a worker that is asked to stop finishes what it has in its hands', async () => {
  const sender = await company(letterhead);
  const slow = letterhead.google.faults.add({
    ...{ method: 'messages.send', account: sender.account },
    effect: { kind: 'slow', ms: 1_000 },
  });
  const running = await worker();
  const id = await sender.send();
  await eventually(
    () => slow.fired,
    (fired) => fired === 1,
  );
  expect(await running.stop()).toBe(0);
  expect((await sender.delivery(id)).state).toBe('sent');
  expect(sender.accepted(id)).toHaveLength(1);
});

function states(deliveries: readonly (readonly [Company, string])[]): Promise<string[]> {
  return Promise.all(deliveries.map(async ([sender, id]) => (await sender.delivery(id)).state));
}
