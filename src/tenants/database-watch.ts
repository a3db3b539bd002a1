import type { Database } from '../platform/database.ts';
import { readIdentity, readRecordedIdentity } from './system-identity.ts';

/** Notices that the database was put in the place of another: see `system-identity.ts`. */
export interface DatabaseWatch {
  /**
   * Whether this is the database we know. Nothing may leave while it is not. Asks PostgreSQL when something happened
   * since the last answer, or a minute went by; a first start, which knows none yet, counts as known.
   */
  isKnown(): Promise<boolean>;
  /** A connection was lost: it may be another database that the next one leads to. */
  doubt(): void;
}

const askEveryMs = 60_000;

/** Watches over one process's connections. */
export function createDatabaseWatch(system: Database): DatabaseWatch {
  let knownUntil = 0;
  let doubts = 0;
  let asking: Promise<boolean> | null = null;

  const ask = async () => {
    const before = doubts;
    const [identity, recorded] = await Promise.all([readIdentity(system), readRecordedIdentity(system)]);
    const known = recorded === undefined || identity === recorded;
    // What was asked over a connection that broke meanwhile is asked again.
    if (known && before === doubts) knownUntil = performance.now() + askEveryMs;
    return known;
  };
  return {
    isKnown() {
      if (performance.now() < knownUntil) return Promise.resolve(true);
      asking ??= ask().finally(() => {
        asking = null;
      });
      return asking;
    },
    doubt() {
      doubts += 1;
      knownUntil = 0;
    },
  };
}
