import {
  changePassword,
  deleteAccount,
  disableAccount,
  enableAccount,
  removeAccess,
  requireReauth,
  setDomainPolicy,
} from './account-life.ts';
import type { Account, AccountSeed, SendAs, SendAsSeed } from './accounts.ts';
import { sameAddress } from './accounts.ts';
import { type Approval, approve } from './approve.ts';
import type { Clock } from './clock.ts';
import { receiveMessage } from './delivery.ts';
import { discardDraft, findDraft, undoDiscard, updateDraft } from './drafts.ts';
import type { Faults } from './faults.ts';
import { changeLabels } from './mail/labels.ts';
import { type Message, OUTSIDE, rawOf } from './mailboxes.ts';
import { type Client, type ClientSeed, registerClients } from './oauth/clients.ts';
import { parseScopes } from './oauth/scopes.ts';
import type { SecurityEvents } from './oauth/security-events.ts';
import { type KeyFile, newServiceAccount } from './oauth/service-accounts.ts';
import { type GivenTokens, giveTokens } from './oauth/token.ts';
import { addAccount } from './open-account.ts';
import type { AppPolicy, DomainPolicy, Unconfirmed } from './policies.ts';
import type { Push } from './push.ts';
import type { Quotas } from './quotas/quotas.ts';
import { addSendAs, confirmSendAs } from './send-as.ts';
import type { Truth } from './truth.ts';
import type { World } from './world.ts';

/** What tests in the same process steer and read, in words of the domain. Unknown accounts throw a RangeError. */
export interface LocalGoogleHandle {
  faults: Faults;
  truth: Truth;
  /** Moves time on, for everything that expires, resets or lags here. */
  clock: Clock;
  /** How many calls are being worked on, and how many hang, or are held up by a slow rule for a minute or more. */
  underWay(): Readonly<World['underWay']>;
  /** What Google, the app's operator and administrators of domains decide. A change names only what differs. */
  policies: {
    /** A project: a client's own id, unless it was registered with another. */
    setApp(project: string, change: Partial<AppPolicy>): AppPolicy;
    setDomain(domain: string, change: Partial<DomainPolicy>): DomainPolicy;
    /** Chooses outcomes where nobody knows what Google does. */
    setUnconfirmed(change: Partial<Unconfirmed>): Unconfirmed;
    setClientDeleted(clientId: string, deleted: boolean): void;
  };
  /** Cross-Account Protection: sent to the address in the app policy's `securityEventsUrl`. */
  securityEvents: SecurityEvents;
  /** Registers further OAuth clients, or registers one anew. */
  addClients(clients: readonly ClientSeed[]): void;
  /** Registers a service account with a new key and answers its key file; a domain policy authorises its client id. */
  addServiceAccount(email: string): Promise<KeyFile>;
  accounts: {
    add(seed: AccountSeed): Account;
    get(email: string): Account;
    /** Lets the client know who this is, as somebody does who signs in to it; Google tells it of them from then on. */
    signIn(email: string, clientId: string): void;
    /** The tokens of a consent to all of these scopes, without the pages and the code in between. */
    allow(email: string, clientId: string, scopes: readonly string[]): GivenTokens;
    /** Kills every grant of the account that has a Gmail scope. */
    changePassword(email: string): void;
    /** What the user does on the third-party access page; ends the whole grant of the client's project. */
    removeAccess(email: string, clientId: string): void;
    /** Refresh tokens of this account die unseen, as after six unused months. */
    expireRefreshTokens(email: string, clientId: string): void;
    /** Access tokens end before their hour. */
    expireAccessTokens(email: string): void;
    addSendAs(email: string, alias: SendAsSeed): SendAs;
    confirmSendAs(email: string, alias: string): void;
    removeSendAs(email: string, alias: string): void;
    /** As Google or an administrator does: tokens die, nobody signs in, apps with security events hear of it. */
    disable(email: string, reason?: 'hijacking' | 'bulk-account'): void;
    enable(email: string): void;
    /** Gone for good: refreshing answers `The account has been deleted`. */
    delete(email: string): void;
    /** Refreshing answers `reauth related error (invalid_rapt)` until there is new consent. */
    requireReauth(email: string): void;
    setMailEnabled(email: string, enabled: boolean): void;
  };
  mail: {
    /** Messages of a mailbox, oldest first. */
    messages(email: string): Message[];
    /** Messages that went to addresses living elsewhere. */
    outside(): Message[];
    raw(message: Message): Buffer;
    /** Mail from the outside world. */
    receive(raw: string | Buffer, recipients: readonly string[]): Message[];
    /** What a person does in Gmail: into the trash, where it keeps its other labels. */
    trash(message: Message): void;
    /** history.list answers 404 for every id so far, as it rarely does after hours already. */
    forgetHistory(email: string): void;
  };
  /** What people do with drafts in Gmail itself, meanwhile. */
  drafts: {
    /** Draft ids of a mailbox, oldest first. */
    ids(email: string): string[];
    raw(email: string, draftId: string): Buffer;
    edit(email: string, draftId: string, raw: string | Buffer): void;
    discard(email: string, draftId: string): void;
    /** Answers the id under which the draft is back: another one. */
    undoDiscard(email: string, draftId: string): string;
  };
  /** Limits, all lifted at first; `GOOGLE_QUOTAS` has Google's own. */
  quotas: Quotas;
  /** Where changes of watched mailboxes are posted. */
  push: Push;
  setUnverified(unverified: boolean): void;
  /** Walks the sign-in pages for an authorize address as a person would; answers the callback address with the code. */
  approve(authorizeUrl: string, approval: Approval): Promise<string>;
}

