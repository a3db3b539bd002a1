import connectPgSimple from 'connect-pg-simple';
import type { Request, RequestHandler } from 'express';
import session from 'express-session';
import type pg from 'pg';
import type { ErrorWords } from './errors.ts';
import type { KeptForm } from './kept-fields.ts';

declare module 'express-session' {
  interface SessionData {
    /** Who is signed in. */
    personId: string;
    /** When they signed in, in milliseconds since 1970: a session can be ended from outside. */
    signedInAt: number;
    /** Which of their companies they look at. */
    tenantId: string;
    /** Tells this browser's consents that are under way at Google from those of others. */
    browser: string;
    /** A form that was sent when the session before had expired. */
    kept: KeptForm;
    /** A sentence for the next page. */
    notice: Notice;
    /** Why Google's last answer came to nothing, for a page whose address does not carry that answer. */
    googleAnswer: ErrorWords;
  }
}

/** Shown once, at the top of the next page. */
export interface Notice {
  readonly tone: 'ok' | 'wait' | 'fail';
  readonly text: string;
}

/** Signed in for this long after the last visit. */
const maxAgeMs = 14 * 86_400_000;

/** The session of somebody who is not signed in: as long as they may take at Google. */
const strangersAgeMs = 30 * 60_000;

/** Sessions in Postgres. The cookie is SameSite=Lax: Strict would be missing when Google sends people back. */
export function sessions(pool: pg.Pool, secrets: readonly string[], secure: boolean): RequestHandler {
  return session({
    name: secure ? '__Host-letterhead' : 'letterhead',
    secret: [...secrets],
    store: sessionStore(pool),
    resave: false,
    saveUninitialized: false,
    rolling: true,
    cookie: { httpOnly: true, sameSite: 'lax', secure, maxAge: strangersAgeMs, path: '/' },
  });
}

/** So many sessions are known to have been prolonged lately. */
const mostKnown = 10_000;

/**
 * The rows of sessions. Their end is put off when a twentieth of their time is gone, not with each request: a page that asks
 * every second how its email stands would write as often.
 *
 * @param now in milliseconds since 1970
 */
export function sessionStore(pool: pg.Pool, now: () => number = Date.now): session.Store {
  const prolonged = new Map<string, number>();
  class Store extends connectPgSimple(session) {
    override touch(id: string, data: session.SessionData, done?: () => void): void {
      if (now() - (prolonged.get(id) ?? 0) < (data.cookie.originalMaxAge ?? 0) / 20) {
        done?.();
        return;
      }
      prolonged.delete(id);
      prolonged.set(id, now());
      const oldest = prolonged.size > mostKnown ? prolonged.keys().next().value : undefined;
      if (oldest !== undefined) prolonged.delete(oldest);
      super.touch(id, data, done);
    }
  }
  return new Store({ pool, tableName: 'sessions', createTableIfMissing: false, pruneSessionInterval: false });
}

/** Begins a new session for a person. The old id ends, so that one planted before the sign-in is worth nothing. */
export async function signIn(req: Request, personId: string, now: Date): Promise<void> {
  // Another tab may still be at Google; its state must be there when it comes back.
  const { browser } = req.session;
  await forgetSession(req);
  req.session.cookie.maxAge = maxAgeMs;
  req.session.personId = personId;
  req.session.signedInAt = now.getTime();
  if (browser !== undefined) req.session.browser = browser;
  await saveSession(req);
}

/** Goes on without anybody signed in, in a session of another id. */
export function forgetSession(req: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    req.session.regenerate((error) => (error ? reject(error) : resolve()));
  });
}

/**
 * Answers without writing the session: a database that does not answer would hold up the page that says so. express-session
 * writes none whose id it does not know.
 */
export function leaveSession(req: Request): void {
  Reflect.set(req, 'sessionID', undefined);
}

/** Ends the session. */
export function signOut(req: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    req.session.destroy((error) => (error ? reject(error) : resolve()));
  });
}

/** Writes the session now: before a redirect, which may come back sooner than the write. */
export function saveSession(req: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    req.session.save((error) => (error ? reject(error) : resolve()));
  });
}

/** Leaves a sentence for the next page. */
export async function notify(req: Request, tone: Notice['tone'], text: string): Promise<void> {
  req.session.notice = { tone, text };
  await saveSession(req);
}
