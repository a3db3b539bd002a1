import type { Trouble } from '../mailboxes/delegate.ts';
import type { Reach, Troubled } from '../mailboxes/delegation-reach.ts';
import type { Delegation } from '../mailboxes/delegations.ts';
import { number } from './run-words.ts';

/** What keeps a delegation from working, for whoever looks after it. */
export interface TroubleWords {
  readonly what: string;
  readonly fix: string;
  /** What mends it on this page: authorising it in the Admin console, or another key file. */
  readonly mend: 'authorise' | 'key_file' | 'elsewhere';
}

/** Words for each trouble: what happened, what to do. */
export function troubleWords(trouble: Trouble | 'key_lost', domain: string, voucher: string): TroubleWords {
  return words(domain, voucher)[trouble];
}

/** A kept reason of a delegation as one of ours; the most frequent one where it is none. */
export function readTrouble(reason: string | null): Trouble | 'key_lost' {
  const known: readonly string[] = Object.keys(words('', ''));
  return reason !== null && known.includes(reason) ? (reason as Trouble | 'key_lost') : 'not_authorized';
}

function words(domain: string, voucher: string): Readonly<Record<Trouble | 'key_lost', TroubleWords>> {
  return {
    not_authorized: {
      what: `The Google Workspace of ${domain} does not let this service account send as its people.`,
      fix: 'An administrator of your Google Workspace allows it once, as described below. Google can take some minutes to take it in, and up to a day.',
      mend: 'authorise',
    },
    key_refused: {
      what: 'Google does not take this key any more: the service account, or this key of it, was deleted or disabled.',
      fix: 'Make a new key for the service account in Google Cloud and give its file below.',
      mend: 'key_file',
    },
    key_lost: {
      what: 'Whoever runs Letterhead lost the key that kept this file safe, so it can no longer be read.',
      fix: 'Give the key file again below. Nothing needs to be changed at Google.',
      mend: 'key_file',
    },
    person_unknown: {
      what: `The Google Workspace of ${domain} has no account ${voucher}, or it is suspended.`,
      fix: 'Somebody else who is an owner or admin here, with an account in that Workspace, can press “Check again”.',
      mend: 'elsewhere',
    },
    other_person: {
      what: `Google says that ${voucher} is another account than the one you have signed in with.`,
      fix: 'Sign out, sign in again with that address, and press “Check again”.',
      mend: 'elsewhere',
    },
    clock: {
      what: 'The clock of the computer that Letterhead runs on is wrong, and Google does not accept that.',
      fix: 'Whoever runs Letterhead sets it. Then press “Check again”.',
      mend: 'elsewhere',
    },
    api_disabled: {
      what: 'The Gmail API is not enabled in the Google Cloud project that this service account belongs to.',
      fix: 'In Google Cloud, choose that project, open APIs & Services → Library → Gmail API and press Enable. After some minutes press “Check again”.',
      mend: 'elsewhere',
    },
    apps_blocked: {
      what: `The administrator of ${domain} does not let apps into Gmail.`,
      fix: 'Ask your Google Workspace administrator to allow it: Admin console → Security → Access and data control → API controls. Then press “Check again”.',
      mend: 'elsewhere',
    },
  };
}

/** Why a member cannot be sent as, after their name. */
export function troubledWords({ why, email }: Troubled): string {
  switch (why) {
    case 'not_seen':
      return 'has to sign in here once more, so that Google says who they are.';
    case 'not_managed':
      return `signs in with a Google account that no Workspace manages, although it is called ${email}.`;
    case 'no_such_person':
      return `has no account ${email} in your Workspace, or it is suspended.`;
    case 'other_person':
      return `signs in with another account than the one that ${email} is now.`;
    case 'other':
      return 'has an account that Google does not let us into just now.';
    default:
      return why satisfies never;
  }
}

/** `3 members are sent as this way; 1 has a Gmail of their own connected, which goes first.` */
export function reachWords({ byWorkspace, own }: Reach, locale: string): string {
  const way =
    byWorkspace === 0
      ? 'Nobody is sent as this way yet'
      : `${byWorkspace === 1 ? '1 member is' : `${number(byWorkspace, locale)} members are`} sent as this way`;
  const owns =
    own === 0
      ? ''
      : `; ${own === 1 ? '1 has' : `${number(own, locale)} have`} a Gmail of their own connected, which goes first`;
  return `${way}${owns}.`;
}

/** The word and tone of a delegation's state. */
export function stateWords({ state }: Pick<Delegation, 'state'>): { readonly label: string; readonly tone: string } {
  switch (state) {
    case 'active':
      return { label: 'Works', tone: 'ok' };
    case 'waiting':
      return { label: 'Waits for your administrator', tone: 'wait' };
    case 'ended':
      return { label: 'Needs attention', tone: 'fail' };
    default:
      return state satisfies never;
  }
}
