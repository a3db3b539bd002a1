import pg from 'pg';
import { type DatabasePool, faceOf, openDatabase } from '../../src/platform/database.ts';

/** Says which connections are kept, in PostgreSQL's list of them. */
export const keptName = 'kept';

/** A pool whose connections stay open from one file to the next, and who hears of one that is lost. */
interface Kept {
  readonly real: DatabasePool;
  readonly ears: Set<(error: Error) => void>;
}

/** Those of this worker process, by URL and size. */
const kept = new Map<string, Kept>();

/**
 * Opens a pool as `openDatabase` does, with the connections of an earlier one where there are any: a new connection costs
 * PostgreSQL as much as sixty queries, and then has to learn all tables and statements.
 */
export function openKept(url: string, max: number, onError: (error: Error) => void): DatabasePool {
  const key = `${url} ${max}`;
  const known = kept.get(key) ?? open(url, max);
  kept.set(key, known);
  known.ears.add(onError);
  const { pool, allBack } = lend(known.real.pool);
  const face = faceOf(pool);
  return {
    ...face,
    async close() {
      await face.close();
      await allBack();
      known.ears.delete(onError);
    },
  };
}

/** Ends the kept connections to a database. */
export async function endKept(database: string): Promise<void> {
  for (const [key, { real }] of kept) {
    if (new URL(key.split(' ')[0] ?? '').pathname !== `/${database}`) continue;
    kept.delete(key);
    await real.close();
  }
}

function open(url: string, max: number): Kept {
  const ears: Kept['ears'] = new Set();
  const named = new URL(url);
  named.searchParams.set('application_name', keptName);
  const tell = (error: Error) => {
    for (const hear of ears) hear(error);
  };
  return { real: openDatabase(named.href, max, tell), ears };
}

/** A pool with the connections of another, which `end` leaves open. Whoever asks it after that is refused, as by any. */
function lend(real: pg.Pool) {
  const pool = new pg.Pool(real.options);
  const refuse = pool.connect.bind(pool);
  const lent = new Set<pg.PoolClient>();
  let asked = 0;
  let back = () => {};
  const release = (_: unknown, client: pg.PoolClient) => {
    if (lent.delete(client)) back();
  };
  real.on('release', release);
  const take = async () => {
    asked += 1;
    try {
      const client = await real.connect();
      lent.add(client);
      return client;
    } finally {
      asked -= 1;
      back();
    }
  };
  type Taken = (error: Error | undefined, client: pg.PoolClient | undefined, release: pg.PoolClient['release']) => void;
  const connect = (taken?: Taken) => {
    const client = pool.ending ? refuse() : take();
    if (!taken) return client;
    client.then(
      (client) => taken(undefined, client, (destroy) => client.release(destroy)),
      (error: Error) => taken(error, undefined, () => {}),
    );
    return undefined;
  };
  pool.connect = connect as typeof pool.connect;
  return {
    pool,
    /** Waits until no connection is out any more. */
    async allBack() {
      while (asked + lent.size > 0)
        await new Promise<void>((resolve) => {
          back = resolve;
        });
      real.off('release', release);
    },
  };
}
