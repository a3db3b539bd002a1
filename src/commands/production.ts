import { scaledClock, systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { createLog } from '../platform/log.ts';
import { createShutdown, onSignals } from '../platform/shutdown.ts';
import { StartError } from '../platform/start-error.ts';
import { findGoogle, openParts, serve, work } from './parts.ts';

/**
 * `serve` and `work` for production: nothing is supplied, nothing is migrated.
 *
 * @throws {StartError | DatabaseRoleError | DiscoveryError} with what to do
 */
export async function runProduction(config: Config): Promise<void> {
  const { database, google: client, tokenKeys, sessionSecrets } = config;
  if (!database || !client || !tokenKeys || !sessionSecrets) throw new StartError('The configuration is not complete.');
  const log = createLog(config.logLevel);
  const shutdown = createShutdown(log);
  onSignals(shutdown);
  const google = await findGoogle(config, client);
  const clock = config.timeScale ? scaledClock(config.timeScale) : systemClock;
  const complete = { ...config, database, google, tokenKeys, sessionSecrets, clock };
  const parts = await openParts(complete, log, shutdown);
  if (config.command === 'serve') {
    await serve(parts, complete, shutdown);
    log.info({ address: config.publicUrl, port: config.port }, 'serving');
  } else {
    await work(parts, complete, shutdown);
    log.info('working');
  }
}
