import { setTimeout as wait } from 'node:timers/promises';
import type { Postmaster } from './postmaster.ts';

/** Keeps a postmaster running until it is ended. */
export interface Supervision {
  /** Stops watching; resolves to the postmaster that runs now, or to undefined when none does. */
  end(): Promise<Postmaster | undefined>;
}

const DELAYS_MS = [0, 200, 500, 1_000, 2_000, 5_000, 10_000];

/** Starts PostgreSQL again whenever it ends by itself, with growing pauses while that fails, until told to end. */
export function supervise(
  first: Postmaster,
  restart: () => Promise<Postmaster>,
  log: (line: string) => void,
): Supervision {
  const ending = new AbortController();
  const { promise: asked, resolve: ask } = Promise.withResolvers<undefined>();

  async function watch(): Promise<Postmaster | undefined> {
    let current: Postmaster = first;
    for (;;) {
      const how = await Promise.race([current.ended, asked]);
      if (how === undefined) return current;
      log(`PostgreSQL stopped by itself (${how}); starting it again.`);
      const next = await retry();
      if (next === undefined) return undefined;
      current = next;
    }
  }

  async function retry(): Promise<Postmaster | undefined> {
    for (let attempt = 0; !ending.signal.aborted; attempt += 1) {
      const delay = DELAYS_MS[Math.min(attempt, DELAYS_MS.length - 1)];
      await wait(delay, undefined, { signal: ending.signal }).catch(() => undefined);
      if (ending.signal.aborted) return undefined;
      try {
        const postmaster = await restart();
        log(`PostgreSQL runs again as process ${postmaster.pid} on port ${postmaster.port}.`);
        return postmaster;
      } catch (error) {
        log(`PostgreSQL could not be started again, trying on: ${error instanceof Error ? error.message : error}`);
      }
    }
    return undefined;
  }

  const watching = watch();
  return {
    end: () => {
      ending.abort();
      ask(undefined);
      return watching;
    },
  };
}
