import type { Logger } from 'pino';

/** What to end, in the order it was started; it is ended in reverse. */
export interface Shutdown {
  /** @param end called once; it is waited for before the next is ended */
  add(name: string, end: () => Promise<unknown> | unknown): void;
  /** Ends everything. Safe to call twice. */
  run(): Promise<void>;
}

/** Collects what must be ended, so that whoever starts something also says how it stops. */
export function createShutdown(log: Logger): Shutdown {
  const parts: { name: string; end: () => Promise<unknown> | unknown }[] = [];
  let running: Promise<void> | undefined;

  const endAll = async () => {
    for (const { name, end } of parts.reverse()) {
      try {
        await end();
      } catch (error) {
        log.error({ err: error, part: name }, 'could not be stopped in order');
      }
    }
  };
  return {
    add: (name, end) => void parts.push({ name, end }),
    run: () => {
      running ??= endAll();
      return running;
    },
  };
}

/**
 * Ends in order on Ctrl-C and on SIGTERM; whoever asks again ends it at once. What comes within a second is
 * the same asking: a terminal signals the whole group, and a watcher above us passes its own signal on.
 */
export function onSignals(shutdown: Shutdown): void {
  let askedAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (askedAt !== undefined && Date.now() - askedAt > 1_000) process.exit(1);
      if (askedAt !== undefined) return;
      askedAt = Date.now();
      void shutdown.run().then(() => process.exit(0));
    });
  }
}
