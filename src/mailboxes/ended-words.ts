import type { Ended, EndedReason } from './why-ended.ts';

/** What to tell people about a connection that ended. */
export interface EndedWords {
  /** In front of the rest, without a stop: `office@… must be connected to Gmail again`, `office@… cannot send`. */
  readonly title: string;
  /** In a word, on a pill: `Needs reconnecting`, `Cannot send`. */
  readonly pill: string;
  /** After `until office@…`: `is connected to Gmail again`, `can send again`. */
  readonly until: string;
  /** The link or button beside it. */
  readonly remedy: 'Reconnect' | 'What to do';
  /** What happened: one sentence. “Most likely …” where Google did not say. */
  readonly what: string;
  /** What to do about it, and by whom. */
  readonly fix: string;
  /** Whether connecting again mends it, or something must happen elsewhere first. */
  readonly first: 'reconnect' | 'elsewhere';
}

/** Words for an ended connection: pages, the history and the notice by email say the same. */
export function endedWords({ reason, sure }: Ended, email: string): EndedWords {
  const { sentence, fix, first = 'reconnect' } = words(email)[reason];
  const what = sure ? capital(sentence) : `Most likely ${sentence}`;
  const standing = standings[first];
  return { ...standing, what, fix, first, title: `${email} ${standing.title}` };
}

/** How a mailbox stands that did end: the same words on every page, in lists, timelines and notices. */
const standings = {
  reconnect: {
    title: 'must be connected to Gmail again',
    ...({ pill: 'Needs reconnecting', until: 'is connected to Gmail again', remedy: 'Reconnect' } as const),
  },
  // To connect it again would not help: something else is to be done first, and `fix` says what.
  elsewhere: {
    title: 'cannot send',
    ...({ pill: 'Cannot send', until: 'can send again', remedy: 'What to do' } as const),
  },
} as const;

/** A kept reason as our own, `revoked` where it is none: rows may be older than this program. */
export function readReason(reason: string | null): EndedReason {
  const known: readonly string[] = Object.keys(words(''));
  return reason !== null && known.includes(reason) ? (reason as EndedReason) : 'revoked';
}

interface Words {
  /** Begins small unless with a name: “most likely” may stand in front. */
  readonly sentence: string;
  readonly fix: string;
  readonly first?: 'elsewhere';
}

function words(email: string): Readonly<Record<EndedReason, Words>> {
  return {
    revoked: {
      sentence: `somebody removed Letterhead’s access in the Google account ${email}, or its password was changed. Google does not say which.`,
      fix: 'Connect it again. Nothing else needs to be set up.',
    },
    removed: {
      sentence: `somebody removed Letterhead’s access in the Google account ${email}.`,
      fix: 'If that was a mistake, connect it again. If not, disconnect it here, too.',
    },
    password_changed: {
      sentence: `the password of ${email} was changed, and Google then ends every permission to send its mail.`,
      fix: 'Connect it again. This is needed once after each change of the password.',
    },
    testing_week: {
      sentence:
        'the app with which Letterhead was registered at Google is still in “Testing”: Google ends such permissions after seven days.',
      fix: 'Connect it again; that lasts for another seven days. Whoever runs Letterhead can end this by publishing the app (Google Auth Platform → Audience → Publish app).',
    },
    unused: {
      sentence: 'this connection was not used for six months, and Google ends such permissions.',
      fix: 'Connect it again. From then on Letterhead keeps it in use by itself.',
    },
    time_limit: {
      sentence: `the permission for ${email} was given for a limited time, and that time is over.`,
      fix: 'Connect it again. Google’s page says for how long; choose no limit there if it offers one.',
    },
    too_many: {
      sentence: `the Google account ${email} was connected to Letterhead more than a hundred times, and Google keeps only the newest hundred permissions.`,
      fix: 'Connect it again here. Where other companies or colleagues use the same Google account, connect each of those once only.',
    },
    admin_policy: {
      sentence: 'the administrator of your Google Workspace does not let Letterhead into Gmail.',
      fix: 'Ask your Google Workspace administrator to allow it (Admin console → Security → API controls → App access control) and to keep Gmail switched on for this account. Then press “Check now”, or connect it again.',
      first: 'elsewhere',
    },
    account_deleted: {
      sentence: `the Google account ${email} was deleted.`,
      fix: 'If it can be restored, do that first (your Google Workspace administrator, or accounts.google.com/signin/recovery), then connect it again. Otherwise connect another Gmail account and choose it as the sender.',
      first: 'elsewhere',
    },
    account_disabled: {
      sentence: `the Google account ${email} is disabled: by Google, or by your Google Workspace administrator.`,
      fix: 'Sign in at gmail.com with it and follow what Google says there, or ask your administrator. Then connect it again.',
      first: 'elsewhere',
    },
    was_disabled: {
      sentence: `the Google account ${email} was disabled for a time, and Google ended Letterhead’s access with that. The account is enabled again.`,
      fix: 'Connect it again.',
    },
    reauth: {
      sentence: `your Google Workspace wants ${email} to sign in again before apps go on.`,
      fix: 'Connect it again. If that happens often, your administrator can trust Letterhead (Admin console → Security → Google Cloud session control).',
    },
    missing_permission: {
      sentence: 'the permission to send email is missing.',
      fix: 'Connect it again and leave the box “Send email on your behalf” ticked.',
    },
    no_gmail: {
      sentence: `the Google account ${email} has no Gmail: mail is not switched on for it.`,
      fix: 'In a Google Workspace the administrator switches Gmail on for it (Admin console → Apps → Google Workspace → Gmail). Then press “Check now”. Otherwise connect an account that has Gmail and choose it as the sender.',
      first: 'elsewhere',
    },
    mailbox_suspended: {
      sentence: `the Gmail of ${email} is suspended: by Google, or by your Google Workspace administrator.`,
      fix: 'Sign in at gmail.com with it and follow what Google says there, or ask your administrator. Then press “Check now”.',
      first: 'elsewhere',
    },
    refused: {
      sentence: `Gmail does not let us into ${email} any more, and does not say why.`,
      fix: 'Sign in at gmail.com with this account and see whether it works there. Then connect it again.',
      first: 'elsewhere',
    },
    app_changed: {
      sentence:
        'whoever runs Letterhead registered it anew with Google, so that the old permission cannot be used any more. Nothing is wrong with your Google account.',
      fix: 'Connect it again, once.',
    },
    key_lost: {
      sentence:
        'whoever runs Letterhead lost the key that kept this connection safe. Nothing is wrong with your Google account.',
      fix: 'Connect it again.',
    },
    delegation_ended: {
      sentence: 'Google no longer lets Letterhead send as the people of your Google Workspace.',
      fix: 'An owner or admin can see why in Settings → Email → Google Workspace, and check again there. Until then, whoever needs to send can connect their own Gmail.',
      first: 'elsewhere',
    },
    no_such_person: {
      sentence: `your Google Workspace has no account ${email}, or it is suspended.`,
      fix: 'Ask your Google Workspace administrator. When the account is there again, an owner or admin presses “Check again” in Settings → Email → Google Workspace.',
      first: 'elsewhere',
    },
    other_person: {
      sentence: `the address ${email} belongs to another Google account by now than the one that signs in here.`,
      fix: 'Whoever has this address now signs in to Letterhead themselves. Or connect a Gmail of your own in Settings → Email.',
      first: 'elsewhere',
    },
  };
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
