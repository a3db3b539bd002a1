import { type GoogleApp, oauthClient, once } from './app.ts';
import { GoogleError, type GoogleFailure, guarded } from './errors.ts';

/**
 * Whether Gmail would send for an access token, without sending anything: it is given a message that goes to nobody,
 * which Gmail refuses with `Recipient address required` once everything else is in order.
 *
 * @returns null when it would, else what Gmail said
 */
export async function probeSending(app: GoogleApp, accessToken: string): Promise<GoogleFailure | null> {
  const raw = Buffer.from('Subject: Can mail be sent?\r\n\r\n').toString('base64url');
  try {
    await guarded(() =>
      oauthClient(app).transporter.request<unknown>({
        url: `${app.endpoints.gmailRoot}gmail/v1/users/me/messages/send`,
        method: 'POST',
        headers: { authorization: `Bearer ${accessToken}` },
        data: { raw },
        ...once,
      }),
    );
    return null;
  } catch (error) {
    if (!(error instanceof GoogleError)) throw error;
    const { failure } = error;
    const inOrder = failure.kind === 'answered' && failure.status === 400 && /recipient/i.test(failure.message);
    return inOrder ? null : failure;
  }
}
