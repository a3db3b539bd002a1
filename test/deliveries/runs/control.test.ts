import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countAttention } from '../../../src/deliveries/attention.ts';
import { controlRun, decideRun, type RunControl } from '../../../src/deliveries/runs/control.ts';
import { phaseOf } from '../../../src/deliveries/runs/runs.ts';
import { moveDeliveries } from '../../../src/deliveries/state.ts';
import { inTenant } from '../../../src/tenants/scope.ts';
import { aMinuteLater } from '../../support/answered.ts';
import { type Company, company } from '../../support/company.ts';
import { eventually } from '../../support/eventually.ts';
import { deliverNow } from '../../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../../support/letterhead.ts';
import { manyRecords } from '../../support/many-records.ts';
import { deliveriesOf, putInto, runNow, started } from '../../support/runs.ts';

/** One that works off deliveries, and one that leaves them to the test. */
let working: TestLetterhead;
let waiting: TestLetterhead;
beforeAll(async () => {
  [working, waiting] = await Promise.all([startTestLetterhead(), startTestLetterhead({ worker: false })]);
});
afterAll(() => Promise.all([working.close(), waiting.close()]));

async function aRun(letterhead: TestLetterhead, count: number) {
  const sender = await company(letterhead);
  await inTenant(letterhead.context.db, sender.tenantId, (trx) => manyRecords(trx, sender.tenantId, count));
  // Gmail takes ten, and then lets those wait that are on their way until the rule is taken away.
  const effect = { kind: 'slow', ms: 600_000 } as const;
  const slow = letterhead.google.faults.add({
    ...{ method: 'messages.send', account: sender.account, skip: 10, every: 1, effect },
  });
  const goOn = () => letterhead.google.faults.remove(slow.id);
  const runId = await started(letterhead.context, sender);
  return { sender, runId, goOn, order: { tenantId: sender.tenantId, memberId: sender.memberId, runId } };
}
type ARun = Awaited<ReturnType<typeof aRun>>;

const control = ({ context }: TestLetterhead, { order }: ARun, what: RunControl) =>
  inTenant(context.db, order.tenantId, async (trx) => (await controlRun(trx, context.clock, order, what))?.length);
const countsOf = async ({ context }: TestLetterhead, { sender, runId }: ARun) =>
  (await runNow(context, sender, runId)).counts;
const acceptedOf = ({ google }: TestLetterhead, sender: Company) =>
  google.truth.accepted().filter(({ account }) => account === sender.account);

/** Waits until some left, and nothing is in a worker's hands. */
async function standsStill(letterhead: TestLetterhead, run: ARun) {
  return eventually(
    () => countsOf(letterhead, run),
    ({ sending, waiting: left }) => sending === 0 && left === 0,
  );
}

describe('a run in the middle of it', () => {
  it('pauses: nothing of it leaves, until it is resumed; then everything does, once', async () => {
    const run = await aRun(working, 150);
    await eventually(
      () => acceptedOf(working, run.sender).length,
      (count) => count >= 5,
    );
    expect(await control(working, run, 'pause')).toBeGreaterThan(0);
    run.goOn();
    const paused = await standsStill(working, run);
    expect(paused.heldBy).toEqual([{ reason: 'run_paused', count: paused.held }]);
    expect(paused.sent + paused.held).toBe(150);
    expect(acceptedOf(working, run.sender)).toHaveLength(paused.sent);

    expect(await control(working, run, 'pause')).toBeUndefined();
    expect(await control(working, run, 'resume')).toBe(paused.held);
    await eventually(
      () => countsOf(working, run),
      ({ sent }) => sent === 150,
    );
    const subjects = acceptedOf(working, run.sender).map(({ subject }) => subject);
    expect(subjects).toHaveLength(150);
    expect(new Set(subjects).size).toBe(150);
    expect(phaseOf(await runNow(working.context, run.sender, run.runId))).toBe('over');
  });

  it('is cancelled: what has not left never does', async () => {
    const run = await aRun(working, 150);
    await eventually(
      () => acceptedOf(working, run.sender).length,
      (count) => count >= 5,
    );
    await control(working, run, 'cancel');
    run.goOn();
    const counts = await standsStill(working, run);
    expect(counts.cancelled).toBeGreaterThan(0);
    expect(counts.sent + counts.cancelled).toBe(150);
    expect(acceptedOf(working, run.sender)).toHaveLength(counts.sent);
    expect(await control(working, run, 'resume')).toBeUndefined();
  });
});

