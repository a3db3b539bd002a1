import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import express, { type NextFunction, type Request, type Response } from 'express';
import { type AccountSeed, demoAccounts } from './accounts.ts';
import { controlRoutes } from './control.ts';
import { gmailRoutes } from './gmail/routes.ts';
import { handleOf, type LocalGoogleHandle } from './handle.ts';
import { localCallersOnly } from './local-callers.ts';
import { type ClientSeed, registerClients } from './oauth/clients.ts';
import { oauthRoutes } from './oauth/routes.ts';
import { Sessions } from './oauth/sessions.ts';
import { addAccount } from './open-account.ts';
import { pageRoutes } from './pages/routes.ts';
import { folderStore, memoryStore } from './persist.ts';
import { createWorld, type World } from './world.ts';

export { type AccountSeed, demoAccounts } from './accounts.ts';
export type { ClientSeed } from './oauth/clients.ts';

export interface LocalGoogleOptions {
  /** A loopback address. Left out: 127.0.0.1. */
  host?: string;
  /** 0: any free port. */
  port: number;
  /** Keeps accounts, grants, the signing key and mail there; left out, everything ends with the process. */
  dataDir?: string;
  /** Accounts to open unless the folder knows them. Left out: {@link demoAccounts}. */
  accounts?: readonly AccountSeed[];
  /** The OAuth clients as of now: they replace what was registered at an earlier start. */
  clients: readonly ClientSeed[];
  /** Apps meet the unverified-app page when they ask for sensitive scopes. */
  unverified?: boolean;
  /** Forgets the text of messages once they are accepted, and keeps their headers: for a million of them. */
  headersOnly?: boolean;
  /** The clock, Unix milliseconds. */
  now?: () => number;
}

/** A running Local Google. Issuer and Gmail root are one origin: `url`, and `url` with a slash. */
export interface LocalGoogle extends LocalGoogleHandle {
  url: string;
  /** Ends every connection, the hanging ones too. */
  close(): Promise<void>;
}

/** Minutes, so that hardly a call meets an idle connection that is just being closed: what breaks here is a fault somebody set. */
const KEEP_ALIVE_MS = 240_000;

/**
 * Starts a Local Google on loopback. Rejects with Node's own error when the port is busy (`EADDRINUSE`), and with a
 * RangeError for a host that other machines could reach.
 */
export async function startLocalGoogle(options: LocalGoogleOptions): Promise<LocalGoogle> {
  const { host = '127.0.0.1', port, accounts = demoAccounts, unverified = false, now = Date.now } = options;
  if (!/^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/.test(host)) {
    throw new RangeError(`Local Google listens on loopback only, and ${host} is not loopback`);
  }
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  await listen(server, host, port);
  try {
    return await open(server, urlOf(server, host), { ...options, accounts, unverified, now });
  } catch (error) {
    server.close();
    throw error;
  }
}

async function open(
  server: Server,
  url: string,
  options: LocalGoogleOptions & { accounts: readonly AccountSeed[]; unverified: boolean; now: () => number },
): Promise<LocalGoogle> {
  const { dataDir, accounts, unverified, headersOnly = false, now } = options;
  const closing = new AbortController();
  const store = dataDir === undefined ? memoryStore() : folderStore(dataDir);
  const clients = registerClients(options.clients);
  const world = await createWorld({ url, store, clients, unverified, headersOnly, now, closing: closing.signal });
  for (const seed of accounts) if (!isKnown(world, seed.email)) addAccount(world, seed);
  server.on('request', buildApp(world));
  let closed: Promise<void> | undefined;
  return {
    url,
    ...handleOf(world),
    close: () => {
      closed ??= shutDown(server, closing).then(() => store.close());
      return closed;
    },
  };
}

/** A deleted account stays deleted at the next start. */
function isKnown(world: World, email: string): boolean {
  return world.accounts.byEmail(email) !== undefined || world.accounts.deletionsOf(email) > 0;
}

async function shutDown(server: Server, closing: AbortController): Promise<void> {
  closing.abort();
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

function buildApp(world: World): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(localCallersOnly());
  const sessions = new Sessions(world.accounts);
  app.use(oauthRoutes(world, sessions));
  app.use(gmailRoutes(world));
  app.use(controlRoutes(world));
  app.use('/assets', express.static(fileURLToPath(new URL('../public/', import.meta.url))));
  app.use(pageRoutes(world, sessions));
  app.use(unexpected);
  return app;
}

/** A caller that went away is no error; anything else is a fault of ours, told without what the request carried. */
function unexpected(error: unknown, _req: Request, res: Response, _next: NextFunction): void {
  if (res.headersSent || res.socket?.destroyed !== false) return;
  const words = error instanceof Error ? `${error.name}: ${error.message}` : 'unknown error';
  res.status(500).type('text').send(`Local Google itself failed. ${words}\n`);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function urlOf(server: Server, host: string): string {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return `http://${host === '::1' ? '[::1]' : host}:${port}`;
}
