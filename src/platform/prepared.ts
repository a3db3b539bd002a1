import { createHash } from 'node:crypto';
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type pg from 'pg';

/** So many statements are remembered, those used last; a connection that has more prepared is given up. */
const remembered = 500;

/** Longer ones, in characters, are lists of one length, which seldom come again. */
const longest = 8_000;

/** What the statements that came before are called, by their text; null where one came once only. */
const names = new Map<string, string | null>();

/** The name under which a statement is prepared, from the second time that this process is given it. */
function nameOf(text: string): string | undefined {
  if (text.length > longest) return undefined;
  const known = names.get(text);
  const name = known === null ? createHash('sha256').update(text).digest('base64url') : known;
  // Said again, it is the last one used.
  names.delete(text);
  names.set(text, name ?? null);
  const [oldest] = names.keys();
  if (names.size > remembered && oldest !== undefined) names.delete(oldest);
  return name;
}

/** “Cached plan must not change result type”: a migration changed a table since it was prepared. */
const isOvertaken = (error: unknown) => error instanceof Error && 'code' in error && error.code === '0A000';

/** What pg says where no answer came in time; whatever is asked next would wait behind it. */
const isUnanswered = (error: unknown) => error instanceof Error && error.message === 'Query read timeout';

/** What a connection has prepared stays with it. */
const clients = new WeakMap<pg.PoolClient, PreparingClient>();

/**
 * A pool whose connections have PostgreSQL prepare what comes again, so that it is parsed and planned once a connection and
 * not each time: with row-level security and joins, planning takes longer than finding the rows. A connection that a
 * migration has overtaken is given up, so that whoever tries again has a new one.
 */
export function preparing(pool: pg.Pool): PostgresPool {
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect();
      const known = clients.get(client) ?? new PreparingClient(client);
      clients.set(client, known);
      return known;
    },
  };
}

class PreparingClient implements PostgresPoolClient {
  readonly #client: pg.PoolClient;
  readonly #prepared = new Set<string>();
  #overtaken = false;
  #unanswered = false;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  query<R>(sql: string, parameters: ReadonlyArray<unknown>): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query(text: unknown, values?: ReadonlyArray<unknown>): unknown {
    if (typeof text !== 'string') throw new TypeError('Rows are read at once here, not through a cursor.');
    if (this.#unanswered) return Promise.reject(new Error('Connection terminated: it had not answered before'));
    // Without values it may be several statements, or one that begins or ends a transaction.
    const name = values && values.length > 0 ? nameOf(text) : undefined;
    if (name !== undefined) this.#prepared.add(name);
    const asked = this.#client.query({ text, values: [...(values ?? [])], ...(name !== undefined && { name }) });
    return asked.catch((error: unknown) => {
      this.#overtaken ||= isOvertaken(error);
      this.#unanswered ||= isUnanswered(error);
      throw error;
    });
  }

  release(destroy = false): void {
    this.#client.release(destroy || this.#overtaken || this.#unanswered || this.#prepared.size > remembered);
  }
}