describe('what comes back to the queue of a run', () => {
  const backToQueue = async (run: ARun, ids: string[]) =>
    inTenant(waiting.context.db, run.sender.tenantId, (trx) =>
      moveDeliveries(trx, run.sender.tenantId, ids, {
        ...{ from: 'held', to: 'queued', at: waiting.context.clock(), detail: 'The wait is over.' },
      }),
    );
  const stateOf = async (run: ARun, id: string) => {
    const { state, heldReason } = await run.sender.delivery(id);
    return [state, heldReason];
  };

  it('is stopped by a worker where the run was paused or cancelled meanwhile', async () => {
    const run = await aRun(waiting, 3);
    const [first] = await deliveriesOf(waiting.context, run.sender, run.runId);
    if (!first) throw new Error('no delivery');
    await control(waiting, run, 'pause');
    await backToQueue(run, [first.id]);
    await deliverNow(waiting, run.sender, first.id);
    expect(await stateOf(run, first.id)).toEqual(['held', 'run_paused']);

    await control(waiting, run, 'cancel');
    await putInto(waiting.context, run.sender, [first.id], 'queued');
    await deliverNow(waiting, run.sender, first.id);
    expect(await stateOf(run, first.id)).toEqual(['cancelled', null]);
    expect(acceptedOf(waiting, run.sender)).toEqual([]);
  });

  it('waits where somebody is deciding about the run, and is not held once it was resumed', async () => {
    const run = await aRun(waiting, 3);
    const [first] = await deliveriesOf(waiting.context, run.sender, run.runId);
    if (!first) throw new Error('no delivery');
    await control(waiting, run, 'pause');
    await backToQueue(run, [first.id]);
    await inTenant(waiting.context.db, run.sender.tenantId, async (trx) => {
      expect(await controlRun(trx, waiting.context.clock, run.order, 'resume')).toHaveLength(2);
      await deliverNow(waiting, run.sender, first.id);
      expect(await stateOf(run, first.id)).toEqual(['queued', null]);
    });
    await deliverNow(waiting, run.sender, first.id);
    expect(await stateOf(run, first.id)).toEqual(['sent', null]);
  });

  it('leaves where somebody decided about this one by itself', async () => {
    const run = await aRun(waiting, 3);
    const [first] = await deliveriesOf(waiting.context, run.sender, run.runId);
    if (!first) throw new Error('no delivery');
    await control(waiting, run, 'pause');
    await run.sender.founder.post(`/deliveries/${first.id}/decision`, { decision: 'send_now' });
    await deliverNow(waiting, run.sender, first.id);
    expect(await stateOf(run, first.id)).toEqual(['sent', null]);
    expect(await countsOf(waiting, run)).toMatchObject({ sent: 1, held: 2 });
  });
});

describe('what nobody knows of a run', () => {
  const decideNow = (
    { sender, order }: Awaited<ReturnType<typeof aRun>>,
    decision: 'send_again' | 'mark_as_sent',
    until = waiting.context.clock(),
  ) =>
    inTenant(
      waiting.context.db,
      sender.tenantId,
      async (trx) => (await decideRun(trx, waiting.context, order, decision, until)).moved,
    );

  it.each(['mark_as_sent', 'send_again'] as const)('by %s is decided only as far as somebody saw it', async (word) => {
    const run = await aRun(waiting, 3);
    const { sender } = run;
    const ids = (await deliveriesOf(waiting.context, sender, run.runId)).map(({ id }) => id);
    await putInto(waiting.context, sender, ids, 'unconfirmed');
    const seenAt = waiting.context.clock();
    // It became so after the page was made.
    await inTenant(waiting.context.db, sender.tenantId, (trx) =>
      trx
        .updateTable('deliveries')
        .set({ state_at: new Date(seenAt.getTime() + 1) })
        .where('id', '=', ids[2] ?? '')
        .execute(),
    );
    expect(await decideNow(run, word, seenAt)).toBe(2);
    expect(await countsOf(waiting, run)).toMatchObject({ unconfirmed: 1 });
  });

  it('is decided at once by somebody who looked, and it is written down who', async () => {
    const run = await aRun(waiting, 5);
    const { sender } = run;
    const ids = (await deliveriesOf(waiting.context, sender, run.runId)).map(({ id }) => id);
    await putInto(waiting.context, sender, ids.slice(0, 3), 'unconfirmed');
    const decide = (decision: 'send_again' | 'mark_as_sent') => decideNow(run, decision);
    expect(await decide('mark_as_sent')).toBe(3);
    expect(await decide('send_again')).toBe(0);
    expect(await countsOf(waiting, run)).toMatchObject({ answered: 3, held: 0, waiting: 2, unconfirmed: 0 });
    await aMinuteLater(waiting);
    expect(await countsOf(waiting, run)).toMatchObject({ sent: 3, waiting: 2, unconfirmed: 0 });
    const { events } = await sender.delivery(ids[0] ?? '');
    expect(events[0]).toMatchObject({ state: 'sent', detail: 'Found in Gmail: marked as sent.' });
    expect(events[0]?.memberName).not.toBeNull();

    await putInto(waiting.context, sender, ids.slice(0, 1), 'unconfirmed');
    await control(waiting, run, 'cancel');
    expect(await decide('send_again')).toBe(0);
    expect(await decide('mark_as_sent')).toBe(1);
  });
});

