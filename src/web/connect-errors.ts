import type { ConnectError } from '../mailboxes/connect-error.ts';
import { own } from '../platform/own.ts';
import { companyName } from './company-names.ts';
import { PageError } from './errors.ts';
import type { Viewer } from './viewer.ts';

const next = { href: '/settings/email', label: 'Back to the email settings' };

/**
 * Words for everything that can go wrong between pressing “Connect to Gmail” and being connected.
 *
 * @param connected the address of the mailbox that it was asked for, where that is connected and stays so
 */
export function consentError(
  kind: 'refused' | 'lost' | 'failed',
  code: string,
  connected: string | null = null,
): PageError {
  if (kind === 'lost') {
    return new PageError(400, 'state', {
      title: 'Not connected: this answer was used before',
      message:
        'This answer from Google was used before, or is older than half an hour. Nothing has changed. Press “Connect to Gmail” once more.',
      next,
    });
  }
  const words = own(google, code) ?? {
    title: 'Not connected: Google ended it',
    message: `Google ended the connection with the word “${code}”. Nothing has changed. Try again; if it stays, tell whoever runs Letterhead for you this word.`,
  };
  const status = kind === 'refused' ? 403 : 502;
  if (connected === null) return new PageError(status, code, { ...words, next });
  // What is said of connecting for the first time says nothing here.
  const message = code === 'access_denied' ? '' : words.message;
  return new PageError(status, code, { ...standing({ ...words, message }, connected), next });
}

/** The same trouble, said of a mailbox that is connected all along. */
function standing({ title, message }: { readonly title: string; readonly message: string }, connected: string) {
  return {
    title: title.replace(/^Not connected/, 'Nothing was switched on'),
    message: `${message.replace(' Nothing has changed.', '')} ${connected} stays connected and works as before.`.trim(),
  };
}

/** Google's error codes, at the consent page and at the token endpoint. */
const google: Record<string, { title: string; message: string }> = {
  access_denied: {
    title: 'Not connected: you said no at Google',
    message:
      'Nothing has changed. Letterhead can send from your Gmail only if you press “Continue” on Google’s page. It never reads your mail with this.',
  },
  admin_policy_enforced: {
    title: 'Not connected: your administrator does not allow it',
    message:
      'Your Google Workspace administrator restricts which apps may use Gmail. Ask them to trust Letterhead in the Admin console, under Security → API controls → App access control.',
  },
  org_internal: {
    title: 'Not connected: this account is outside the organisation',
    message:
      'This Letterhead only takes Google accounts of its own organisation. Choose an account of that organisation.',
  },
  invalid_grant: {
    title: 'Not connected: it took too long',
    message:
      'Google’s answer is good for a few minutes and once only. Nothing has changed. Press “Connect to Gmail” once more.',
  },
  invalid_client: {
    title: 'Not connected: Letterhead’s own access to Google is broken',
    message:
      'Google does not know this Letterhead: its client id or secret is wrong or was changed. There is nothing you can do; tell whoever runs Letterhead for you.',
  },
  deleted_client: {
    title: 'Not connected: Letterhead is no longer registered with Google',
    message:
      'Whoever runs Letterhead deleted its client in the Google Cloud console; they can restore it there. There is nothing you can do.',
  },
  invalid_request: {
    title: 'Not connected: Google did not accept what Letterhead asked for',
    message:
      'The mistake is in this Letterhead, not in your account. There is nothing you can do; tell whoever runs Letterhead for you the words “invalid_request”.',
  },
  disallowed_useragent: {
    title: 'Not connected: Google wants another browser',
    message:
      'Google lets nobody in from a browser inside another app. Nothing has changed. Open Letterhead in Chrome, Firefox, Safari or Edge and press “Connect to Gmail” there.',
  },
  redirect_uri_mismatch: {
    title: 'Not connected: this address is not registered with Google',
    message:
      'Whoever runs Letterhead must add this address to the redirect URIs of its Google client. There is nothing you can do.',
  },
  unreachable: {
    title: 'Not connected: Google could not be reached',
    message: 'Google did not answer, or had a problem of its own. Nothing has changed. Try again in a minute.',
  },
  id_token: {
    title: 'Not connected: Google’s answer could not be trusted',
    message:
      'Google’s word on who you are did not pass our checks. Nothing has changed. Try again; if it stays, the clock of this server may be wrong.',
  },
};

/**
 * Google said yes, and it was still not enough.
 *
 * @param connected as for {@link consentError}
 */
export function connectError(error: ConnectError, connected: string | null = null): PageError {
  const { code, email, expected } = error;
  const words = {
    send_not_granted: {
      title: 'Not connected: one box was left empty',
      message: `${email} was chosen, but the box “Send email on your behalf” was not ticked on Google’s page, so nothing could be sent. Nothing has changed. Connect again and tick it.`,
    },
    no_refresh_token: {
      title: 'Not connected: Google gave no lasting permission',
      message: `Google let us use ${email} only for an hour. Connect again; if it stays, remove Letterhead under “Third-party apps” in that Google account first.`,
    },
    other_account: {
      title: 'Not connected: that is another account',
      message: `You chose ${email} at Google, and this mailbox is ${expected}. Nothing has changed. Connect again and choose ${expected}.`,
    },
    personal_taken: {
      title: 'Not connected: you already have a Gmail of your own here',
      message: `${expected} is connected as your own Gmail. Disconnect it first, then connect ${email}.`,
    },
    mailbox_gone: {
      title: 'Not connected: the mailbox is gone',
      message: 'Somebody removed this mailbox meanwhile. Nothing has changed.',
    },
    not_allowed: {
      title: 'Not connected: you may not any more',
      message: `Your place in the company was changed while you were at Google, so ${email} was not connected. Ask an owner or admin of your company.`,
    },
  }[code];
  const said = connected === null ? words : standing(words, connected);
  return new PageError(code === 'no_refresh_token' ? 502 : 409, code, { ...said, next });
}

/**
 * The answer came to somebody who did not ask, or to another company than the one that was to have the mailbox.
 *
 * @param begunFor the company that the consent was begun for
 */
export function wrongViewer({ tenant, tenantId: own, memberships }: Viewer, begunFor: string | undefined): PageError {
  const named = (id: string | undefined): string | undefined => {
    const company = memberships.find(({ tenantId }) => tenantId === id);
    return company && companyName(company, memberships);
  };
  const other = named(begunFor);
  const here = named(own) ?? tenant.name;
  return new PageError(409, 'wrong_viewer', {
    title: 'Not connected: you changed company meanwhile',
    message: other
      ? `The mailbox was to belong to ${other}, and you have switched to ${here} since. Nothing has changed in either. Switch back to ${other} and press “Connect to Gmail” there, or press it here to connect it to ${here}.`
      : `The connection was begun for another company, or by another person. Nothing has changed. To connect a mailbox to ${tenant.name}, press “Connect to Gmail” here.`,
    next,
  });
}
