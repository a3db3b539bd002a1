import type { Account, AccountSeed, SendAs, SendAsSeed } from './accounts.ts';
import { sameAddress, sendAsFromSeed } from './accounts.ts';
import { type Approval, approve } from './approve.ts';
import { receiveMessage } from './delivery.ts';
import type { Faults } from './faults.ts';
import { type Message, OUTSIDE, rawOf } from './mailboxes.ts';
import { addAccount } from './open-account.ts';
import { confirmationMail, confirmSendAs } from './send-as.ts';
import type { Truth } from './truth.ts';
import type { World } from './world.ts';

/** What tests in the same process steer and read, in words of the domain. Unknown accounts throw a RangeError. */
export interface LocalGoogleHandle {
  faults: Faults;
  truth: Truth;
  accounts: {
    add(seed: AccountSeed): Account;
    get(email: string): Account;
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
  };
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
    accounts: {
      add: (seed) => addAccount(world, seed),
      get: known,
      changePassword: (email) => changePassword(world, known(email)),
      removeAccess: (email, clientId) =>
        world.grants.remove(known(email).sub, world.clients.get(clientId)?.project ?? clientId),
      expireRefreshTokens: (email, clientId) => world.grants.expireRefreshTokens(known(email).sub, clientId),
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
      setMailEnabled: (email, enabled) => {
        known(email).mailEnabled = enabled;
        world.save();
      },
    },
    mail: {
      messages: (email) => world.mail.all(known(email).email),
      outside: () => world.mail.all(OUTSIDE),
      raw: rawOf,
      receive: (raw, recipients) => receiveMessage(world, Buffer.from(raw), recipients),
    },
    setUnverified: (unverified) => {
      world.unverified = unverified;
    },
    approve,
  };
}

/** A new password: remembered with its time, and the end of every grant with a Gmail scope. */
export function changePassword(world: World, account: Account): void {
  account.passwordChangedAt = world.now();
  world.grants.passwordChanged(account.sub);
  world.save();
}

/** Adds (or replaces) an address to send as; a pending one gets its confirmation mail. */
export function addSendAs(world: World, account: Account, alias: SendAsSeed): SendAs {
  const entry = sendAsFromSeed(alias);
  account.sendAs = [...account.sendAs.filter((other) => other.email !== entry.email || other.isPrimary), entry];
  if (entry.status === 'pending') confirmationMail(world, account, entry);
  world.save();
  return entry;
}
