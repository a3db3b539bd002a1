import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeliverContext } from '../../src/deliveries/context.ts';
import { deliver } from '../../src/deliveries/deliver.ts';
import { createPacer } from '../../src/deliveries/pacer.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { watchForJumps } from '../../src/platform/clock-jumps.ts';
import type { Sender } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { anotherWorker } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';

const pace = { unitsPerMinute: 6_000, projectUnitsPerMinute: 1_200_000, inFlight: 5 };

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, pace, sendDeadlineMs: 60_000, settleMs: 20_000 });
});
afterAll(() => letterhead.close());

const hour = 3_600_000;
/** Until the rule is taken away. */
const atWork = { kind: 'slow', ms: 600_000 } as const;

/** A worker on a machine whose clock can be set; what waits by the machine's timers goes on as it was. */
function worker(now = () => Date.now()): { ctx: DeliverContext; set: (ms: number) => void } {
  let ahead = 0;
  const clock = Object.assign(() => new Date(now() + ahead), { after: systemClock.after });
  const jumps = watchForJumps(() => now() + ahead);
  const ctx = { ...anotherWorker(letterhead), clock, jumps };
  return {
    ctx,
    set(ms) {
      ahead += ms;
    },
  };
}

/** Begins to send through a worker, and sets its clock while Gmail is at work on it. */
async function setDuringSend(
  sender: Sender,
  ms: number,
  effect: Parameters<typeof letterhead.google.faults.add>[0]['effect'],
) {
  const { ctx, set } = worker();
  const fault = letterhead.google.faults.add({ method: 'messages.send', account: sender.account, effect });
  const id = await sender.send();
  const job = { tenantId: sender.tenantId, deliveryId: id };
  const sending = deliver(ctx, job);
  await eventually(
    () => fault.fired,
    (fired) => fired === 1,
  );
  set(ms);
  return { ctx, id, job, sending, set, fault };
}

describe('the clock is put forward by hours during a send', () => {
  it('and nobody looks, or sends again, while Gmail may still be at work on it', async () => {
    const sender = await permittedSender(letterhead, ['send', 'tracking']);
    const { ctx, id, job, sending, fault } = await setDuringSend(sender, 5 * hour, atWork);
    // Its moment has come, by that clock: the pacer has it looked into.
    await createPacer(ctx).tick();
    await deliver(ctx, job);
    expect(await sender.delivery(id)).toMatchObject({ state: 'sending', attempts: [{ outcome: null }] });
    letterhead.google.faults.remove(fault.id);
    await sending;
    expect(await sender.delivery(id)).toMatchObject({ state: 'sent', attempts: [{ outcome: 'sent' }] });
    await createPacer(ctx).tick();
    await deliver(ctx, job);
    expect(sender.accepted(id)).toHaveLength(1);
  });

  it('and what was lost is looked into once it is certain that nothing is under way', async () => {
    const sender = await permittedSender(letterhead, ['send', 'tracking']);
    const { ctx, id, job, sending } = await setDuringSend(sender, 5 * hour, { kind: 'drop', when: 'after' });
    await sending;
    await createPacer(ctx).tick();
    await deliver(ctx, job);
    expect((await sender.delivery(id)).state).toBe('sending');
    // Deadline and settle time have really passed; the pacer asks again.
    const later = { ...ctx, jumps: { sinceJumpMs: () => 80_001 } };
    await createPacer({
      ...later,
      clock: Object.assign(() => new Date(ctx.clock().getTime() + 61_000), { after: systemClock.after }),
    }).tick();
    await deliver(later, job);
    expect(await sender.delivery(id)).toMatchObject({ state: 'sent', attempts: [{ outcome: 'unknown' }] });
    expect(sender.accepted(id)).toHaveLength(1);
  });
});

describe('the clock is put back by hours during a send', () => {
  it('and the send ends at its deadline all the same', async () => {
    const sender = await permittedSender(letterhead, ['send']);
    const { ctx, id, job, sending, fault } = await setDuringSend(sender, -5 * hour, atWork);
    letterhead.google.faults.remove(fault.id);
    await sending;
    await deliver(ctx, job);
    expect((await sender.delivery(id)).state).toBe('sent');
    expect(sender.accepted(id)).toHaveLength(1);
  });

  it('and what an account used up before is not held against it for hours', async () => {
    const sender = await permittedSender(letterhead, ['send']);
    // No time passes in which the account would come by more.
    const start = Date.now();
    const { ctx, set } = worker(() => start);
    for (let made = 0; made < 8; made += 1) await sender.send();
    expect((await createPacer(ctx).tick()).released).toBeGreaterThan(0);
    expect((await createPacer(ctx).tick()).released).toBe(0);
    set(-5 * hour);
    expect((await createPacer(ctx).tick()).released).toBeGreaterThan(0);
    // And no more than the rate allows.
    expect((await createPacer(ctx).tick()).released).toBe(0);
  });
});
