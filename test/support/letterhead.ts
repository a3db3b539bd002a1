import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { openParts, type ServiceConfig, work } from '../../src/commands/parts.ts';
import { findEndpoints } from '../../src/google/endpoints.ts';
import { newKey } from '../../src/platform/key-ring.ts';
import { createShutdown } from '../../src/platform/shutdown.ts';
import { type LocalGoogle, startLocalGoogle } from '../../src/sandbox/local-google.ts';
import { createApp } from '../../src/web/app.ts';
import type { WebContext } from '../../src/web/context.ts';
import { callbackPaths } from '../../src/web/google-flows.ts';
import { type TestDatabase, testDatabase } from './database.ts';

/** The whole product on free ports, with a database and a Google of its own. */
export interface TestLetterhead {
  readonly url: string;
  readonly google: LocalGoogle;
  readonly database: TestDatabase;
  readonly context: WebContext;
  readonly config: ServiceConfig;
  /** Everything that was logged, as text. */
  logged(): string;
  close(): Promise<void>;
}

/** What a test may set otherwise. */
export interface TestOptions {
  /** Whether deliveries are worked off. */
  readonly worker?: boolean;
  readonly sendDeadlineMs?: number;
  readonly settleMs?: number;
  readonly googleTimeoutMs?: number;
  /** Whether Google shows its unverified-app page. */
  readonly unverified?: boolean;
}

/** The client that the test's Google knows. */
export const testClient = { clientId: 'test.apps', clientSecret: 'test-secret' } as const;

/**
 * Starts it as `main.ts` would, cross-site as in production: pages at localhost, Google at 127.0.0.1.
 * Call `close` in `afterAll`.
 */
export async function startTestLetterhead(options: TestOptions = {}): Promise<TestLetterhead> {
  const database = await testDatabase();
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const shutdown = createShutdown(log);
  shutdown.add('test database', () => database.close());

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const publicUrl = `http://localhost:${port}`;
  const google = await startLocalGoogle({
    port: 0,
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

  const timeoutMs = options.googleTimeoutMs ?? 5_000;
  const config: ServiceConfig = {
    host: '127.0.0.1',
    port,
    publicUrl,
    trustProxy: 0,
    database: database.urls,
    google: { ...testClient, timeoutMs, endpoints: await findEndpoints(google.url, `${google.url}/`, timeoutMs) },
    tokenKeys: newKey('test'),
    sessionSecrets: [randomUUID() + randomUUID()],
    sendDeadlineMs: options.sendDeadlineMs ?? 5_000,
    settleMs: options.settleMs ?? 500,
    localMailUrl: google.url,
  };
  const parts = await openParts(config, log, shutdown);
  server.on('request', createApp(parts.context, parts.pool));
  shutdown.add('web server', () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  if (options.worker ?? true) await work(parts, config, shutdown);
  return {
    url: publicUrl,
    google,
    database,
    context: parts.context,
    config,
    logged: () => lines.join(''),
    close: () => shutdown.run(),
  };
}