describe('what somebody has just said they did not find in Gmail', () => {
  const decideAgain = (run: ARun, id: string) =>
    run.sender.founder.post(`/deliveries/${id}/decision`, { decision: 'send_again' });
  const oneInDoubt = async () => {
    const run = await aRun(waiting, 3);
    const [first] = await deliveriesOf(waiting.context, run.sender, run.runId);
    if (!first) throw new Error('no delivery');
    await putInto(waiting.context, run.sender, [first.id], 'unconfirmed');
    return { run, id: first.id };
  };
  const standing = async (run: ARun, id: string) => {
    const { state, heldReason } = await run.sender.delivery(id);
    return [state, heldReason];
  };

  it.each([
    ['cancelled', 'cancel', ['cancelled', null]],
    ['paused', 'pause', ['held', 'run_paused']],
  ] as const)(
    'stays in doubt while that can be undone, though its run is %s, and stops with it then',
    async (...row) => {
      const [, order, end] = row;
      const { run, id } = await oneInDoubt();
      await decideAgain(run, id);
      expect(await standing(run, id)).toEqual(['held', 'not_found']);
      waiting.google.clock.forward(1_000);
      expect(await control(waiting, run, order)).toBe(2);
      expect(await standing(run, id)).toEqual(['held', 'not_found']);
      await aMinuteLater(waiting);
      await deliverNow(waiting, run.sender, id);
      expect(await standing(run, id)).toEqual(end);
      expect(acceptedOf(waiting, run.sender)).toEqual([]);
    },
  );

  it('does not leave any more where its record was cancelled meanwhile', async () => {
    const { run, id } = await oneInDoubt();
    await decideAgain(run, id);
    await inTenant(waiting.context.db, run.sender.tenantId, (trx) =>
      trx
        .updateTable('documents')
        .set({ status: 'cancelled' })
        .where('id', '=', (query) => query.selectFrom('deliveries').select('document_id').where('id', '=', id))
        .execute(),
    );
    await aMinuteLater(waiting);
    await deliverNow(waiting, run.sender, id);
    expect(await standing(run, id)).toEqual(['cancelled', null]);
    expect(acceptedOf(waiting, run.sender)).toEqual([]);
    expect((await run.sender.delivery(id)).events[0]?.detail).toContain('Its record was cancelled');
  });

  it('leaves where its run was paused before they said so', async () => {
    const { run, id } = await oneInDoubt();
    await control(waiting, run, 'pause');
    waiting.google.clock.forward(1_000);
    await decideAgain(run, id);
    await aMinuteLater(waiting);
    await deliverNow(waiting, run.sender, id);
    expect(await standing(run, id)).toEqual(['sent', null]);
  });
});

it('a paused run needs nobody: whoever paused it knows', async () => {
  const run = await aRun(waiting, 4);
  const { tenantId, memberId } = run.sender;
  const attention = () =>
    inTenant(waiting.context.db, tenantId, (trx) => countAttention(trx, tenantId, { memberId, seesAll: true }));
  await control(waiting, run, 'pause');
  expect(await attention()).toBe(0);
  const [first] = await deliveriesOf(waiting.context, run.sender, run.runId);
  await putInto(waiting.context, run.sender, [first?.id ?? ''], 'failed');
  expect(await attention()).toBe(1);
});
