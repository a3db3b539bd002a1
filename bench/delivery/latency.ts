import { randomUUID } from 'node:crypto';
import { createDelivery } from '../../src/deliveries/create.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { eventually } from '../../test/support/eventually.ts';
import { unpaced } from './drain.ts';
import type { BenchMailbox, World } from './world.ts';

/** Milliseconds from the click (the form's request is understood) until Gmail has accepted the message. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

/**
 * Sends single emails one after the other through a worker of its own, from one mailbox after the other (each may send so
 * many a minute), while nothing else happens, or while whatever was filled before is worked off.
 */
export async function clickToGmail(
  world: World,
  mailboxes: readonly BenchMailbox[],
  times: number,
  env: Readonly<Record<string, string>> = unpaced,
): Promise<Latency> {
  const worker = await world.start('work', env);
  const [first] = mailboxes;
  if (!first) throw new RangeError('There is no mailbox.');
  await click(world, first);
  const taken: number[] = [];
  for (let time = 0; time < times; time += 1)
    taken.push(await click(world, mailboxes[time % mailboxes.length] ?? first));
  await worker.stop();
  taken.sort((a, b) => a - b);
  const at = (share: number) => taken[Math.min(taken.length - 1, Math.floor(taken.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), most: taken.at(-1) ?? 0 };
}

async function click(world: World, { tenantId, memberId }: BenchMailbox): Promise<number> {
  const begun = Date.now();
  const made = await inTenant(world.app, tenantId, (trx) =>
    createDelivery(trx, systemClock, {
      ...{ tenantId, memberId, idempotencyKey: randomUUID(), subject: 'Hello', message: 'Here it is.', document: null },
      recipients: { to: [{ name: '', email: 'mira@northgate.example' }], cc: [], bcc: [] },
    }),
  );
  if (made.kind !== 'created') throw new Error(`Nothing was made: ${made.kind}`);
  const row = () =>
    world.owner
      .selectFrom('deliveries')
      .select(['state', 'sent_at'])
      .where('id', '=', made.deliveryId)
      .executeTakeFirstOrThrow();
  // What counts is when the worker heard Gmail's answer, not when we asked.
  const { sent_at: sentAt } = await eventually(row, ({ state }) => state === 'sent');
  return (sentAt?.getTime() ?? 0) - begun;
}
