import { mkdir, realpath, rm } from 'node:fs/promises';
import { Client } from 'pg';
import { claimDataDir } from './embedded-postgres/claim.ts';
import { ensureCluster, SUPERUSER } from './embedded-postgres/cluster.ts';
import { type Guard, guardAgainstOurDeath } from './embedded-postgres/ephemeral.ts';
import { EmbeddedPostgresError, explainFailure } from './embedded-postgres/error.ts';
import { choosePlace } from './embedded-postgres/place.ts';
import { findFreePort } from './embedded-postgres/port.ts';
import { endOrphan, launchPostmaster, type Postmaster, stopPostmaster } from './embedded-postgres/postmaster.ts';
import { supervise } from './embedded-postgres/supervise.ts';

/** What {@link startEmbeddedPostgres} may be told. */
export interface EmbeddedPostgresOptions {
  /** The folder that stands for this database, such as <checkout>/.data/postgres. Made when missing. */
  dataDir: string;
  /** Preferred port; where it is taken, or none is given, a free one is used. */
  port?: number;
  log: (line: string) => void;
  /** Told of every step that takes longer than a blink. */
  onProgress?: (message: string) => void;
  /** For tests: nothing is synced to disk, and all of it is removed on stop, or when this process dies. */
  ephemeral?: boolean;
}

/** A PostgreSQL that runs until it is stopped. */
export interface EmbeddedPostgres {
  /** The superuser's URL of the database `letterhead` on 127.0.0.1. */
  ownerUrl: string;
  port: number;
  /** Where the data really is: inside `options.dataDir`, or elsewhere when root's PostgreSQL could not reach that. */
  dataDir: string;
  /** Ends PostgreSQL and leaves no process behind. May be called again. */
  stop(): Promise<void>;
}

const DATABASE = 'letterhead';
const PORT_ATTEMPTS = 5;

/**
 * Runs a real PostgreSQL on 127.0.0.1, from the binaries in node_modules, until `stop`. One that an earlier process left
 * running on this folder is replaced; one that dies is started again on its port.
 *
 * @throws EmbeddedPostgresError that says what happened and what to do.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, ephemeral = false, onProgress = () => undefined } = options;
  if (process.platform === 'win32') {
    throw new EmbeddedPostgresError(
      'binaries',
      'Letterhead does not run its own PostgreSQL on Windows.',
      'Use WSL, or set DATABASE_URL to a PostgreSQL server of your own.',
    );
  }
  const dataDir = await makeFolder(options.dataDir);
  const claim = claimDataDir(dataDir);
  let guard: Guard | undefined;
  try {
    const place = await choosePlace(dataDir, ephemeral, log);
    const folders = place.home === dataDir ? [dataDir] : [place.home, dataDir];
    // Before there is anything to leave behind: starting takes a second, in which we may be killed as well.
    guard = ephemeral ? guardAgainstOurDeath(folders) : undefined;
    const launch = (port: number) => launchPostmaster(place, { port, ephemeral, onProgress });
    const orphan = await endOrphan(place.data);
    if (orphan) log(`Ended the PostgreSQL (process ${orphan.pid}) that an earlier Letterhead left running.`);
    const password = await ensureCluster(place, { ephemeral, onProgress });
    onProgress('Starting PostgreSQL…');
    const first = await launchOnFreePort([options.port, orphan?.port], launch);
    const { port } = first;
    const url = (database: string) => `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`;
    await createDatabase(url('postgres')).catch(async (error: unknown) => {
      await stopPostmaster(first.pid, place.data, 'SIGINT');
      throw explainFailure('The database could not be opened', String(error), error);
    });

    const restart = async () => {
      await endOrphan(place.data);
      return launch(port);
    };
    const supervision = supervise(first, restart, log);

    const stop = async () => {
      const running = await supervision.end();
      if (running) await stopPostmaster(running.pid, place.data, ephemeral ? 'SIGQUIT' : 'SIGINT');
      // It died just now and was not started again: what outlived it, and its pid file, must not bar the next start.
      else await endOrphan(place.data);
      guard?.disarm();
      claim.release();
      if (ephemeral) for (const folder of folders) await rm(folder, { recursive: true, force: true });
    };
    let stopping: Promise<void> | undefined;
    return {
      ownerUrl: url(DATABASE),
      port,
      dataDir: place.data,
      stop: () => {
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (error) {
    guard?.disarm();
    claim.release();
    throw error;
  }
}

async function makeFolder(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true });
    return await realpath(path);
  } catch (error) {
    throw explainFailure(`The database folder ${path} could not be made`, String(error), error);
  }
}

async function launchOnFreePort(
  preferred: readonly (number | undefined)[],
  launch: (port: number) => Promise<Postmaster>,
): Promise<Postmaster> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await launch(await findFreePort(attempt === 1 ? preferred : []));
    } catch (error) {
      // Another program took the port between our look and PostgreSQL's start.
      const raced = error instanceof EmbeddedPostgresError && error.code === 'port_in_use';
      if (!raced || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function createDatabase(maintenanceUrl: string): Promise<void> {
  const client = new Client({ connectionString: maintenanceUrl, connectionTimeoutMillis: 10_000 });
  // A connection that breaks while idle says so here, and would otherwise end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}
