import { access } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { countMailboxes, type KeyContext } from '../mailboxes/check-keys.ts';
import { forgetKey } from '../mailboxes/forget-key.ts';
import { rotateKeys } from '../mailboxes/rotate-keys.ts';
import type { Config } from '../platform/config.ts';
import { parseKeyRing } from '../platform/key-ring.ts';
import { StartError } from '../platform/start-error.ts';
import { countKeyUses, type KeyUse } from '../tenants/system.ts';
import { dataFolder } from './local-database.ts';
import { localSecrets } from './local-secrets.ts';
import { withDatabases } from './with-databases.ts';

const usage = `The keys that seal the Gmail tokens, by id (TOKEN_KEYS, newest first):

  node src/main.ts keys list          which key seals the tokens of how many mailboxes
  node src/main.ts keys rotate        seals everything with the newest key, while the service runs
  node src/main.ts keys forget ID     gives up the connections that need a lost key`;

/**
 * `keys list | rotate | forget ID`: works beside a running Letterhead, and without one. Prints ids and counts only.
 * Exits with 1 when a rotation could not reach everything.
 */
export async function runKeys(config: Config, args: string[]): Promise<void> {
  const { values, positionals } = readArguments(args);
  const [action, keyId, ...others] = positionals;
  if (action === undefined) return console.log(usage);
  if (action === 'forget' && keyId !== undefined && others.length === 0)
    return withKeys(config, (context) => forget(context, keyId, values.yes));
  if (action === 'list' && keyId === undefined) return withKeys(config, list);
  if (action === 'rotate' && keyId === undefined) return withKeys(config, rotate);
  throw new StartError(`That is no way to call it.\n\n${usage}`);
}

function readArguments(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: { yes: { type: 'boolean', default: false } } });
  } catch (cause) {
    throw new StartError(`That is no way to call it.\n\n${usage}`, { cause });
  }
}

async function withKeys(config: Config, work: (context: KeyContext) => Promise<void>): Promise<void> {
  const keys = parseKeyRing(config.tokenKeys ?? (await keptKeys(dataFolder(config))));
  await withDatabases(config, (databases) => work({ ...databases, keys }));
}

/** The keys that the no-argument mode made for itself. None are made here: new ones would open nothing. */
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

async function list({ system, keys }: KeyContext): Promise<void> {
  const uses = await countKeyUses(system);
  const unused = keys.ids.filter((id) => !uses.some(({ keyId }) => keyId === id));
  printUses([...uses, ...unused.map((keyId) => ({ keyId, mailboxes: 0 }))], keys);
}

function printUses(uses: readonly KeyUse[], keys: KeyContext['keys']): void {
  const width = Math.max(...uses.map(({ keyId }) => keyId.length), '(damaged)'.length);
  for (const { keyId, mailboxes } of uses) {
    const note = keyId === keys.currentId ? 'newest' : keys.ids.includes(keyId) ? '' : 'not in TOKEN_KEYS';
    const line = `  ${(keyId || '(damaged)').padEnd(width)}  seals the tokens of ${countMailboxes(mailboxes)}`;
    console.log(note && keyId ? `${line} (${note})` : line);
  }
}

async function rotate(context: KeyContext): Promise<void> {
  const { keys } = context;
  const { resealed, unopened, refreshing, uses, droppable } = await rotateKeys(context, {
    onProgress: (done) => console.log(`  ${countMailboxes(done)} sealed with “${keys.currentId}”…`),
  });
  console.log(`Sealed the tokens of ${countMailboxes(resealed)} with “${keys.currentId}”. In use now:`);
  printUses(uses, keys);
  if (refreshing > 0) console.log(`${countMailboxes(refreshing)} were being refreshed all the while. Run it again.`);
  if (unopened > 0)
    console.log(`${countMailboxes(unopened)} cannot be opened with the keys in TOKEN_KEYS and are as they were.`);
  if (droppable.length > 0) {
    const ids = droppable.map((id) => `“${id}”`).join(', ');
    console.log(
      `Can be dropped from TOKEN_KEYS: ${ids}. Only once every serve and work runs with “${keys.currentId}” in front.`,
    );
  } else if (keys.ids.length === 1) {
    console.log('To change the key, put a new one in front of it in TOKEN_KEYS: new:…,old:…');
  }
  if (refreshing + unopened > 0) process.exitCode = 1;
}

async function forget(context: KeyContext, keyId: string, really: boolean): Promise<void> {
  const { givenUp, kept } = await forgetKey(context, keyId, really);
  if (kept > 0) console.log(`${countMailboxes(kept)} under “${keyId}” can be opened, and nothing is taken from them.`);
  if (givenUp === 0) return console.log(`No connection needs to be given up for “${keyId}”.`);
  if (really) console.log(`Gave up the connection of ${countMailboxes(givenUp)}. Each must be connected again.`);
  else {
    console.log(
      `This gives up the connection of ${countMailboxes(givenUp)} for good; each must be connected again. To do it:\n\n  node src/main.ts keys forget ${keyId} --yes`,
    );
  }
}
