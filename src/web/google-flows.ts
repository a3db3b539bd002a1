import { randomBytes } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import passport from 'passport';
import type pg from 'pg';
import type { GoogleApp } from '../google/app.ts';
import { type Consent, googleStrategy } from '../google/strategy.ts';
import { type Flow, PendingConsents, type Purpose } from './pending-consents.ts';

/** What came back from Google. */
export type FlowResult =
  | { readonly kind: 'consent'; readonly consent: Consent; readonly purpose: Purpose }
  /** The person said no, or Google did: `code` is Google's word. */
  | { readonly kind: 'refused'; readonly code: string; readonly purpose: Purpose }
  /** The state is not ours, was used before, or is too old. */
  | { readonly kind: 'lost' }
  /** The code could not be traded: Google's word, or that Google could not be reached. */
  | { readonly kind: 'failed'; readonly code: string; readonly error: unknown; readonly purpose: Purpose | undefined };

/** One way to Google and back. */
export interface GoogleFlow {
  /** Sends the person to Google. */
  begin(req: Request, res: Response, next: NextFunction, purpose: Purpose, options: BeginOptions): void;
  /** Reads the answer that the person brings back. Never throws for what Google or the person did. */
  finish(req: Request, res: Response): Promise<FlowResult>;
}

/** What to ask Google for. */
export interface BeginOptions {
  readonly scope: readonly string[];
  readonly prompt: 'select_account' | 'consent';
  readonly accessType: 'online' | 'offline';
  readonly loginHint?: string;
}

/**
 * The two flows, each with its own passport strategy, callback address and states. `connect` uses
 * passport's `authorize`: connecting accounts@ never signs anybody in as accounts@.
 *
 * @param pool the app's pool, for what is under way at Google
 */
export function googleFlows(
  app: GoogleApp,
  publicUrl: string,
  pool: pg.Pool,
): { signIn: GoogleFlow; connect: GoogleFlow } {
  const authenticator = new passport.Passport();
  return {
    signIn: flow(authenticator, app, pool, 'sign-in', `${publicUrl}${callbackPaths.signIn}`),
    connect: flow(authenticator, app, pool, 'connect', `${publicUrl}${callbackPaths.connect}`),
  };
}

/** Where Google sends people back to; both are registered with the OAuth client. */
export const callbackPaths = { signIn: '/sign-in/google/callback', connect: '/mailboxes/connection/callback' } as const;

function flow(
  authenticator: passport.Authenticator,
  app: GoogleApp,
  pool: pg.Pool,
  name: Flow,
  callbackUrl: string,
): GoogleFlow {
  const store = new PendingConsents(name, pool);
  authenticator.use(googleStrategy(app, name, callbackUrl, store));
  const run =
    name === 'connect' ? authenticator.authorize.bind(authenticator) : authenticator.authenticate.bind(authenticator);

  return {
    begin(req, res, next, purpose, { scope, prompt, accessType, loginHint }) {
      const nonce = randomBytes(16).toString('base64url');
      const state = { nonce, purpose };
      // The types know `state` as text; the library hands an object to the store and makes the text there.
      const options = {
        session: false,
        scope: [...scope],
        prompt,
        accessType,
        nonce,
        state,
        ...(loginHint && { loginHint }),
      };
      run(name, options as object)(req, res, next);
    },
    async finish(req, res) {
      if (req.query['error'] !== undefined) {
        const pending = await store.take(req, req.query['state']);
        return pending
          ? { kind: 'refused', code: String(req.query['error']), purpose: pending.purpose }
          : { kind: 'lost' };
      }
      if (typeof req.query['code'] !== 'string') return { kind: 'lost' };
      return new Promise((resolve) => {
        const done = (error: unknown, consent?: Consent | false | null) => {
          const purpose = store.purposeOf(req);
          // Whether Google takes our registration shows here, too.
          const refused = { kind: 'answered', status: 400, reason: codeOf(error), message: 'trading a code' } as const;
          app.hear?.('oauth', error ? refused : null);
          if (error) resolve({ kind: 'failed', code: codeOf(error), error, purpose });
          else if (consent && purpose) resolve({ kind: 'consent', consent, purpose });
          else resolve({ kind: 'lost' });
        };
        run(name, { session: false }, done)(req, res, done);
      });
    },
  };
}

/** `invalid_grant` and the like from the token endpoint; `id_token`; else that Google could not be reached. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unreachable';
}
