import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DeliverContext } from '../../src/deliveries/context.ts';
import { type Decision, decide, decisionsFor } from '../../src/deliveries/decide.ts';
import { deliver } from '../../src/deliveries/deliver.ts';
import { probeTrouble, releaseAfterTrouble, releaseRecovered } from '../../src/deliveries/let-go.ts';
import { createPacer } from '../../src/deliveries/pacer.ts';
import { reconsiderHours } from '../../src/deliveries/reconsider-hours.ts';
import { decideWaiting, holdMailbox, releaseMailbox } from '../../src/deliveries/release.ts';
import { holdRestored, releaseRestored } from '../../src/deliveries/restored.ts';
import { controlRun, decideRun, type RunControl } from '../../src/deliveries/runs/control.ts';
import { schedule } from '../../src/deliveries/schedule.ts';
import { holdStuck } from '../../src/deliveries/stuck.ts';
import { holdWithdrawn, releaseAllowed } from '../../src/deliveries/withdrawn.ts';
import type { Capability } from '../../src/platform/capability.ts';
import { type Database, openDatabase } from '../../src/platform/database.ts';
import type { DeliveryState } from '../../src/platform/database-types.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { takeBackLost } from '../../src/tenants/system-queue.ts';
import type { Sender } from '../support/company.ts';
import { anotherWorker } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';
import { aPausedRun } from '../support/rows.ts';
import { sendOnly, workspace } from '../support/workspace.ts';

/** What Gmail accepted, and of which nobody heard. It stays a question until a look or a person answers it. */

let letterhead: TestLetterhead;
let worker: DeliverContext;
let owner: ReturnType<typeof openDatabase>;
const senders = new Map<string, Sender>();
const sets: readonly (readonly Capability[])[] = [
  ['send'],
  ['send', 'tracking'],
  ['send', 'safe_retry'],
  ['send', 'safe_retry', 'tracking'],
];
const delegated = 'delegated';

beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, timeStands: true });
  worker = anotherWorker(letterhead);
  owner = openDatabase(letterhead.database.urls.owner, 1, () => {});
  for (const [place, set] of sets.entries()) {
    const account = `${set.includes('safe_retry') ? 'drafts' : 'messages'}${place}@doubt.example`;
    senders.set(set.join(' + '), await permittedSender(letterhead, set, account));
  }
  const firm = await workspace(letterhead);
  firm.authorise(sendOnly);
  await firm.store();
  const tom = { ...firm, memberId: firm.tom.memberId, account: firm.tom.account, send: () => firm.sendAsTom() };
  await tom.send();
  senders.set(delegated, { ...tom, mailboxId: (await firm.tomsMailbox()).id });
});
beforeEach(() => holdRestored(worker));
afterAll(async () => {
  await owner.close();
  await letterhead.close();
});

/** A delivery in doubt, and everything that a route may want to know of it. */
interface Doubted extends Sender {
  readonly id: string;
  readonly runId: string;
}

const within = <T>({ tenantId }: Sender, work: (trx: Database) => Promise<T>) =>
  inTenant(letterhead.database.db, tenantId, work);

/** Accepted by Gmail, whose answer is lost; one of a run. */
async function accepted(sender: Sender): Promise<Doubted> {
  const id = await sender.send();
  const runId = await within(sender, async (trx) => {
    const run = await aPausedRun(trx, sender);
    await trx.updateTable('runs').set({ state: 'running' }).where('id', '=', run).execute();
    await trx.updateTable('deliveries').set({ run_id: run }).where('id', '=', id).execute();
    return run;
  });
  const method = sender.account.startsWith('drafts') ? 'drafts.send' : 'messages.send';
  letterhead.google.faults.add({ method, account: sender.account, effect: { kind: 'drop', when: 'after' } });
  await forgetTrouble();
  await work({ ...sender, id });
  expect((await sender.delivery(id)).state).toBe('sending');
  expect(sender.accepted(id)).toHaveLength(1);
  return { ...sender, id, runId };
}

const work = ({ tenantId, id }: Pick<Doubted, 'tenantId' | 'id'>) => deliver(worker, { tenantId, deliveryId: id });
/** Three lost answers in a row hold an account; that is not what is asked here. */
const forgetTrouble = () =>
  sql`update sending_accounts set blocked_until = null, blocked_reason = null, unknown_in_a_row = 0`.execute(
    letterhead.database.system,
  );
/** All that a worker would do with them, however long it takes. */
async function untilAllIsSaid(doubted: readonly Doubted[]): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    letterhead.google.clock.forward(200_000);
    await forgetTrouble();
    const { rows } = await sql<{ id: string }>`
      select id from deliveries where state = 'queued' or (state in ('sending', 'held', 'unconfirmed')
        and not_before <= ${worker.clock()})`.execute(letterhead.database.system);
    if (round === 0) await createPacer(worker).tick();
    const due = new Set(rows.map(({ id }) => id));
    await Promise.all(doubted.filter(({ id }) => due.has(id)).map(work));
  }
}

