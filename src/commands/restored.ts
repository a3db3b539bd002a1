import { parseArgs } from 'node:util';
import { holdRestored, releaseRestored } from '../deliveries/restored.ts';
import { systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { createLog } from '../platform/log.ts';
import { StartError } from '../platform/start-error.ts';
import { createDatabaseWatch } from '../tenants/database-watch.ts';
import { withDatabases } from './with-databases.ts';

const usage = `After the database was restored from a backup:

  node src/main.ts restored                  holds every email that had not left, until it is looked up in Gmail or
                                             somebody decides (done by itself where the restore can be noticed)
  node src/main.ts restored --nothing-lost   lets go of all that is held for that: nothing was sent since the backup`;

/** `restored [--nothing-lost]`: works beside a running Letterhead, and without one. Prints counts only. */
export async function runRestored(config: Config, args: string[]): Promise<void> {
  const nothingLost = readArguments(args);
  await withDatabases(config, async ({ db, system }) => {
    const log = createLog('silent');
    const ctx = { db, system, clock: systemClock, log, database: createDatabaseWatch(system) };
    if (nothingLost) return console.log(`${emails(await releaseRestored(ctx))} go on as they were.`);
    const held = await holdRestored(ctx, true);
    console.log(
      `${emails(held)} held. Those whose Gmail can be looked into are looked up as soon as “work” runs; the others wait in Activity → Needs you until somebody says whether they were sent.`,
    );
  });
}

function readArguments(args: string[]): boolean {
  try {
    const options = { 'nothing-lost': { type: 'boolean', default: false } } as const;
    return parseArgs({ args, options }).values['nothing-lost'];
  } catch (cause) {
    throw new StartError(`That is no way to call it.\n\n${usage}`, { cause });
  }
}

function emails(count: number): string {
  return count === 1 ? '1 email' : `${count} emails`;
}
