import type { JWK } from 'jose';
import { Accounts } from './accounts.ts';
import { Faults } from './faults.ts';
import { Mailboxes } from './mailboxes.ts';
import type { Client } from './oauth/clients.ts';
import { Codes } from './oauth/codes.ts';
import { Grants } from './oauth/grants.ts';
import { SigningKeys } from './oauth/keys.ts';
import type { Store } from './persist.ts';
import { Truth } from './truth.ts';

/** Everything one Local Google knows; each part of it takes the world it works in as its first argument. */
export interface World {
  /** Its own origin, without a slash at the end: the OAuth issuer, and where the Gmail API lives. */
  url: string;
  now: () => number;
  /** Whether apps that ask for sensitive scopes meet the warning page. */
  unverified: boolean;
  accounts: Accounts;
  clients: Map<string, Client>;
  grants: Grants;
  codes: Codes;
  keys: SigningKeys;
  mail: Mailboxes;
  faults: Faults;
  truth: Truth;
  /** Aborted when the server closes, so that no timer outlives it. */
  closing: AbortSignal;
  /** Writes accounts, grants and key down, if there is a folder for them. Call it after changing an account. */
  save(): void;
}

/** Builds a world from what the store kept. */
export async function createWorld(options: {
  url: string;
  store: Store;
  clients: Map<string, Client>;
  unverified: boolean;
  now: () => number;
  closing: AbortSignal;
}): Promise<World> {
  const { store, clients, now } = options;
  const saved = store.loadState();
  let key = (saved?.key ?? null) as JWK | null;
  const accounts = new Accounts();
  const save = () =>
    store.saveState(() => ({ accounts: accounts.all(), ...grants.save(), key: key ? { ...key } : null }));
  const grants = new Grants(now, save);
  const keys = new SigningKeys(key, (made) => {
    key = made;
    save();
  });
  const truth = new Truth();
  const mail = new Mailboxes(store, truth, now);
  const codes = new Codes(now);
  const faults = new Faults();
  const world: World = {
    url: options.url,
    now,
    unverified: options.unverified,
    accounts,
    clients,
    grants,
    codes,
    keys,
    mail,
    faults,
    truth,
    closing: options.closing,
    save,
  };
  if (saved) grants.load(saved);
  for (const account of saved?.accounts ?? []) accounts.put(account);
  await mail.load();
  return world;
}