type Route = (doubted: Doubted) => Promise<unknown>;

const decided =
  (decision: Decision): Route =>
  (doubted) =>
    within(doubted, (trx) => decide(worker, trx, doubted.tenantId, [doubted.id], decision, doubted.memberId));
const run =
  (control: RunControl): Route =>
  (doubted) =>
    within(doubted, (trx) => controlRun(trx, worker.clock, doubted, control));
const waiting =
  (kind: 'send_now' | 'discard'): Route =>
  (doubted) => {
    const { tenantId, memberId, mailboxId, id: deliveryId } = doubted;
    const decision = { kind, deliveryId, heldUntil: worker.clock(), memberId };
    return within(doubted, (trx) => decideWaiting(trx, worker, tenantId, mailboxId, decision));
  };
const setRole = (doubted: Doubted, role: 'viewer' | 'member') =>
  within(doubted, (trx) => trx.updateTable('members').set({ role }).where('id', '=', doubted.memberId).execute());
const inTurn =
  (...routes: readonly Route[]): Route =>
  async (doubted) => {
    for (const route of routes) await route(doubted);
  };

/** Each is taken by deliveries of its own. */
const routes: Record<string, Route> = {
  'nothing at all': async () => {},
  'a second job for it': work,
  'send now': decided('send_now'),
  cancel: decided('cancel'),
  'seen, and off the list': decided('seen'),
  'its run is paused and resumed': inTurn(run('pause'), run('resume')),
  'its run is cancelled': run('cancel'),
  'its mailbox is disconnected and connected again': inTurn(
    (doubted) => within(doubted, (trx) => holdMailbox(trx, worker.clock, doubted, doubted.mailboxId)),
    (doubted) => within(doubted, (trx) => releaseMailbox(trx, worker.clock, doubted.tenantId, doubted.mailboxId)),
  ),
  'what waits for its mailbox is sent now': waiting('send_now'),
  'what waits for its mailbox is discarded': waiting('discard'),
  'the sending hours change': (doubted) => within(doubted, (trx) => reconsiderHours(worker, trx, doubted.tenantId)),
  'its member may not send, and may again': inTurn(
    (doubted) => setRole(doubted, 'viewer'),
    (doubted) => holdWithdrawn(worker, doubted.tenantId, doubted),
    work,
    (doubted) => setRole(doubted, 'member'),
    (doubted) => releaseAllowed(worker, doubted.tenantId, doubted),
  ),
  'the operator’s trouble is probed, and over': inTurn(
    () => probeTrouble(worker),
    () => releaseAfterTrouble(worker),
    () => releaseRecovered(worker),
  ),
  'another time is chosen for it': (doubted) => {
    const { tenantId, memberId, id } = doubted;
    const choice = { sendAt: worker.clock(), timeZone: 'UTC', anyTime: true, memberId };
    return within(doubted, (trx) => schedule(worker, trx, tenantId, id, choice));
  },
  'its job is lost, or fails again and again': inTurn(
    () => takeBackLost(letterhead.database.system, worker.clock()),
    () => holdStuck(worker),
  ),
};

/** Each is taken by the whole database. */
const restores: Record<string, Route> = {
  'the database is restored': () => holdRestored(worker, true),
  'the database is moved by plan': inTurn(
    () => holdRestored(worker, true),
    () => releaseRestored(worker),
  ),
  'the database is restored, looked up, and then said to have lost nothing': inTurn(
    () => holdRestored(worker, true),
    work,
    () => releaseRestored(worker),
    work,
  ),
};

type Ends = Record<string, [DeliveryState, number]>;
const ended = new Map<string, Ends>();

/** Takes routes with deliveries of every set of permissions, while Gmail's answer is awaited, and once more when a person is asked. */
async function take(taken: Record<string, Route>): Promise<void> {
  const doubted: (Doubted & { name: string; set: string })[] = [];
  // One after the other: of several answers of a mailbox that are lost at once, the later ones would wait.
  for (const name of Object.keys(taken))
    doubted.push(
      ...(await Promise.all([...senders].map(async ([set, sender]) => ({ name, set, ...(await accepted(sender)) })))),
    );
  for (const moment of ['awaited', 'asked']) {
    for (const each of doubted) await taken[each.name]?.(each);
    await untilAllIsSaid(doubted);
    if (moment === 'awaited') continue;
    for (const { name, set, id, delivery, accepted: of } of doubted)
      ended.set(name, { ...ended.get(name), [set]: [(await delivery(id)).state, of(id).length] });
  }
}

