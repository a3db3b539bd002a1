import type { JWK } from 'jose';
import { Accounts } from './accounts.ts';
import { Clock } from './clock.ts';
import { Faults } from './faults.ts';
import { Later } from './later.ts';
import { DraftMemory } from './mail/draft-memory.ts';
import { Mailboxes } from './mailboxes.ts';
import { type Client, loadServiceAccounts, type ServiceAccount, saveServiceAccounts } from './oauth/clients.ts';
import { Codes } from './oauth/codes.ts';
import { Grants } from './oauth/grants.ts';
import { SigningKeys } from './oauth/keys.ts';
import { SecurityEvents } from './oauth/security-events.ts';
import type { Store } from './persist.ts';
import { Policies, policiesShape } from './policies.ts';
import { Push } from './push.ts';
import { Quotas } from './quotas/quotas.ts';
import { Truth } from './truth.ts';

/** Everything one Local Google knows; each part of it takes the world it works in as its first argument. */
export interface World {
  /** Its own origin, without a slash at the end: the OAuth issuer, and where the Gmail API lives. */
  url: string;
  /** The time here: what `clock` says. */
  now: () => number;
  clock: Clock;
  policies: Policies;
  accounts: Accounts;
  clients: Map<string, Client>;
  /** Service accounts by address. */
  serviceAccounts: Map<string, ServiceAccount>;
  grants: Grants;
  codes: Codes;
  keys: SigningKeys;
  securityEvents: SecurityEvents;
  mail: Mailboxes;
  draftMemory: DraftMemory;
  quotas: Quotas;
  push: Push;
  /** What happens by itself when the clock gets there. */
  later: Later;
  faults: Faults;
  truth: Truth;
  /** How many calls are being worked on, and how many a fault holds up for good. */
  underWay: { atWork: number; heldUp: number };
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
  headersOnly: boolean;
  now: () => number;
  closing: AbortSignal;
}): Promise<World> {
  const { url, store, clients, closing } = options;
  const saved = store.loadState();
  const clock = new Clock(options.now, saved?.clockAheadMs ?? 0, () => {
    save();
    later.catchUp();
  });
  const { now } = clock;
  const later = new Later(now);
  const policies = new Policies(saved?.policies ?? policiesShape.parse({ unverified: options.unverified }), () =>
    save(),
  );
  let key = (saved?.key ?? null) as JWK | null;
  const accounts = new Accounts();
  const serviceAccounts = loadServiceAccounts(saved?.serviceAccounts ?? []);
  const quotas = new Quotas(now, saved?.quotas, () => save());
  const save = () =>
    store.saveState(() => ({
      accounts: [...accounts.deleted(), ...accounts.all()],
      ...grants.save(),
      serviceAccounts: saveServiceAccounts(serviceAccounts),
      key: key ? { ...key } : null,
      clockAheadMs: clock.aheadMs,
      policies: policies.save(),
      quotas: quotas.settings,
    }));
  const grants = new Grants(now, save);
  const keys = new SigningKeys(key, (made) => {
    key = made;
    save();
  });
  const truth = new Truth();
  const mail = new Mailboxes(store, truth, now, options.headersOnly ? 'headers' : 'all');
  const codes = new Codes(now);
  const faults = new Faults(now);
  closing.addEventListener('abort', () => faults.clear());
  const securityEvents = new SecurityEvents({ url, keys, policies, clients, now, later, closing });
  const world: World = {
    url,
    now,
    clock,
    policies,
    accounts,
    clients,
    serviceAccounts,
    grants,
    codes,
    keys,
    securityEvents,
    mail,
    draftMemory: new DraftMemory(),
    quotas,
    push: new Push({ url, keys, mail, now, closing }),
    later,
    faults,
    truth,
    underWay: { atWork: 0, heldUp: 0 },
    closing,
    save,
  };
  if (saved) grants.load(saved);
  for (const account of saved?.accounts ?? []) accounts.put(account);
  await mail.load();
  for (const record of truth.accepted()) {
    const account = accounts.byEmail(record.account);
    if (account && !record.overLimit) world.quotas.countSent(account, record);
  }
  return world;
}
