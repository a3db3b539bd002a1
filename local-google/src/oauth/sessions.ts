import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Account, Accounts } from '../accounts.ts';

const COOKIE = 'local_google_session';

/** Who is signed in to Local Google in which browser. Lax: the app lives on another site and links here. */
export class Sessions {
  #sessions = new Map<string, Set<string>>();
  #accounts: Accounts;

  constructor(accounts: Accounts) {
    this.#accounts = accounts;
  }

  /** The accounts signed in in this browser, in the order in which they came. */
  signedIn(req: Request): Account[] {
    const subs = this.#sessions.get(cookieOf(req) ?? '') ?? new Set();
    return [...subs].flatMap((sub) => this.#accounts.bySub(sub) ?? []);
  }

  signIn(req: Request, res: Response, account: Account): void {
    const known = cookieOf(req);
    const subs = known === undefined ? undefined : this.#sessions.get(known);
    if (subs) {
      subs.add(account.sub);
      return;
    }
    const id = randomUUID();
    this.#sessions.set(id, new Set([account.sub]));
    res.cookie(COOKIE, id, { httpOnly: true, sameSite: 'lax', path: '/' });
  }

  signOut(req: Request, res: Response): void {
    this.#sessions.delete(cookieOf(req) ?? '');
    res.clearCookie(COOKIE, { httpOnly: true, sameSite: 'lax', path: '/' });
  }
}

function cookieOf(req: Request): string | undefined {
  for (const pair of (req.headers.cookie ?? '').split(';')) {
    const [name, value] = pair.trim().split('=');
    if (name === COOKIE) return value;
  }
  return undefined;
}
