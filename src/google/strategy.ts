import type { Request } from 'express';
import { Strategy as GoogleStrategy, type StrategyOptionsWithRequest } from 'passport-google-oauth20';
import { z } from 'zod';
import type { GoogleApp } from './app.ts';
import { checkIdToken, type IdTokenClaims, splitScopes } from './oauth.ts';

/** What a finished consent brings: who it was and what they allowed. */
export interface Consent {
  readonly identity: IdTokenClaims;
  readonly accessToken: string;
  /** How long the access token lives from now on. */
  readonly expiresInMs: number;
  /** Null where no consent screen was shown: Google gives a refresh token only then. */
  readonly refreshToken: string | null;
  /** How long the refresh token lives from now on; null unless access was given for a limited time. */
  readonly endsInMs: number | null;
  /** Granted, not asked for: people untick boxes. */
  readonly scopes: readonly string[];
}

/** Keeps the states of consents that are under way; passport-oauth2 calls it with these arguments. */
export interface ConsentStore extends NonNullable<StrategyOptionsWithRequest['store']> {
  /** The nonce that went out with the consent this request brings back. */
  nonceOf(req: Request): string;
}

/**
 * passport-google-oauth20 with what it lacks: PKCE over a store of several pending states, a nonce, a
 * checked ID token and a time limit. Who it is comes from the ID token, so userinfo is not asked.
 *
 * @param name how passport calls it: one strategy signs people in, another connects mailboxes
 * @param callbackUrl exactly as registered with Google
 */
export function googleStrategy(app: GoogleApp, name: string, callbackUrl: string, store: ConsentStore): GoogleStrategy {
  const options: StrategyOptionsWithRequest = {
    clientID: app.clientId,
    clientSecret: app.clientSecret,
    callbackURL: callbackUrl,
    authorizationURL: app.endpoints.authorize,
    tokenURL: app.endpoints.token,
    userProfileURL: app.endpoints.userinfo,
    passReqToCallback: true,
    skipUserProfile: true,
    pkce: true,
    store,
  };
  type Done = (error: unknown, consent?: Consent) => void;
  const verify = (
    req: Request,
    access: string,
    refresh: string | undefined,
    params: unknown,
    _profile: unknown,
    done: Done,
  ) => {
    readConsent(app, store.nonceOf(req), access, refresh, params).then((consent) => done(null, consent), done);
  };
  const strategy = new CheckedGoogleStrategy(options, verify);
  strategy.name = name;
  strategy.limitTo(app.timeoutMs);
  return strategy;
}

const tokenParams = z.object({
  id_token: z.string(),
  expires_in: z.coerce.number(),
  refresh_token_expires_in: z.coerce.number().optional(),
  scope: z.string(),
});

async function readConsent(
  app: GoogleApp,
  nonce: string,
  accessToken: string,
  refreshToken: string | undefined,
  raw: unknown,
): Promise<Consent> {
  const params = tokenParams.parse(raw);
  return {
    identity: await checkIdToken(app, params.id_token, nonce),
    accessToken,
    expiresInMs: params.expires_in * 1000,
    refreshToken: refreshToken ?? null,
    endsInMs: params.refresh_token_expires_in ? params.refresh_token_expires_in * 1_000 : null,
    scopes: splitScopes(params.scope),
  };
}

type RequestCallback = (error: unknown, body?: string, response?: unknown) => void;

class CheckedGoogleStrategy extends GoogleStrategy {
  /** The library builds its own requests without a time limit; this replaces the one function that sends them. */
  limitTo(timeoutMs: number): void {
    const send = async (method: string, url: string, headers: Record<string, string>, body: string) => {
      const response = await fetch(url, { method, headers, body, signal: AbortSignal.timeout(timeoutMs) });
      return { response, text: await response.text() };
    };
    Object.assign(this._oauth2, {
      _request(
        method: string,
        url: string,
        headers: Record<string, string>,
        body: string,
        _token: unknown,
        callback: RequestCallback,
      ) {
        send(method, url, headers, body).then(({ response, text }) => {
          if (response.ok) callback(null, text, response);
          else callback({ statusCode: response.status, data: text });
        }, callback);
      },
    });
  }

  override authorizationParams(options: { nonce?: string }): object {
    return { ...super.authorizationParams(options), ...(options.nonce && { nonce: options.nonce }) };
  }
}
