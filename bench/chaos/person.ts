import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { z } from 'zod';
import { decide } from '../../src/deliveries/decide.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { reconnect } from './connect.ts';
import { control, type World } from './world.ts';

/** Somebody in every company who does what the pages ask for. */
export interface Person {
  /** How often a mailbox was connected again. */
  readonly reconnected: () => number;
  stop(): Promise<void>;
}

/**
 * Connects again what must be, and says "send now" to what waits for the operator. What is held after a restore they look up in
 * Gmail, and say what they found. Nobody answers what is unconfirmed: that is what is counted.
 */
export function startPerson(world: World): Person {
  let times = 0;
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      // The database is killed now and then: then they press again.
      await look(world).then(
        (done) => {
          times += done;
        },
        () => {},
      );
      await wait(500);
    }
  })();
  return {
    reconnected: () => times,
    async stop() {
      stopped = true;
      await running;
    },
  };
}

async function look(world: World): Promise<number> {
  const { owner, context, senders } = world;
  const { rows: cutOff } = await sql<{ id: string }>`
    select id from mailboxes where state = 'needs_reconnect'`.execute(owner);
  for (const { id } of cutOff) {
    const sender = senders.find(({ mailboxId }) => mailboxId === id);
    if (sender) await reconnect(context, sender);
  }
  // Nobody edits drafts here. But one that was made between a backup and its restore is of an attempt that was forgotten, so
  // it cannot be told from one that somebody changed: it is asked about.
  const { rows: held } = await sql<{ id: string; tenantId: string; memberId: string }>`
    select id, tenant_id as "tenantId", member_id as "memberId" from deliveries
    where state = 'held' and held_reason in ('operator', 'not_sent', 'draft_deleted', 'draft_edited', 'waited_too_long')`.execute(
    owner,
  );
  for (const { id, tenantId, memberId } of held)
    await inTenant(context.db, tenantId, (trx) => decide(context, trx, tenantId, [id], 'send_now', memberId));
  await lookAfterRestore(world);
  return cutOff.length;
}

const tallyAnswer = z.object({ tally: z.record(z.string(), z.unknown()) });

/** What the product may not look up itself, they look up in Gmail, and say. */
async function lookAfterRestore(world: World): Promise<void> {
  const { owner, context } = world;
  const { rows } = await sql<{ id: string; tenantId: string; memberId: string }>`
    select id, tenant_id as "tenantId", member_id as "memberId" from deliveries
    where state = 'held' and held_reason = 'restored' and not_before is null`.execute(owner);
  if (rows.length === 0) return;
  const { tally } = tallyAnswer.parse(await control(world, 'tally?by=deliveryId'));
  for (const { id, tenantId, memberId } of rows) {
    const decision = Object.hasOwn(tally, id) ? 'mark_as_sent' : 'send_now';
    await inTenant(context.db, tenantId, (trx) => decide(context, trx, tenantId, [id], decision, memberId));
  }
}
