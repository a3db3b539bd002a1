import { z } from 'zod';

/** At most so many listed test users, and so many users ever of an unverified app (docs/google.md, Scopes). */
const USER_LIMIT = 100;

/** How an app's Cloud project stands with Google. */
const appPolicy = z.object({
  publishing: z.enum(['production', 'testing']).default('production'),
  /** The only people who may consent while the app is in Testing. */
  testUsers: z.array(z.string().toLowerCase()).max(USER_LIMIT).default([]),
  /** Only people of this Workspace domain may consent (user type Internal); null: External. */
  internalTo: z.string().toLowerCase().nullable().default(null),
  /** false: every Gmail call answers 403 accessNotConfigured. */
  apiEnabled: z.boolean().default(true),
  /** Access granted from now on ends after so many seconds, and the token answers say so; null: no end. */
  accessSeconds: z.number().int().positive().nullable().default(null),
  /** How many people may ever pass the unverified-app page. */
  userCap: z.number().int().min(0).default(USER_LIMIT),
  /** Where Cross-Account Protection events go (RISC): an address on this computer; null: nowhere. */
  securityEventsUrl: z
    .url({ hostname: /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])$/ })
    .nullable()
    .default(null),
});

/** What the administrator of a Workspace domain decided. */
const domainPolicy = z.object({
  /** `blocked`: the admin_policy_enforced page, dead refresh tokens, and 403 domainPolicy for what still lives. */
  mailApps: z.enum(['allowed', 'blocked']).default('allowed'),
  /** OAuth clients whose consent page has no boxes for this domain's people. */
  trustedClients: z.array(z.string()).default([]),
  /** Domain-wide delegation: which service account's client id may act as this domain's people, with which scopes. */
  delegations: z.array(z.object({ clientId: z.string(), scopes: z.array(z.string()) })).default([]),
});

/** What nobody outside Google knows for sure: one switch per fact that docs/google.md calls UNCONFIRMED or leaves open. */
const unconfirmed = z.object({
  /** Whether consent to further scopes only, without `prompt=consent`, brings a new refresh token. */
  incrementalRefreshToken: z.boolean().default(true),
  /** Whether consent given again brings one, where the app insists on it with `prompt=consent`. */
  insistedRefreshToken: z.boolean().default(true),
  /** Whether the consent page has a box when only one scope beside the sign-in is asked. */
  boxForOneScope: z.boolean().default(true),
  /** The `iss` of ID tokens: with scheme, or the bare host. */
  issuer: z.enum(['url', 'host']).default('url'),
  /** What a second send of one draft does. */
  secondDraftSend: z.enum(['notFound', 'sendsAgain']).default('notFound'),
  /** What becomes of the Date header that the sender wrote. */
  dateHeader: z.enum(['kept', 'replaced']).default('kept'),
  /** How far `q` lags behind the mailbox, milliseconds: minutes, up to an hour reported. */
  searchLagMs: z.number().int().min(0).default(180_000),
});

const DEFAULT_APP: Readonly<AppPolicy> = Object.freeze(appPolicy.parse({}));
const DEFAULT_DOMAIN: Readonly<DomainPolicy> = Object.freeze(domainPolicy.parse({}));

/** What a state file keeps of all policies. */
export const policiesShape = z.object({
  unverified: z.boolean().default(false),
  apps: z.record(z.string(), appPolicy).default({}),
  domains: z.record(z.string(), domainPolicy).default({}),
  unconfirmed: unconfirmed.prefault({}),
  deletedClients: z.array(z.string()).default([]),
  /** By project: subjects of the people who passed its unverified-app page. */
  unverifiedUsers: z.record(z.string(), z.array(z.string())).default({}),
});

type SavedPolicies = z.output<typeof policiesShape>;
export type AppPolicy = z.output<typeof appPolicy>;
export type DomainPolicy = z.output<typeof domainPolicy>;
export type Unconfirmed = z.output<typeof unconfirmed>;

/** The modes and policies that people at Google, at the app and in its customers' domains switch. */
export class Policies {
  #saved: SavedPolicies;
  #changed: () => void;

  constructor(saved: SavedPolicies, changed: () => void) {
    this.#saved = saved;
    this.#changed = changed;
  }

  /** Whether apps that ask for sensitive scopes meet the warning page. */
  get unverified(): boolean {
    return this.#saved.unverified;
  }

  set unverified(unverified: boolean) {
    this.#saved.unverified = unverified;
    this.#changed();
  }

  get unconfirmed(): Readonly<Unconfirmed> {
    return this.#saved.unconfirmed;
  }

  /** The policy of a project, all defaults until it was set. */
  app(project: string): Readonly<AppPolicy> {
    return this.#saved.apps[project] ?? DEFAULT_APP;
  }

  /** The policy of a Workspace domain; consumer accounts (null) have no administrator. */
  domain(domain: string | null): Readonly<DomainPolicy> {
    return (domain === null ? undefined : this.#saved.domains[domain.toLowerCase()]) ?? DEFAULT_DOMAIN;
  }

  /** Changes part of a project's policy. Throws a ZodError for what makes no sense, such as a 101st test user. */
  setApp(project: string, change: unknown): Readonly<AppPolicy> {
    const policy = appPolicy.parse({ ...this.app(project), ...Object(change) });
    this.#saved.apps[project] = policy;
    this.#changed();
    return policy;
  }

  /** Changes part of a domain's policy. Throws a ZodError. */
  setDomain(domain: string, change: unknown): Readonly<DomainPolicy> {
    const policy = domainPolicy.parse({ ...this.domain(domain), ...Object(change) });
    this.#saved.domains[domain.toLowerCase()] = policy;
    this.#changed();
    return policy;
  }

  /** Chooses outcomes of unconfirmed facts. Throws a ZodError. */
  setUnconfirmed(change: unknown): Readonly<Unconfirmed> {
    this.#saved.unconfirmed = unconfirmed.parse({ ...this.#saved.unconfirmed, ...Object(change) });
    this.#changed();
    return this.#saved.unconfirmed;
  }

  isDeleted(clientId: string): boolean {
    return this.#saved.deletedClients.includes(clientId);
  }

  /** Deletes an OAuth client at Google, or brings it back. */
  setDeleted(clientId: string, deleted: boolean): void {
    const others = this.#saved.deletedClients.filter((id) => id !== clientId);
    this.#saved.deletedClients = deleted ? [...others, clientId] : others;
    this.#changed();
  }

  /** Whether an unverified project may take in this person: it knows them, or has room for one more. */
  hasRoomFor(project: string, sub: string): boolean {
    const users = this.#saved.unverifiedUsers[project] ?? [];
    return users.includes(sub) || users.length < this.app(project).userCap;
  }

  /** Remembers for good who passed the unverified-app page of a project. */
  countUnverifiedUser(project: string, sub: string): void {
    const users = this.#saved.unverifiedUsers[project] ?? [];
    if (users.includes(sub)) return;
    this.#saved.unverifiedUsers[project] = [...users, sub];
    this.#changed();
  }

  /** Everything as it is, for the state file and the control page. */
  save(): SavedPolicies {
    return this.#saved;
  }
}
