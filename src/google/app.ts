import { OAuth2Client } from 'google-auth-library';
import { type Clock, passed, systemClock } from '../platform/clock.ts';
import type { GoogleEndpoints } from './endpoints.ts';
import type { GoogleFailure } from './errors.ts';

/** Which part of Google was asked: for tokens, or for mail. */
export type GoogleService = 'oauth' | 'gmail';

/** Hears how every call to Google went; null where it went well. Must not throw and must not keep anybody waiting. */
export type GoogleEar = (service: GoogleService, failure: GoogleFailure | null) => void;

/** Our registration with Google: one OAuth client, and where Google answers. */
export interface GoogleApp {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly endpoints: GoogleEndpoints;
  /** For every call to Google, in milliseconds; the library itself would wait forever. */
  readonly timeoutMs: number;
  /** By whose time the library waits before it asks again where asking twice does no harm; left out, the machine's. */
  readonly clock?: Clock;
  /** Hears how each call went, to notice what is wrong with the registration itself. */
  readonly hear?: GoogleEar;
}

/** The permissions we know how to use. */
export const scopes = {
  openid: 'openid',
  email: 'https://www.googleapis.com/auth/userinfo.email',
  profile: 'https://www.googleapis.com/auth/userinfo.profile',
  gmailSend: 'https://www.googleapis.com/auth/gmail.send',
  gmailCompose: 'https://www.googleapis.com/auth/gmail.compose',
  gmailMetadata: 'https://www.googleapis.com/auth/gmail.metadata',
  gmailReadonly: 'https://www.googleapis.com/auth/gmail.readonly',
  gmailModify: 'https://www.googleapis.com/auth/gmail.modify',
  gmailSettingsBasic: 'https://www.googleapis.com/auth/gmail.settings.basic',
} as const;

/** For a call that is made once, whatever happens: the library goes by these two, and either alone is not enough. */
export const once = { retry: false, retryConfig: { retry: 0 } } as const;

/** How the library is told to make a call once, and to give it up with the signal. */
type OnceInTime = typeof once & { readonly signal: AbortSignal; readonly timeout: 0 };

/**
 * Makes a call once, and gives it up when so many milliseconds of the app's clock have passed: what the caller has
 * written down as a deadline, and what the connection goes by, are one time.
 */
export async function onceWithin<T>(
  { clock = systemClock }: GoogleApp,
  ms: number,
  call: (options: OnceInTime) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const forget = clock.after(ms, () => over.abort(new DOMException('The time for it is over.', 'TimeoutError')));
  try {
    return await call({ ...once, signal: over.signal, timeout: 0 });
  } finally {
    forget();
  }
}

/**
 * An OAuth client of google-auth-library that talks to this app's endpoints, with a timeout.
 * It holds no tokens until it is given some. What the library repeats by itself (a GET, a token call; never a send) it
 * repeats by the app's clock.
 */
export function oauthClient(app: GoogleApp): OAuth2Client {
  const { endpoints, clock = systemClock } = app;
  return new OAuth2Client({
    clientId: app.clientId,
    clientSecret: app.clientSecret,
    transporterOptions: {
      timeout: app.timeoutMs,
      retryConfig: { retryBackoff: (_error, ms) => passed(clock, ms) },
    },
    endpoints: {
      oauth2AuthBaseUrl: endpoints.authorize,
      oauth2TokenUrl: endpoints.token,
      oauth2RevokeUrl: endpoints.revoke,
    },
  });
}
