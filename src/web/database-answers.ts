import type { Request, RequestHandler, Response } from 'express';
import pg from 'pg';

/** After how long it is asked whether the database answers at all, and how long that may take, in milliseconds. */
const patienceMs = 8_000;
const probeMs = 3_000;

/**
 * Answers a request that waits for a database which does not answer: a server that stands still, or a network that was cut,
 * ends no connection, and nobody would be told anything for a minute. What takes long while the database answers goes on.
 *
 * @param giveUp answers the request instead; what it was doing may still be done later
 */
export function whileDatabaseAnswers(
  isThere: () => Promise<boolean>,
  giveUp: (req: Request, res: Response) => Promise<void>,
  waitMs = patienceMs,
): RequestHandler {
  return (req, res, next) => {
    const look = async () => {
      if (await isThere()) timer = setTimeout(look, waitMs);
      else if (!res.headersSent && !res.destroyed) await giveUp(req, res);
    };
    let timer = setTimeout(look, waitMs);
    res.once('close', () => clearTimeout(timer));
    next();
  };
}

/** Asks PostgreSQL by a connection of its own whether it is there; those who ask at once share an answer. */
export function databaseProbe({ options }: pg.Pool): () => Promise<boolean> {
  let asking: Promise<boolean> | undefined;
  return () => {
    asking ??= probe(options).finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

async function probe({ connectionString }: pg.PoolOptions): Promise<boolean> {
  const waits = { connectionTimeoutMillis: probeMs, query_timeout: probeMs };
  const client = new pg.Client({ ...(connectionString !== undefined && { connectionString }), ...waits });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    // Not waited for: saying goodbye, too, needs somebody who answers.
    client.end().catch(() => {});
  }
}
