import { OAuth2Client } from 'google-auth-library';
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

/**
 * An OAuth client of google-auth-library that talks to this app's endpoints, with a timeout.
 * It holds no tokens until it is given some.
 */
export function oauthClient(app: GoogleApp): OAuth2Client {
  const { endpoints } = app;
  return new OAuth2Client({
    clientId: app.clientId,
    clientSecret: app.clientSecret,
    transporterOptions: { timeout: app.timeoutMs },
    endpoints: {
      oauth2AuthBaseUrl: endpoints.authorize,
      oauth2TokenUrl: endpoints.token,
      oauth2RevokeUrl: endpoints.revoke,
    },
  });
}
