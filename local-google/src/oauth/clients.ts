import { createPublicKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { fingerprint } from '../secrets.ts';

/** An OAuth client as its operator registered it. Clients with one `project` share a user's grant. */
export interface ClientSeed {
  id: string;
  secret: string;
  name: string;
  redirectUris: readonly string[];
  /** Cloud project; left out, the client is a project of its own. */
  project?: string;
}

export interface Client {
  id: string;
  secretPrint: string;
  name: string;
  redirectUris: readonly string[];
  project: string;
}

/** A registered service account. */
export interface ServiceAccount {
  readonly email: string;
  readonly clientId: string;
  readonly publicKey: KeyObject;
  readonly project: string;
}

/** A service account as the state file keeps it. */
type SavedServiceAccount = Omit<ServiceAccount, 'publicKey'> & { publicKey: string };

/** Service accounts by address, from what the state kept. */
export function loadServiceAccounts(saved: readonly SavedServiceAccount[]): Map<string, ServiceAccount> {
  return new Map(saved.map((each) => [each.email, { ...each, publicKey: createPublicKey(each.publicKey) }]));
}

/** The other way about. */
export function saveServiceAccounts(accounts: ReadonlyMap<string, ServiceAccount>): SavedServiceAccount[] {
  return [...accounts.values()].map((each) => ({
    ...each,
    publicKey: each.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }));
}

/** The registered clients by id. */
export function registerClients(seeds: readonly ClientSeed[]): Map<string, Client> {
  return new Map(
    seeds.map((seed) => [
      seed.id,
      {
        id: seed.id,
        secretPrint: fingerprint(seed.secret),
        name: seed.name,
        redirectUris: [...seed.redirectUris],
        project: seed.project ?? seed.id,
      },
    ]),
  );
}

/** Whether this is the client's secret. */
export function secretFits(client: Client, secret: string): boolean {
  return timingSafeEqual(Buffer.from(client.secretPrint), Buffer.from(fingerprint(secret)));
}
