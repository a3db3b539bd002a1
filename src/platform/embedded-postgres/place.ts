import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Account, findAccount, mayEnter } from './account.ts';
import { findBinaries } from './binaries.ts';
import { findElsewhere, moveElsewhere, SHARED_FOLDERS } from './elsewhere.ts';

/** Where one database lives and how it is run. */
export interface Place {
  /** Holds `data`, `password` and `server.log`. */
  home: string;
  /** The data folder of PostgreSQL itself. */
  data: string;
  /** The folder with `bin/postgres`. */
  native: string;
  /** Undefined: as whoever runs Letterhead. */
  account: Account | undefined;
}

/**
 * The place for the database of `dataDir` (an existing folder, real path). That is `dataDir` itself, unless Letterhead
 * is root: PostgreSQL then runs as another user, and where that user cannot reach `dataDir` the place is elsewhere.
 */
export async function choosePlace(dataDir: string, ephemeral: boolean, log: (line: string) => void): Promise<Place> {
  if (process.getuid?.() !== 0) return describe(dataDir, undefined);
  const elsewhere = await findElsewhere(dataDir, log);
  const home = elsewhere ?? dataDir;
  const account = (await ownerOf(join(home, 'data'))) ?? (await findAccount());
  await chmod(home, 0o711);
  if (await mayEnter(home, account)) return describe(home, account);
  return describe(await moveElsewhere(dataDir, home, account, ephemeral, log), account);
}

async function describe(home: string, account: Account | undefined): Promise<Place> {
  return { home, data: join(home, 'data'), native: await findBinaries(account, SHARED_FOLDERS), account };
}

/** Who wrote the data: an ordinary user before root came along keeps being the one who runs it. */
async function ownerOf(folder: string): Promise<Account | undefined> {
  const found = await stat(folder).catch(() => undefined);
  return found && found.uid !== 0 ? { uid: found.uid, gid: found.gid } : undefined;
}
