import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type LocalGoogle, startLocalGoogle } from 'local-google';
import type pg from 'pg';
import { pino } from 'pino';
import { openParts, type ServiceConfig, work } from '../../src/commands/parts.ts';
import type { Pace } from '../../src/deliveries/pacing.ts';
import { createPdfRenderer, type PdfRenderer } from '../../src/documents/pdf/render.ts';
import { findEndpoints } from '../../src/google/endpoints.ts';
import type { Capability } from '../../src/platform/capability.ts';
import { type Database, type OpenDatabase, openDatabase } from '../../src/platform/database.ts';
import { newKey } from '../../src/platform/key-ring.ts';
import type { DatabaseUrls } from '../../src/platform/roles.ts';
import { createShutdown } from '../../src/platform/shutdown.ts';
import type { Transports } from '../../src/transport/transport.ts';
import { createApp } from '../../src/web/app.ts';
import type { WebContext } from '../../src/web/context.ts';
import { callbackPaths } from '../../src/web/google-flows.ts';
import { clockOf } from './clock.ts';
import { type PassingTime, passingTime } from './passing-time.ts';

/** The whole product on free ports, with a Google of its own. */
export interface Product {
  readonly url: string;
  readonly google: LocalGoogle;
  readonly context: WebContext;
  /** Its time and Google's, for a test that waits for what comes with it. */
  readonly time: PassingTime;
  /** The app's pool. */
  readonly pool: pg.Pool;
  /** As the owner of its database, who sees all companies. */
  readonly owner: Database;
  readonly config: ServiceConfig;
  /** Starts working off deliveries, where `worker` was false. */
  startWorker(): Promise<void>;
  /** Everything that was logged, as text. */
  logged(): string;
  close(): Promise<void>;
}

/** What a test may set otherwise. */
export interface ProductOptions {
  /** Whether deliveries are worked off. */
  readonly worker?: boolean;
  readonly sendDeadlineMs?: number;
  readonly settleMs?: number;
  readonly googleTimeoutMs?: number;
  /** No limits but five at once, unless told otherwise. */
  readonly pace?: Pace;
  readonly draftsSendOnce?: boolean;
  /** What our Google app may ask for; everything unless told. */
  readonly offered?: readonly Capability[];
  /** The client id that Letterhead goes by; the one that Google knows, unless told. */
  readonly clientId?: string;
  /** Whether Google shows its unverified-app page. */
  readonly unverified?: boolean;
  /** Whether too much in a short time is refused; no, unless told: all tests come from one address. */
  readonly rateLimits?: boolean;
  readonly recipientsPerDay?: number;
  /** How mailboxes send, where not through Local Google. */
  readonly transports?: Transports;
  /**
   * No time passes, for Google and product, but where the test moves the clock on: whatever waits for a moment waits, and
   * no sweep comes in between, however slow the machine is.
   */
  readonly timeStands?: boolean;
}

/** The client that the test's Google knows. */
export const testClient = { clientId: 'test.apps', clientSecret: 'test-secret' } as const;

/**
 * Starts it as `main.ts` would, cross-site as in production: pages at localhost, Google at 127.0.0.1.
 *
 * @param urls a migrated database; it is left alone by `close`
 * @param open how its pools are opened
 */
export async function startProduct(
  urls: DatabaseUrls,
  options: ProductOptions = {},
  open: OpenDatabase = openDatabase,
): Promise<Product> {
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const shutdown = createShutdown(log);

  const server = createServer({ keepAliveTimeout: 240_000 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const publicUrl = `http://localhost:${port}`;
  const start = Date.now();
  const google = await startLocalGoogle({
    port: 0,
    ...(options.timeStands && { now: () => start }),
    unverified: options.unverified ?? false,
    clients: [
      {
        id: testClient.clientId,
        secret: testClient.clientSecret,
        name: 'Letterhead',
        redirectUris: Object.values(callbackPaths).map((callback) => `${publicUrl}${callback}`),
      },
    ],
  });
  shutdown.add('Local Google', () => google.close());

  const timeoutMs = options.googleTimeoutMs ?? 30_000;
  const config: ServiceConfig = {
    host: '127.0.0.1',
    port,
    publicUrl,
    trustProxy: 0,
    offered: options.offered ?? ['send', 'safe_retry', 'aliases', 'tracking'],
    database: urls,
    google: {
      ...testClient,
      ...(options.clientId && { clientId: options.clientId }),
      timeoutMs,
      endpoints: await findEndpoints(google.url, `${google.url}/`, timeoutMs),
    },
    tokenKeys: newKey('test'),
    sessionSecrets: [randomUUID() + randomUUID()],
    sendDeadlineMs: options.sendDeadlineMs ?? 60_000,
    settleMs: options.settleMs ?? 120_000,
    localMailUrl: google.url,
    clock: clockOf(google),
    openDatabase: open,
    pace: options.pace ?? { unitsPerMinute: null, projectUnitsPerMinute: null, inFlight: 5 },
    draftsSendOnce: options.draftsSendOnce ?? false,
    attemptsKeptDays: 90,
    rateLimits: options.rateLimits ?? false,
    metricsPort: null,
    recipientsPerDay: options.recipientsPerDay ?? null,
    ...(options.transports && { transports: options.transports }),
  };
  const opened = await openParts(config, log, shutdown);
  const printing = underWay();
  pdf ??= createPdfRenderer();
  const { render: print, missingLetters, close } = pdf;
  const render: typeof print = (input) => printing.during(print(input));
  const parts = { ...opened, context: { ...opened.context, pdf: { render, missingLetters, close } } };
  server.on('request', createApp(parts.context, parts.pool));
  const owner = open(urls.owner, 3, () => {});
  const time = passingTime({ google, url: publicUrl, owner, atWork: printing.count });
  shutdown.add('passing time', () => time.close());
  shutdown.add('web server', () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const startWorker = () => work(parts, config, shutdown);
  if (options.worker ?? true) await startWorker();
  return {
    url: publicUrl,
    google,
    context: parts.context,
    time,
    pool: parts.pool,
    owner: owner.db,
    config,
    startWorker,
    logged: () => lines.join(''),
    close: () => shutdown.run(),
  };
}

/** What prints for all products of this process, and ends with it: starting it takes longer than most of its work. */
let pdf: PdfRenderer | undefined;

/** Counts what is under way. */
function underWay() {
  let count = 0;
  return {
    count: () => count,
    during<T>(work: Promise<T>): Promise<T> {
      count += 1;
      return work.finally(() => {
        count -= 1;
      });
    },
  };
}