describe('what Gmail accepted without our hearing of it is never sent a second time', () => {
  beforeAll(async () => {
    await take(routes);
    for (const [name, route] of Object.entries(restores)) await take({ [name]: route });
  });

  it.each(Object.keys({ ...routes, ...restores }))('%s', (name) => {
    expect(ended.get(name)).toEqual({
      send: ['unconfirmed', 1],
      'send + tracking': ['sent', 1],
      'send + safe_retry': ['unconfirmed', 1],
      'send + safe_retry + tracking': ['sent', 1],
      delegated: ['unconfirmed', 1],
    });
  });

  it('even by a route that forgot to ask, from whatever it was made of it', async () => {
    const forgetful = ['queued', 'held'] as const;
    for (const state of forgetful) {
      const doubted = await Promise.all([...senders.values()].map(accepted));
      for (const each of doubted) {
        const held_reason = state === 'held' ? 'waited_too_long' : null;
        await within(each, (trx) =>
          trx
            .updateTable('deliveries')
            .set({ state, held_reason, not_before: null })
            .where('id', '=', each.id)
            .execute(),
        );
        await decided('send_now')(each);
      }
      await untilAllIsSaid(doubted);
      for (const each of doubted) {
        expect(each.accepted(each.id)).toHaveLength(1);
        expect(['sent', 'unconfirmed']).toContain((await each.delivery(each.id)).state);
      }
    }
  });

  it('because PostgreSQL takes no other attempt of it', async () => {
    const [sender] = senders.values();
    if (!sender) throw new Error('Nobody sends.');
    const { id, tenantId } = await accepted(sender);
    const another = { tenant_id: tenantId, delivery_id: id, number: 2, owner: 'another', deadline: new Date() };
    await expect(within(sender, (trx) => trx.insertInto('attempts').values(another).execute())).rejects.toThrow(
      'attempts_in_doubt',
    );
  });
});

describe('a person', () => {
  it('who says that it is not there has it sent again; who says that it is there does not', async () => {
    for (const set of ['send', 'send + safe_retry']) {
      const sender = senders.get(set);
      if (!sender) throw new Error('Nobody sends.');
      const [again, there, all] = [await accepted(sender), await accepted(sender), await accepted(sender)];
      await untilAllIsSaid([again, there, all]);
      const { state, heldReason, fromChangedAt, seenAt } = await sender.delivery(again.id);
      expect(decisionsFor({ state, heldReason, fromChangedAt, seenAt })).toEqual(['send_again', 'mark_as_sent']);
      await decided('send_again')(again);
      await decided('mark_as_sent')(there);
      await within(all, (trx) => decideRun(trx, worker, all, 'send_again', worker.clock()));
      await untilAllIsSaid([again, there, all]);
      for (const [each, times] of [
        [again, 2],
        [there, 1],
        [all, 2],
      ] as const) {
        expect((await sender.delivery(each.id)).state).toBe('sent');
        expect(sender.accepted(each.id)).toHaveLength(times);
      }
    }
  });
});

describe('after a restore', () => {
  it('what was written of an attempt before it began proves nothing: its send may have begun after the backup', async () => {
    for (const [set, state] of [
      ['send + safe_retry', 'unconfirmed'],
      ['send + safe_retry + tracking', 'sent'],
    ] as const) {
      const sender = senders.get(set);
      if (!sender) throw new Error('Nobody sends.');
      const doubted = await accepted(sender);
      const before = { send_begun_at: null, finished_at: null, outcome: null, reason: null };
      await within(sender, async (trx) => {
        await trx.updateTable('attempts').set(before).where('delivery_id', '=', doubted.id).execute();
        const none = { draft_id: null, draft_message_id: null };
        await trx.updateTable('deliveries').set(none).where('id', '=', doubted.id).execute();
      });
      await holdRestored(worker, true);
      await untilAllIsSaid([doubted]);
      expect([(await sender.delivery(doubted.id)).state, sender.accepted(doubted.id).length]).toEqual([state, 1]);
    }
  });

  it('what was handed over and never reached Gmail goes on, where a move by plan lost nothing', async () => {
    for (const set of ['send + safe_retry', 'send + safe_retry + tracking']) {
      const sender = senders.get(set);
      if (!sender) throw new Error('Nobody sends.');
      const effect = { kind: 'drop', when: 'before' } as const;
      const lost = letterhead.google.faults.add({ method: 'drafts.send', account: sender.account, effect });
      await forgetTrouble();
      const doubted = { ...sender, id: await sender.send(), runId: '' };
      await work(doubted);
      letterhead.google.faults.remove(lost.id);
      await holdRestored(worker, true);
      await releaseRestored(worker);
      await untilAllIsSaid([doubted]);
      expect([(await sender.delivery(doubted.id)).state, sender.accepted(doubted.id).length]).toEqual(['sent', 1]);
    }
  });
});
