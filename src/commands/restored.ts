import { parseArgs } from 'node:util';
import { holdRestored, releaseRestored } from '../deliveries/restored.ts';
import { formatNumber } from '../documents/format.ts';
import { systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import type { Database } from '../platform/database.ts';
import { createLog } from '../platform/log.ts';
import { StartError } from '../platform/start-error.ts';
import { createDatabaseWatch } from '../tenants/database-watch.ts';
import {
  countUnsent,
  readIdentity,
  readRecordedIdentity,
  readRestore,
  type UnsentCounts,
} from '../tenants/system-identity.ts';
import { type Databases, withDatabases } from './with-databases.ts';

const usage = `After the database was restored from a backup:

  node src/main.ts restored                  holds every email that had not left, until it is looked up in Gmail or
                                             somebody decides (done by itself where the restore can be noticed)
  node src/main.ts restored --nothing-lost   lets go of all that the last restore holds: nothing was sent since the backup

Each says what it would do, and does it with --yes. With --dry-run it never does.`;

/** `restored [--nothing-lost] [--yes | --dry-run]`: works beside a running Letterhead, and without one. Prints counts only. */
export async function runRestored(config: Config, args: string[]): Promise<void> {
  const { nothingLost, really } = readArguments(args);
  await withDatabases(config, (databases) => (nothingLost ? letGo : hold)(databases, really));
}

async function hold({ db, system }: Databases, really: boolean): Promise<void> {
  const before = await count(system);
  if (!really) {
    console.log(
      `This would hold ${emails(before.waiting)} that had not left, until each is looked up in Gmail or somebody decides.`,
    );
    if (before.held + before.heldBefore > 0)
      console.log(`${emails(before.held + before.heldBefore)} held for a restore already. They stay held.`);
    sayInDoubt(before);
    return sayHow('');
  }
  const { held } = await holdRestored(contextOf({ db, system }), true);
  const after = await count(system);
  console.log(`${emails(held)} held now, ${emails(after.held + after.heldBefore)} in all for a restore.`);
  console.log(
    'Those whose Gmail can be looked into are looked up as soon as “work” runs; the others wait in Activity → Needs you until somebody says whether they were sent.',
  );
  sayInDoubt(after);
}

async function letGo({ db, system }: Databases, really: boolean): Promise<void> {
  const before = await count(system);
  const { held, heldFromQueue, heldBefore, waiting } = before;
  if ((await readIdentity(system)) !== (await readRecordedIdentity(system)))
    console.log(
      `Letterhead has not worked in this database yet. Taken as the one it knows, it holds none of the ${emails(waiting)} that wait.`,
    );
  if (!really)
    console.log(
      `This would let ${emails(held)} go on: ${heldFromQueue} leave as soon as “work” runs, ${held - heldFromQueue} wait again for what they waited for before.`,
    );
  else {
    const released = await releaseRestored(contextOf({ db, system }));
    console.log(`${emails(released)} go on as they were before the restore.`);
  }
  if (heldBefore > 0)
    console.log(
      `${emails(heldBefore)} held for an earlier restore. They stay held: what was sent after that is not known.`,
    );
  sayInDoubt(before);
  if (!really) sayHow(' --nothing-lost');
}

/** What no answer of an operator's settles. */
function sayInDoubt({ inDoubt }: UnsentCounts): void {
  if (inDoubt > 0)
    console.log(
      `${emails(inDoubt)} in doubt: handed to Gmail without an answer. They stay so, and are never sent again before they were looked up or somebody decided.`,
    );
}

function sayHow(option: string): void {
  console.log(`Nothing was changed. To do it:\n\n  node src/main.ts restored${option} --yes`);
}

function contextOf({ db, system }: Databases): Parameters<typeof holdRestored>[0] {
  return { db, system, clock: systemClock, log: createLog('silent'), database: createDatabaseWatch(system) };
}

async function count(system: Database): Promise<UnsentCounts> {
  return countUnsent(system, await readRestore(system));
}

function readArguments(args: string[]): { nothingLost: boolean; really: boolean } {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const options = { 'nothing-lost': flag, yes: flag, 'dry-run': flag };
    const { values } = parseArgs({ args, options });
    return { nothingLost: values['nothing-lost'], really: values.yes && !values['dry-run'] };
  } catch (cause) {
    throw new StartError(`That is no way to call it.\n\n${usage}`, { cause });
  }
}

function emails(count: number): string {
  return count === 1 ? '1 email' : `${formatNumber(String(count), 'en-GB')} emails`;
}
