import { type GoogleApp, oauthClient, once } from './app.ts';
import { GoogleError, type GoogleFailure, guarded } from './errors.ts';

/**
 * Whether Gmail would send for an access token, without sending anything: it is asked to send, and given no message.
 * There is nothing that it could send, whatever it makes of that; once everything else is in order it refuses with `'raw'
 * RFC822 payload message string … required`. (That it looks at permission, policy and mailbox first is how Google's
 * services work, and nowhere written down: where it does not, the probe says too little, and never sends.)
 *
 * @returns null when it would, else what Gmail said
 */
export async function probeSending(app: GoogleApp, accessToken: string): Promise<GoogleFailure | null> {
  try {
    await guarded(() =>
      oauthClient(app).transporter.request<unknown>({
        url: `${app.endpoints.gmailRoot}gmail/v1/users/me/messages/send`,
        method: 'POST',
        headers: { authorization: `Bearer ${accessToken}` },
        data: {},
        ...once,
      }),
    );
    return null;
  } catch (error) {
    if (!(error instanceof GoogleError)) throw error;
    const { failure } = error;
    const inOrder =
      failure.kind === 'answered' && failure.status === 400 && /\braw\b.*required/is.test(failure.message);
    return inOrder ? null : failure;
  }
}