/** The handle of a world. */
export function handleOf(world: World): LocalGoogleHandle {
  const known = (email: string): Account => {
    const account = world.accounts.byEmail(email);
    if (!account) throw new RangeError(`Local Google has no account ${email}`);
    return account;
  };
  const knownClient = (clientId: string): Client => {
    const client = world.clients.get(clientId);
    if (!client) throw new RangeError(`Local Google has no client ${clientId}`);
    return client;
  };
  const entryOf = (email: string, alias: string): SendAs => {
    const entry = known(email).sendAs.find(
      (candidate) => candidate.email === sameAddress(alias) && !candidate.isPrimary,
    );
    if (!entry) throw new RangeError(`${email} has no alias ${alias}`);
    return entry;
  };
  return {
    faults: world.faults,
    truth: world.truth,
    clock: world.clock,
    underWay: () => world.underWay,
    policies: {
      setApp: (project, change) => world.policies.setApp(project, change),
      setDomain: (domain, change) => setDomainPolicy(world, domain, change),
      setUnconfirmed: (change) => world.policies.setUnconfirmed(change),
      setClientDeleted: (clientId, deleted) => world.policies.setDeleted(clientId, deleted),
    },
    securityEvents: world.securityEvents,
    addClients: (clients) => {
      for (const [id, client] of registerClients(clients)) world.clients.set(id, client);
    },
    addServiceAccount: (email) => newServiceAccount(world, email),
    accounts: {
      add: (seed) => addAccount(world, seed),
      get: known,
      signIn: (email, clientId) =>
        world.grants.allow(known(email).sub, knownClient(clientId).project, parseScopes('openid email profile')),
      allow: (email, clientId, scopes) => giveTokens(world, knownClient(clientId), known(email), scopes),
      changePassword: (email) => changePassword(world, known(email)),
      removeAccess: (email, clientId) =>
        removeAccess(world, known(email), world.clients.get(clientId)?.project ?? clientId),
      expireRefreshTokens: (email, clientId) => {
        const { sub } = known(email);
        world.grants.killRefreshTokens((token) => token.sub === sub && token.clientId === clientId);
      },
      expireAccessTokens: (email) => world.grants.expireAccessTokens(known(email).sub),
      addSendAs: (email, alias) => addSendAs(world, known(email), alias),
      confirmSendAs: (email, alias) => {
        const entry = entryOf(email, alias);
        confirmSendAs(world, known(email), entry.email, entry.code ?? '');
      },
      removeSendAs: (email, alias) => {
        const entry = entryOf(email, alias);
        const account = known(email);
        account.sendAs = account.sendAs.filter((candidate) => candidate !== entry);
        world.save();
      },
      disable: (email, reason) => disableAccount(world, known(email), reason),
      enable: (email) => enableAccount(world, known(email)),
      delete: (email) => deleteAccount(world, known(email)),
      requireReauth: (email) => requireReauth(world, known(email)),
      setMailEnabled: (email, enabled) => {
        known(email).mailEnabled = enabled;
        world.save();
      },
    },
    mail: {
      messages: (email) => {
        world.later.catchUp();
        return world.mail.all(known(email).email);
      },
      outside: () => world.mail.all(OUTSIDE),
      raw: rawOf,
      receive: (raw, recipients) => receiveMessage(world, Buffer.from(raw), recipients),
      trash: (message) => world.mail.label(message, changeLabels(message.labels, ['TRASH'], ['INBOX'])),
      forgetHistory: (email) => world.mail.history(known(email).email).forget(),
    },
    drafts: {
      ids: (email) => [...world.mail.drafts(known(email).email).keys()],
      raw: (email, draftId) => rawOf(findDraft(world, known(email), draftId)),
      edit: (email, draftId, raw) => void updateDraft(world, known(email), draftId, Buffer.from(raw)),
      discard: (email, draftId) => discardDraft(world, known(email), draftId),
      undoDiscard: (email, draftId) => undoDiscard(world, known(email), draftId).id,
    },
    quotas: world.quotas,
    push: world.push,
    setUnverified: (unverified) => {
      world.policies.unverified = unverified;
    },
    approve,
  };
}
