import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { newKey, parseKeyRing } from '../platform/key-ring.ts';
import { StartError } from '../platform/start-error.ts';

const secret = z.string().min(32);
const secretsSchema = z.object({
  tokenKeys: z.string().refine(canBeRead),
  sessionSecret: secret,
  appPassword: secret,
  systemPassword: secret,
  googleClientSecret: secret,
});

function canBeRead(tokenKeys: string): boolean {
  try {
    return parseKeyRing(tokenKeys).currentId !== '';
  } catch {
    return false;
  }
}

/** What the no-argument mode makes for itself where the environment says nothing. */
export type LocalSecrets = z.infer<typeof secretsSchema>;

/**
 * Reads the secrets kept in the data folder, or makes them, readable by this user alone. They must stay the
 * same from start to start: with other keys the kept tokens would not open.
 *
 * @throws {StartError} when the file is damaged: it is never replaced in silence
 */
export async function localSecrets(dataDir: string): Promise<LocalSecrets> {
  const file = path.join(dataDir, 'secrets.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw unusable(dataDir, error);
  });
  if (text === null) {
    await refuseToReplace(dataDir, file);
    return makeSecrets(dataDir, file).catch((error: Error) => {
      throw unusable(dataDir, error);
    });
  }
  try {
    return secretsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new StartError(
      `${file} is damaged. It holds the keys to the kept Gmail connections. Put a copy back, or delete the folder ${dataDir} to begin anew.`,
      { cause },
    );
  }
}

/** With new keys beside an old database, every kept Gmail connection would be dead, and nobody told why. */
async function refuseToReplace(dataDir: string, file: string): Promise<void> {
  const kept = await readdir(path.join(dataDir, 'postgres')).catch(() => []);
  if (kept.length === 0) return;
  throw new StartError(
    `${file} is missing, but there is a database beside it. It holds the keys to the kept Gmail connections. Put a copy back, or delete the folder ${dataDir} to begin anew.`,
  );
}

function unusable(dataDir: string, cause: Error): StartError {
  return new StartError(
    `The data folder ${dataDir} cannot be used: ${cause.message}. Set DATA_DIR to a folder that this user can write.`,
    { cause },
  );
}

async function makeSecrets(dataDir: string, file: string): Promise<LocalSecrets> {
  const random = () => randomBytes(32).toString('base64url');
  const secrets = {
    tokenKeys: newKey('local'),
    sessionSecret: random(),
    appPassword: random(),
    systemPassword: random(),
    googleClientSecret: random(),
  };
  await mkdir(dataDir, { recursive: true });
  const handle = await open(`${file}.new`, 'w', 0o600);
  await handle.writeFile(JSON.stringify(secrets, null, 2));
  await handle.sync();
  await handle.close();
  await rename(`${file}.new`, file);
  return secrets;
}

/** Letterhead as Local Google knows it. */
export function localClient(secrets: LocalSecrets): { clientId: string; clientSecret: string } {
  return { clientId: 'letterhead.local', clientSecret: secrets.googleClientSecret };
}
