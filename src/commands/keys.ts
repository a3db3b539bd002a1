import { parseArgs } from 'node:util';
import { countMailboxes, type KeyContext, sealedWords } from '../mailboxes/check-keys.ts';
import { forgetKey } from '../mailboxes/forget-key.ts';
import { rotateKeys } from '../mailboxes/rotate-keys.ts';
import type { Config } from '../platform/config.ts';
import { StartError } from '../platform/start-error.ts';
import { countKeyUses, type KeyUse } from '../tenants/system.ts';
import { tokenKeys } from './token-keys.ts';
import { withDatabases } from './with-databases.ts';

const usage = `The keys that seal the Gmail tokens and the keys of service accounts, by id (TOKEN_KEYS, newest first):

  node src/main.ts keys list          which key seals how much
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
  const keys = await tokenKeys(config);
  await withDatabases(config, (databases) => work({ ...databases, keys }));
}

async function list({ system, keys }: KeyContext): Promise<void> {
  const uses = await countKeyUses(system);
  const unused = keys.ids.filter((id) => !uses.some(({ keyId }) => keyId === id));
  printUses([...uses, ...unused.map((keyId) => ({ keyId, mailboxes: 0, delegations: 0 }))], keys);
}

function printUses(uses: readonly KeyUse[], keys: KeyContext['keys']): void {
  const width = Math.max(...uses.map(({ keyId }) => keyId.length), '(damaged)'.length);
  for (const use of uses) {
    const { keyId } = use;
    const note = keyId === keys.currentId ? 'newest' : keys.ids.includes(keyId) ? '' : 'not in TOKEN_KEYS';
    const line = `  ${(keyId || '(damaged)').padEnd(width)}  seals ${sealedWords(use)}`;
    console.log(note && keyId ? `${line} (${note})` : line);
  }
}

async function rotate(context: KeyContext): Promise<void> {
  const { keys } = context;
  const { resealed, unopened, refreshing, uses, droppable } = await rotateKeys(context, {
    onProgress: (done) => console.log(`  Sealed ${sealedWords(done)} with “${keys.currentId}”…`),
  });
  console.log(`Sealed ${sealedWords(resealed)} with “${keys.currentId}”. In use now:`);
  printUses(uses, keys);
  if (refreshing > 0) console.log(`${countMailboxes(refreshing)} were being refreshed all the while. Run it again.`);
  const isUnopened = unopened.mailboxes + unopened.delegations > 0;
  if (isUnopened) {
    console.log(`The keys in TOKEN_KEYS do not open ${sealedWords(unopened)}. Nothing of that was changed.`);
  }
  if (droppable.length > 0) {
    const ids = droppable.map((id) => `“${id}”`).join(', ');
    console.log(
      `Can be dropped from TOKEN_KEYS: ${ids}. Only once every serve and work runs with “${keys.currentId}” in front.`,
    );
  } else if (keys.ids.length === 1) {
    console.log('To change the key, put a new one in front of it in TOKEN_KEYS: new:…,old:…');
  }
  if (refreshing > 0 || isUnopened) process.exitCode = 1;
}

async function forget(context: KeyContext, keyId: string, really: boolean): Promise<void> {
  const { givenUp, kept } = await forgetKey(context, keyId, really);
  if (kept.mailboxes + kept.delegations > 0) {
    console.log(`Under “${keyId}” can be opened, and nothing is taken from: ${sealedWords(kept)}.`);
  }
  if (givenUp.mailboxes + givenUp.delegations === 0) return console.log(`Nothing needs to be given up for “${keyId}”.`);
  const again = [
    givenUp.mailboxes > 0 && 'each of these mailboxes must be connected again',
    givenUp.delegations > 0 && 'the key files of these service accounts must be given again in Settings → Email',
  ].filter((words) => words !== false);
  if (really) return console.log(`Gave up ${sealedWords(givenUp)}: ${again.join(', and ')}.`);
  console.log(
    `This gives up ${sealedWords(givenUp)} for good: ${again.join(', and ')}. To do it:\n\n  node src/main.ts keys forget ${keyId} --yes`,
  );
}
