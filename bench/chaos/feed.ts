import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import type { World } from './world.ts';

const recipients = JSON.stringify({ to: [{ name: '', email: 'mira@northgate.example' }], cc: [], bcc: [] });

/** Does something again until the database lets it be done: it is killed now and then. */
export async function whenever<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === 1_200) throw error;
      await wait(100);
    }
  }
}

/**
 * Lets deliveries wait, in turn for every mailbox, so many a second, as people press Send. Each key is written once, however
 * often the database breaks.
 *
 * @param hear how many were written so far; nothing more is written before what it returns is done
 */
export async function feed(
  world: World,
  count: number,
  perSecond: number,
  hear: (written: number) => Promise<void> | undefined,
): Promise<void> {
  const { senders, owner } = world;
  const batch = Math.max(1, Math.round(perSecond / 4));
  for (let first = 0; first < count; first += batch) {
    const rows = Array.from({ length: Math.min(batch, count - first) }, (_, index) => {
      const sender = senders[(first + index) % senders.length];
      if (!sender) throw new Error('There are no mailboxes.');
      // Two of three are of a run, the third is waited for by somebody.
      return { ...sender, key: `chaos-${first + index}`, lane: (first + index) % 3 === 0 ? 0 : 1 };
    });
    await whenever(() =>
      sql`
        with written as (
          insert into deliveries (tenant_id, purpose, member_id, mailbox_id, account, rule_mode, from_email, from_name,
            recipients, subject, message, state, idempotency_key, request_hash, lane)
          select tenant_id, 'test', member_id, mailbox_id, account, 'alias', email, 'Chaos', ${recipients}::jsonb, key,
            'Here it is.', 'queued', key, 'chaos', lane
          from unnest(${rows.map(({ tenantId }) => tenantId)}::uuid[], ${rows.map(({ memberId }) => memberId)}::uuid[],
            ${rows.map(({ mailboxId }) => mailboxId)}::uuid[], ${rows.map(({ account }) => account)}::text[],
            ${rows.map(({ email }) => email)}::text[], ${rows.map(({ key }) => key)}::text[],
            ${rows.map(({ lane }) => lane)}::int[])
            as row (tenant_id, member_id, mailbox_id, account, email, key, lane)
          on conflict (tenant_id, idempotency_key) do nothing returning id)
        select pg_notify('letterhead_wake', 'waiting') from written limit 1`.execute(owner),
    );
    await hear(first + rows.length);
    await wait(250);
  }
}
