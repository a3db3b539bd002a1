import path from 'node:path';
import { type LocalGoogle, startLocalGoogle } from 'local-google';
import type { Clock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { createLog } from '../platform/log.ts';
import { migrate } from '../platform/migrate.ts';
import { createShutdown, onSignals, type Shutdown } from '../platform/shutdown.ts';
import { StartError } from '../platform/start-error.ts';
import { countTenants } from '../tenants/system.ts';
import { callbackPaths } from '../web/google-flows.ts';
import { fillDemo } from './demo.ts';
import { dataFolder, startLocalDatabase } from './local-database.ts';
import { type LocalSecrets, localClient, localSecrets } from './local-secrets.ts';
import { assertPortFree, explainListen, findGoogle, openParts, serve, work } from './parts.ts';

/**
 * The no-argument mode: everything in one process, and whatever is not configured supplied on this machine.
 * Local Google and the demo exist only here, on loopback; the demo only when the database is local too.
 *
 * @throws {StartError | EmbeddedPostgresError} with what to do
 */
export async function runAll(config: Config): Promise<void> {
  const log = createLog(config.logLevel);
  const shutdown = createShutdown(log);
  onSignals(shutdown);
  try {
    await start(config, log, shutdown);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

async function start(config: Config, log: ReturnType<typeof createLog>, shutdown: Shutdown): Promise<void> {
  // What needs no password must not be within anybody else's reach.
  if (!config.google && !isLoopback(config.host)) {
    throw new StartError(
      `HOST=${config.host} would show Local Google and the demo to other machines. Leave HOST out; or set GOOGLE_CLIENT_ID to use the real Google.`,
    );
  }
  const dataDir = dataFolder(config);
  const secrets = await localSecrets(dataDir);
  await assertPortFree(config.port, config.host, 'PORT');
  if (!config.google) await assertPortFree(config.localGooglePort, '127.0.0.1', 'LOCAL_GOOGLE_PORT');
  // The database comes before Local Google: it knows when another process uses this data folder.
  const postgres = config.database ? null : await startLocalDatabase(dataDir, (line) => log.info(line), say);
  if (postgres) shutdown.add('PostgreSQL', () => postgres.stop());
  const database = config.database ?? postgres?.urls;
  if (!database) throw new StartError('There is no database.');
  const local = config.google ? null : await startLocal(config, dataDir, secrets, shutdown);
  await migrate(database);

  const google = local
    ? await findGoogle({ ...config, googleIssuer: local.url, gmailRoot: `${local.url}/` }, localClient(secrets))
    : await findGoogle(config, config.google ?? localClient(secrets));
  const complete = {
    ...config,
    database,
    google,
    tokenKeys: config.tokenKeys ?? secrets.tokenKeys,
    sessionSecrets: config.sessionSecrets ?? [secrets.sessionSecret],
    ...(local && { localMailUrl: local.url, clock: clockOf(local) }),
  };
  const parts = await openParts(complete, log, shutdown);
  const isDemo = local !== null && config.database === null;
  if (isDemo && (await countTenants(parts.context.system)) === 0) {
    say('Filling the demo company…');
    await fillDemo(parts.context, local.accounts.get('dana@brightwater.example'), local.url);
  }
  await serve(parts, complete, shutdown);
  await work(parts, complete, shutdown);
  banner(config, local);
}

function startLocal(config: Config, dataDir: string, secrets: LocalSecrets, shutdown: Shutdown): Promise<LocalGoogle> {
  const redirectUris = Object.values(callbackPaths).map((callback) => `${config.publicUrl}${callback}`);
  const { clientId, clientSecret } = localClient(secrets);
  return startLocalGoogle({
    port: config.localGooglePort,
    dataDir: path.join(dataDir, 'google'),
    clients: [{ id: clientId, secret: clientSecret, name: 'Letterhead', redirectUris }],
    unverified: true,
  }).then(
    (google) => {
      shutdown.add('Local Google', () => google.close());
      // To this process, whatever people call it: Local Google posts to addresses of this computer only.
      const host = config.host === '::1' ? '[::1]' : config.host;
      google.policies.setApp(clientId, { securityEventsUrl: `http://${host}:${config.port}/google/risc` });
      return google;
    },
    (error) => {
      throw explainListen(error, config.localGooglePort, 'LOCAL_GOOGLE_PORT');
    },
  );
}

/** Local Google's time is ours: what its control page moves on passes here, too. */
function clockOf({ clock }: LocalGoogle): Clock {
  return Object.assign(() => new Date(clock.now()), { after: clock.after });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function say(line: string): void {
  console.log(`  ${line}`);
}

function banner(config: Config, local: LocalGoogle | null): void {
  const lines = [`  Letterhead runs at   ${config.publicUrl}`];
  if (local) {
    lines.push('  Sign in as           dana@brightwater.example (no password: it is a Google of your own)');
    lines.push(`  Sent mail arrives at ${local.url}`);
  }
  console.log(`\n${lines.join('\n')}\n\n  Ctrl-C stops everything.\n`);
}
