import { expect, it } from 'vitest';
import { openParts, work } from '../../src/commands/parts.ts';
import { createShutdown } from '../../src/platform/shutdown.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead } from '../support/letterhead.ts';

it('two workers with three jobs for each of thirty deliveries send each delivery once', async () => {
  const pace = { unitsPerMinute: null, projectUnitsPerMinute: null, inFlight: null };
  const letterhead = await startTestLetterhead({ pace, worker: false });
  const { context, config, database, google } = letterhead;
  const shutdown = createShutdown(context.log);
  try {
    // So few at once that neither can take everything before the other looks.
    for (const _ of [1, 2]) await work(await openParts(config, context.log, shutdown), config, shutdown, 5);
    const sender = await company(letterhead);
    // Held up until both have some in their hands.
    google.faults.add({ method: 'messages.send', every: 1, effect: { kind: 'slow', ms: 600_000 } });
    const ids = await Promise.all(Array.from({ length: 30 }, () => sender.send()));
    await inTenant(database.db, sender.tenantId, async (trx) => {
      const { tenantId } = sender;
      const jobs = [...ids, ...ids].map((deliveryId) => ({ tenantId, deliveryId, account: 'a', lane: 0 }));
      await context.queue.add(trx, 'deliver', jobs);
    });
    const read = () =>
      inTenant(database.db, sender.tenantId, (trx) => trx.selectFrom('deliveries').select(['id', 'state']).execute());
    const owners = () =>
      inTenant(database.db, sender.tenantId, (trx) => trx.selectFrom('attempts').select('owner').distinct().execute());
    await eventually(owners, (some) => some.length === 2);
    google.faults.clear();
    await eventually(read, (rows) => rows.length === 30 && rows.every(({ state }) => state === 'sent'));
    for (const id of ids) expect(sender.accepted(id)).toHaveLength(1);
    expect(google.truth.calls('messages.send')).toBe(30);

    const attempts = await inTenant(database.db, sender.tenantId, (trx) =>
      trx.selectFrom('attempts').select('outcome').execute(),
    );
    expect(attempts).toHaveLength(30);
  } finally {
    await shutdown.run();
    await letterhead.close();
  }
});
