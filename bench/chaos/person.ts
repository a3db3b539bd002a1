import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { decide } from '../../src/deliveries/decide.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { reconnect } from './connect.ts';
import type { World } from './world.ts';

/** Somebody in every company who does what the pages ask for. */
export interface Person {
  /** How often a mailbox was connected again. */
  readonly reconnected: () => number;
  stop(): Promise<void>;
}

/**
 * Connects again what must be, and says "send now" to what waits for the operator. Nobody answers what is unconfirmed: that
 * is what is counted.
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
  const { rows: held } = await sql<{ id: string; tenantId: string; memberId: string }>`
    select id, tenant_id as "tenantId", member_id as "memberId" from deliveries
    where state = 'held' and held_reason in ('operator', 'not_sent', 'draft_deleted', 'waited_too_long')`.execute(
    owner,
  );
  for (const { id, tenantId, memberId } of held)
    await inTenant(context.db, tenantId, (trx) => decide(context, trx, tenantId, [id], 'send_now', memberId));
  return cutOff.length;
}
