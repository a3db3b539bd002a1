import { access } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../platform/config.ts';
import { type KeyRing, parseKeyRing } from '../platform/key-ring.ts';
import { StartError } from '../platform/start-error.ts';
import { dataFolder } from './local-database.ts';
import { localSecrets } from './local-secrets.ts';

/** The keys that a command works with: those configured, else those of the no-argument mode. None are made here. */
export async function tokenKeys(config: Config): Promise<KeyRing> {
  return parseKeyRing(config.tokenKeys ?? (await keptKeys(dataFolder(config))));
}

/** New ones would open nothing. */
async function keptKeys(dataDir: string): Promise<string> {
  const there = await access(path.join(dataDir, 'secrets.json')).then(
    () => true,
    () => false,
  );
  if (!there) {
    throw new StartError(
      `TOKEN_KEYS is not set, and there are no keys in ${dataDir}. Set what serve and work are started with.`,
    );
  }
  return (await localSecrets(dataDir)).tokenKeys;
}
