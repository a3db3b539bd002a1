import { createHash, randomInt } from 'node:crypto';

/** How a test or the demo describes a Google account; everything else is derived from it. */
export interface AccountSeed {
  email: string;
  /** The person's or company's name as Google knows it. */
  name: string;
  /** Workspace domain. Left out: the address' own domain, and none for gmail.com. `null`: a consumer account. */
  hd?: string | null;
  sendAs?: readonly SendAsSeed[];
  /** false: a Google account without a Gmail mailbox; the API answers 400 failedPrecondition. */
  mailEnabled?: boolean;
}

/** `none` is a valid Workspace alias whose entry has no `verificationStatus` at all (docs/google.md, fact 11). */
export interface SendAsSeed {
  email: string;
  name?: string;
  status: 'accepted' | 'pending' | 'none';
  replyTo?: string;
  isDefault?: boolean;
}

export interface SendAs {
  email: string;
  name: string;
  replyTo: string;
  signature: string;
  isPrimary: boolean;
  isDefault: boolean;
  treatAsAlias: boolean;
  status: 'accepted' | 'pending' | null;
  /** The code of the confirmation mail while the entry is pending. */
  code: string | null;
}

export interface Account {
  sub: string;
  email: string;
  name: string;
  hd: string | null;
  mailEnabled: boolean;
  /** A disabled account may come back with all it had; a deleted one is only remembered. */
  state: 'active' | 'disabled' | 'deleted';
  passwordChangedAt: number | null;
  sendAs: SendAs[];
}

/** The three mailboxes a demo starts with: one shared with an accepted and a pending alias, and two personal ones. */
export const demoAccounts: readonly AccountSeed[] = [
  {
    email: 'office@brightwater.example',
    name: 'Brightwater Joinery',
    sendAs: [
      { email: 'accounts@brightwater.example', name: 'Accounts, Brightwater', status: 'accepted' },
      { email: 'sales@brightwater.example', name: 'Sales, Brightwater', status: 'pending' },
    ],
  },
  { email: 'dana@brightwater.example', name: 'Dana Reyes' },
  { email: 'mira@northgate.example', name: 'Mira Okafor' },
];

/** Lower case and trimmed: how addresses are compared everywhere here. */
export function sameAddress(address: string): string {
  return address.trim().toLowerCase();
}

/**
 * A whole account from its seed. The `sub` follows from the address, so a fresh start knows the same person again; one
 * opened anew after `deletions` earlier ones is somebody else, as at Google.
 */
export function accountFromSeed(seed: AccountSeed, deletions = 0): Account {
  const email = sameAddress(seed.email);
  const domain = email.slice(email.indexOf('@') + 1);
  const consumer = domain === 'gmail.com' || domain === 'googlemail.com';
  const aliases = (seed.sendAs ?? []).map(sendAsFromSeed);
  const primary: SendAs = {
    email,
    name: seed.name,
    replyTo: '',
    signature: '',
    isPrimary: true,
    isDefault: !aliases.some((alias) => alias.isDefault),
    treatAsAlias: false,
    status: null,
    code: null,
  };
  return {
    sub: subjectOf(deletions === 0 ? email : `${email} ${deletions}`),
    email,
    name: seed.name,
    hd: seed.hd === undefined ? (consumer ? null : domain) : seed.hd,
    mailEnabled: seed.mailEnabled ?? true,
    state: 'active',
    passwordChangedAt: null,
    sendAs: [primary, ...aliases],
  };
}

/** An alias entry; a pending one gets the nine-digit code that its confirmation mail carries. */
export function sendAsFromSeed(seed: SendAsSeed): SendAs {
  return {
    email: sameAddress(seed.email),
    name: seed.name ?? '',
    replyTo: seed.replyTo ?? '',
    signature: '',
    isPrimary: false,
    isDefault: seed.isDefault ?? false,
    treatAsAlias: true,
    status: seed.status === 'none' ? null : seed.status,
    code: seed.status === 'pending' ? String(randomInt(100_000_000, 1_000_000_000)) : null,
  };
}

/** A 21-digit subject such as Google's, always the same for the same address. */
function subjectOf(email: string): string {
  const digits = BigInt(`0x${createHash('sha256').update(email).digest('hex').slice(0, 20)}`).toString();
  return `1${digits.padStart(20, '0').slice(-20)}`;
}

/** Every Google account of this Local Google, found by address or subject. */
export class Accounts {
  #byEmail = new Map<string, Account>();
  #bySub = new Map<string, Account>();
  #deleted: Account[] = [];

  put(account: Account): Account {
    if (account.state === 'deleted') {
      this.#deleted.push(account);
      return account;
    }
    this.#byEmail.set(account.email, account);
    this.#bySub.set(account.sub, account);
    return account;
  }

  /** Forgets an account but for its name and subject. */
  remove(account: Account): void {
    account.state = 'deleted';
    this.#byEmail.delete(account.email);
    this.#bySub.delete(account.sub);
    this.#deleted.push(account);
  }

  /** Deleted accounts, oldest first. */
  deleted(): readonly Account[] {
    return this.#deleted;
  }

  /** How many accounts of this address were deleted. */
  deletionsOf(email: string): number {
    return this.#deleted.filter((account) => account.email === sameAddress(email)).length;
  }

  all(): Account[] {
    return [...this.#byEmail.values()];
  }

  byEmail(email: string): Account | undefined {
    return this.#byEmail.get(sameAddress(email));
  }

  bySub(sub: string): Account | undefined {
    return this.#bySub.get(sub);
  }

  /** The account whose mailbox an address reaches: its own, or an alias in its own domain. undefined: the outside world. */
  receiving(address: string): Account | undefined {
    const wanted = sameAddress(address);
    const own = this.#byEmail.get(wanted);
    if (own) return own;
    const domain = wanted.slice(wanted.indexOf('@') + 1);
    return this.all().find(
      (account) => account.hd === domain && account.sendAs.some((entry) => entry.email === wanted),
    );
  }
}
