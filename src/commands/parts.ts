import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { holdRestored } from '../deliveries/restored.ts';
import { startUpkeep } from '../deliveries/upkeep.ts';
import { startDelivering } from '../deliveries/work.ts';
import { createPdfRenderer } from '../documents/pdf/render.ts';
import { createUblReader } from '../documents/ubl/reader.ts';
import type { GoogleApp } from '../google/app.ts';
import { findEndpoints } from '../google/endpoints.ts';
import { createAccessTokens } from '../mailboxes/access-token.ts';
import { assertKeysFit } from '../mailboxes/check-keys.ts';
import { createKeyFileReader } from '../mailboxes/key-file-reader.ts';
import { createTroubleWatch } from '../mailboxes/trouble-watch.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { neverJumps, watchForJumps } from '../platform/clock-jumps.ts';
import type { Config } from '../platform/config.ts';
import { type OpenDatabase, openDatabase } from '../platform/database.ts';
import { parseKeyRing } from '../platform/key-ring.ts';
import { createMetrics, serveMetrics } from '../platform/metrics.ts';
import { assertMigrated } from '../platform/migrate.ts';
import { startQueue } from '../platform/queue.ts';
import { createRateLimits, noRateLimits } from '../platform/rate-limits.ts';
import { assertBoundByRowSecurity, type DatabaseUrls } from '../platform/roles.ts';
import type { Shutdown } from '../platform/shutdown.ts';
import { StartError } from '../platform/start-error.ts';
import { createDatabaseWatch } from '../tenants/database-watch.ts';
import type { Transports } from '../transport/transport.ts';
import { transports } from '../transport/transports.ts';
import type { WebContext } from '../web/context.ts';

/** A configuration in which nothing is left to be supplied. */
export interface ServiceConfig
  extends Pick<
    Config,
    | 'host'
    | 'port'
    | 'publicUrl'
    | 'trustProxy'
    | 'offered'
    | 'sendDeadlineMs'
    | 'settleMs'
    | 'pace'
    | 'draftsSendOnce'
    | 'attemptsKeptDays'
    | 'rateLimits'
    | 'recipientsPerDay'
    | 'metricsPort'
  > {
  readonly database: DatabaseUrls;
  readonly google: GoogleApp;
  readonly tokenKeys: string;
  readonly sessionSecrets: readonly string[];
  readonly localMailUrl?: string;
  /** The machine's own unless a test brings another. */
  readonly clock?: Clock;
  /** The product's, unless a test brings others. */
  readonly transports?: Transports;
  /** New connections, unless a test brings some that are open. */
  readonly openDatabase?: OpenDatabase;
}

/** Our OAuth client, with the endpoints of whoever is the issuer. */
export async function findGoogle(
  config: Config,
  client: { clientId: string; clientSecret: string },
): Promise<GoogleApp> {
  const endpoints = await findEndpoints(config.googleIssuer, config.gmailRoot, config.googleTimeoutMs);
  return { ...client, endpoints, timeoutMs: config.googleTimeoutMs };
}

/** Opens what pages and worker share. Everything is added to `shutdown`. */
export async function openParts(config: ServiceConfig, log: Logger, shutdown: Shutdown) {
  const hear = (error: Error) => {
    log.info({ reason: error.message }, 'an idle database connection was lost');
    // The next one may lead to a backup that was put in its place.
    database.doubt();
  };
  const open = config.openDatabase ?? openDatabase;
  const app = open(config.database.app, 20, hear);
  shutdown.add('database', () => app.close());
  const system = open(config.database.system, 5, hear);
  shutdown.add('cross-tenant database', () => system.close());
  const database = createDatabaseWatch(system.db);
  await assertBoundByRowSecurity(app.pool);
  await assertMigrated(app.db);
  const keys = parseKeyRing(config.tokenKeys);
  const clock = config.clock ?? systemClock;
  await assertKeysFit({ db: app.db, system: system.db, keys });

  if (config.metricsPort !== null) {
    const { metricsPort } = config;
    const stop = await serveMetrics(createMetrics(), metricsPort, config.host).catch((error: unknown) => {
      throw explainListen(error, metricsPort, 'METRICS_PORT');
    });
    shutdown.add('metrics', stop);
  }
  const pdf = createPdfRenderer();
  shutdown.add('PDF renderer', () => pdf.close());
  const ubl = createUblReader();
  shutdown.add('reader of imported files', () => ubl.close());
  const keyFiles = createKeyFileReader();
  shutdown.add('reader of key files', () => keyFiles.close());
  const queue = await startQueue(config.database.app, log, true, clock, open);
  queue.wakeUps.on('restored', database.doubt);
  shutdown.add('job queue', () => queue.stop(config.sendDeadlineMs + 10_000));
  const watch = createTroubleWatch({ system: system.db, log, clock, clientId: config.google.clientId });
  shutdown.add('watch over Google’s answers', () => watch.stop());
  const google = { ...config.google, clock, hear: watch.hear };
  const tokens = createAccessTokens({ db: app.db, system: system.db, keys, google, clock });
  const { offered, pace, publicUrl, sessionSecrets, trustProxy, localMailUrl } = config;
  const context: WebContext = {
    ...{
      db: app.db,
      system: system.db,
      database,
      google,
      offered,
      keys,
      tokens,
      queue,
      pdf,
      ubl,
      keyFiles,
      log,
      clock,
      pace,
      transports: config.transports ?? transports,
      limits: config.rateLimits ? createRateLimits(app.pool) : noRateLimits,
      recipientsPerDay: config.recipientsPerDay,
      publicUrl,
      sessionSecrets,
      trustProxy,
    },
    ...(localMailUrl && { localMailUrl }),
  };
  return { context, pool: app.pool };
}

