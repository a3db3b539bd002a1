import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Decision, decide, decisionsFor, isDecision } from '../../src/deliveries/decide.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { DeliveryState } from '../../src/platform/database-types.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { aDelivery } from '../support/rows.ts';

let database: TestDatabase;
let tenantId: string;
let memberId: string;
beforeAll(async () => {
  database = await testDatabase();
  ({ tenantId, memberId } = await database.tenant());
});
afterAll(() => database.close());

const some = (state: DeliveryState, count: number) =>
  inTenant(database.db, tenantId, async (trx) => {
    const ids: string[] = [];
    for (let made = 0; made < count; made += 1) ids.push(await aDelivery(trx, tenantId, memberId, state));
    return ids;
  });
const carryOut = (ids: readonly string[], decision: Decision) =>
  inTenant(database.db, tenantId, (trx) => decide({ clock: systemClock }, trx, tenantId, ids, decision, memberId));
const statesOf = (ids: readonly string[]) =>
  inTenant(database.db, tenantId, async (trx) => {
    const rows = await trx
      .selectFrom('deliveries')
      .select(['id', 'state'])
      .where('id', 'in', [...ids])
      .execute();
    return ids.map((id) => rows.find((row) => row.id === id)?.state);
  });

describe('a decision about many at once', () => {
  it('moves those that it fits, each with a line that names the member, and leaves the others alone', async () => {
    const unconfirmed = await some('unconfirmed', 3);
    const others = [...(await some('held', 1)), ...(await some('sent', 1))];
    const moved = await carryOut([...unconfirmed, ...others], 'mark_as_sent');
    expect(moved.sort()).toEqual([...unconfirmed].sort());
    // For a minute that can be undone.
    expect(await statesOf([...unconfirmed, ...others])).toEqual(['held', 'held', 'held', 'held', 'sent']);
    const events = await inTenant(database.db, tenantId, (trx) =>
      trx.selectFrom('delivery_events').selectAll().where('delivery_id', 'in', unconfirmed).execute(),
    );
    expect(events.map(({ held_reason, member_id }) => [held_reason, member_id])).toEqual(
      unconfirmed.map(() => ['found', memberId]),
    );
  });

  it('cancels what is queued and what is held', async () => {
    const ids = [...(await some('queued', 2)), ...(await some('held', 2))];
    expect(await carryOut(ids, 'cancel')).toHaveLength(4);
    expect(new Set(await statesOf(ids))).toEqual(new Set(['cancelled']));
  });

  it('is made once, by two people at the same instant too', async () => {
    const ids = await some('unconfirmed', 20);
    const made = await Promise.all([carryOut(ids, 'send_again'), carryOut([...ids].reverse(), 'mark_as_sent')]);
    expect(made.flat().sort()).toEqual([...ids].sort());
  });

  it('does nothing about none', async () => {
    expect(await carryOut([], 'cancel')).toEqual([]);
  });
});

describe('what is offered', () => {
  it.each<[DeliveryState, string | null, Decision[]]>([
    ['queued', null, ['cancel']],
    ['sending', null, []],
    ['held', 'operator', ['send_now', 'cancel']],
    ['held', 'sending_limit', ['cancel']],
    ['held', 'from_changed', ['cancel']],
    ['held', 'found', ['take_back']],
    ['held', 'not_found', ['take_back']],
    ['held', 'restored', ['send_now', 'mark_as_sent', 'cancel']],
    ['unconfirmed', null, ['send_again', 'mark_as_sent']],
    ['sent', null, []],
    ['failed', null, ['seen']],
    ['cancelled', null, []],
  ])('about what is %s (%s)', (state, heldReason, wanted) => {
    expect(decisionsFor({ state, heldReason, fromChangedAt: null, seenAt: null })).toEqual(wanted);
  });

  it.each([
    ['held', 'scheduled', ['cancel']],
    ['held', 'restored', ['send_now', 'mark_as_sent', 'cancel']],
    ['queued', null, ['cancel']],
  ] as const)('is never to send what would only be held again: %s (%s)', (state, heldReason, wanted) => {
    const around = { isHindered: true, waitsForHours: true };
    expect(decisionsFor({ state, heldReason, fromChangedAt: null, seenAt: null }, around)).toEqual(wanted);
  });

  it('is all that a form may ask for', () => {
    expect(['send_now', 'toString', '', 3, undefined].map(isDecision)).toEqual([true, false, false, false, false]);
  });
});
