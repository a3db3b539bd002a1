import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allowedMoves, IllegalMoveError, type Move, moveDelivery, writeEvent } from '../../src/deliveries/state.ts';
import type { DeliveryState } from '../../src/platform/database-types.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { aDelivery } from '../support/rows.ts';

/** Written out once more, so that a change of the table in the code is a decision, not a slip. */
const wanted: Record<DeliveryState, DeliveryState[]> = {
  queued: ['sending', 'held', 'cancelled', 'failed', 'sent', 'unconfirmed'],
  sending: ['sent', 'queued', 'held', 'failed', 'unconfirmed'],
  held: ['queued', 'cancelled', 'sent', 'held', 'unconfirmed'],
  unconfirmed: ['queued', 'sent', 'held'],
  sent: [],
  failed: ['sent'],
  cancelled: ['sent'],
};
const states: DeliveryState[] = ['queued', 'sending', 'held', 'unconfirmed', 'sent', 'failed', 'cancelled'];
const pairs = states.flatMap((from) => states.map((to) => ({ from, to, allowed: wanted[from].includes(to) })));

let database: TestDatabase;
let tenantId: string;
let memberId: string;
beforeAll(async () => {
  database = await testDatabase();
  ({ tenantId, memberId } = await database.tenant());
});
afterAll(() => database.close());

const start = (state: DeliveryState) =>
  inTenant(database.db, tenantId, (trx) => aDelivery(trx, tenantId, memberId, state));
const move = (id: string, from: DeliveryState, to: DeliveryState, more: Partial<Move> = {}) =>
  inTenant(database.db, tenantId, (trx) =>
    moveDelivery(trx, tenantId, id, {
      ...{ from, to, at: new Date(), detail: `from ${from} to ${to}` },
      ...(to === 'held' && { heldReason: 'operator' as const }),
      ...more,
    }),
  );
const read = (id: string) =>
  inTenant(database.db, tenantId, async (trx) => ({
    row: await trx.selectFrom('deliveries').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
    events: await trx.selectFrom('delivery_events').selectAll().where('delivery_id', '=', id).execute(),
  }));

describe('a delivery', () => {
  it('knows the moves it may make', () => {
    expect(allowedMoves).toEqual(wanted);
    expect(pairs).toHaveLength(49);
  });

  it.each(pairs.filter(({ allowed }) => allowed))('goes from $from to $to, and says so once', async ({ from, to }) => {
    const id = await start(from);
    expect(await move(id, from, to, { memberId })).toBe(true);
    const { row, events } = await read(id);
    expect(row.state).toBe(to);
    expect(row.held_reason).toBe(to === 'held' ? 'operator' : null);
    expect(row.sent_at !== null).toBe(to === 'sent');
    expect(events).toMatchObject([{ state: to, detail: `from ${from} to ${to}`, member_id: memberId }]);
  });

  it('says in its timeline when it moved by the clock of the product, not by that of the database', async () => {
    const at = new Date('2026-12-24T09:30:00.000Z');
    const id = await start('queued');
    await move(id, 'queued', 'held', { at });
    await inTenant(database.db, tenantId, (trx) =>
      writeEvent(trx, tenantId, id, { state: 'held', at, detail: 'and a line besides' }),
    );
    const { row, events } = await read(id);
    expect(row.state_at).toEqual(at);
    expect(events.map((event) => event.at)).toEqual([at, at]);
  });

  it.each(pairs.filter(({ allowed }) => !allowed))('never goes from $from to $to', async ({ from, to }) => {
    const id = await start(from);
    await expect(move(id, from, to)).rejects.toThrow(IllegalMoveError);
    const { row, events } = await read(id);
    expect(row.state).toBe(from);
    expect(events).toEqual([]);
  });

  it('is held for a reason, and has a reason only when it is held', async () => {
    const id = await start('queued');
    const bare = { from: 'queued', to: 'held', at: new Date(), detail: 'x' } as const;
    const reasoned = { from: 'queued', to: 'sending', at: new Date(), detail: 'x', heldReason: 'operator' } as const;
    for (const wrong of [bare, reasoned]) {
      await expect(inTenant(database.db, tenantId, (trx) => moveDelivery(trx, tenantId, id, wrong))).rejects.toThrow(
        IllegalMoveError,
      );
    }
  });

  it('forgets why and until when it was held as soon as it moves on', async () => {
    const id = await start('queued');
    await move(id, 'queued', 'held', { notBefore: new Date(Date.now() + 60_000) });
    expect((await read(id)).row.not_before).not.toBeNull();
    await move(id, 'held', 'queued');
    expect((await read(id)).row).toMatchObject({ state: 'queued', held_reason: null, not_before: null });
  });

  it('keeps the provider’s ids when it is sent', async () => {
    const id = await start('sending');
    await move(id, 'sending', 'sent', { sent: { messageId: 'm1', threadId: 't1' } });
    expect((await read(id)).row).toMatchObject({ provider_message_id: 'm1', provider_thread_id: 't1' });
  });
});

describe('a move that comes too late', () => {
  it('changes nothing and writes nothing', async () => {
    const id = await start('queued');
    await move(id, 'queued', 'cancelled');
    expect(await move(id, 'queued', 'sending')).toBe(false);
    const { row, events } = await read(id);
    expect(row.state).toBe('cancelled');
    expect(events).toHaveLength(1);
  });

  it('is every one of ten at the same instant but one', async () => {
    const id = await start('queued');
    const moved = await Promise.all(Array.from({ length: 10 }, () => move(id, 'queued', 'sending')));
    expect(moved.filter(Boolean)).toHaveLength(1);
    expect((await read(id)).events).toHaveLength(1);
  });

  it('is taken back with the transaction that it was part of', async () => {
    const id = await start('queued');
    const failing = inTenant(database.db, tenantId, async (trx) => {
      await moveDelivery(trx, tenantId, id, {
        ...{ from: 'queued', to: 'sending', at: new Date(), detail: 'x' },
      });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    const { row, events } = await read(id);
    expect(row.state).toBe('queued');
    expect(events).toEqual([]);
  });
});