type Parts = Awaited<ReturnType<typeof openParts>>;

/**
 * How long an idle connection stays open: longer than proxies keep theirs (a minute is common), or one would now and then
 * send a request down a connection that we are just closing, and answer 502.
 */
const keepAliveMs = 75_000;

/** Serves the pages. @throws {StartError} when the port is busy */
export async function serve(parts: Parts, config: ServiceConfig, shutdown: Shutdown): Promise<void> {
  await holdRestored(parts.context);
  // Here, so that a worker never loads the pages.
  const { createApp } = await import('../web/app.ts');
  const server = createServer({ keepAliveTimeout: keepAliveMs }, createApp(parts.context, parts.pool));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explainListen(error, config.port, 'PORT')));
    server.listen(config.port, config.host, resolve);
  });
  shutdown.add('web server', () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    // Requests under way get a moment; a browser that keeps a connection open gets no more than that.
    setTimeout(() => server.closeAllConnections(), 5_000).unref();
    return closed;
  });
}

/** Looks whether a port can be had, before work is done that would be in vain. @throws {StartError} */
export async function assertPortFree(port: number, host: string, variable: string): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error) => reject(explainListen(error, port, variable)));
    probe.listen(port, host, resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
}

/**
 * Works off deliveries.
 *
 * @param concurrency how many at the same time. With answers that take 200 ms, 80 are enough for the 200 a second that
 *   Google allows a project in all
 */
export async function work(
  { context }: Parts,
  config: ServiceConfig,
  shutdown: Shutdown,
  concurrency = 80,
): Promise<void> {
  const owner = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  const { sendDeadlineMs, settleMs, pace, draftsSendOnce } = config;
  const jumps = config.clock ? neverJumps : watchForJumps();
  const deliver = { ...context, jumps, owner, sendDeadlineMs, settleMs, pace, draftsSendOnce };
  await holdRestored(context);
  const stopPacing = startDelivering(deliver, concurrency);
  shutdown.add('pacer', stopPacing);
  shutdown.add('upkeep', startUpkeep({ ...deliver, attemptsKeptDays: config.attemptsKeptDays }));
}

/** Node's error for a port that cannot be had, in words and with the way out. */
export function explainListen(error: unknown, port: number, variable: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const command = `${variable}=${port + 1} npm start`;
  if (error.code === 'EADDRINUSE') {
    return new StartError(
      `Port ${port} is in use. If Letterhead runs already, it is open at http://localhost:${port}; else another program is listening there.\nStop it, or choose another port:\n\n  ${command}`,
      { cause: error },
    );
  }
  if (error.code === 'EACCES') {
    return new StartError(
      `Port ${port} needs rights that this user does not have. Choose one above 1023:\n\n  ${command}`,
      { cause: error },
    );
  }
  if (error.code === 'ENOTFOUND' || error.code === 'EADDRNOTAVAIL') {
    return new StartError(
      'HOST is not an address of this machine. Leave it out, or set HOST=127.0.0.1 or HOST=0.0.0.0',
      { cause: error },
    );
  }
  return error;
}
