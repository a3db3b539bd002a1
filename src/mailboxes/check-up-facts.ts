import type { GoogleFailure } from '../google/errors.ts';
import type { RedirectVerdict } from '../google/identity.ts';
import type { Capability } from '../platform/capability.ts';
import type { MailboxState } from '../platform/database-types.ts';
import type { SendAsFacts } from './sender-facts.ts';
import type { Ended } from './why-ended.ts';

/** What came of one question to Google; never anything secret. */
export type Asked<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'failed'; readonly failure: GoogleFailure }
  /** There was nothing to ask with, nothing that the permissions allow, or Gmail wants us to wait. */
  | { readonly kind: 'not_asked'; readonly why: 'no_token' | 'no_permission' | 'standing_still' };

/** What came of renewing the token. */
export type TokenFacts =
  | { readonly kind: 'renewed' }
  | { readonly kind: 'ended'; readonly ended: Ended }
  | { readonly kind: 'disconnected' }
  /** The key that sealed it is not there. */
  | { readonly kind: 'sealed' }
  | { readonly kind: 'failed'; readonly failure: GoogleFailure };

/** A mailbox as our own rows have it. */
export interface CheckedMailbox {
  readonly email: string;
  readonly googleSub: string;
  readonly state: MailboxState;
  readonly delegated: boolean;
  readonly wanted: readonly Capability[];
  /** Granted at the last consent or refresh, in Google's spelling. */
  readonly scopes: readonly string[];
}

/** How a mailbox stands by what we hold ourselves to, after Google was asked. */
export interface StandingFacts {
  readonly state: MailboxState;
  readonly since: Date;
  /** Why it cannot send; null where nothing is known against it. */
  readonly ended: Ended | null;
  readonly pausedBy: string | null;
}

/** How the day of a mailbox stands. `used` is this company's part alone. */
export interface BudgetFacts {
  readonly used: number;
  readonly limit: number;
  readonly standsStill: {
    readonly until: Date;
    readonly reason: 'rate' | 'sending_limit' | 'trouble' | 'budget';
  } | null;
}

/** What is known of how long permissions last. */
export interface LifeFacts {
  /** When the consent was given; null without a grant. */
  readonly grantedAt: Date | null;
  /** When it ends by itself, where Google said so. */
  readonly endsAt: Date | null;
  /** Whether some grant of the same Google app was renewed when it was older than a week. */
  readonly appOutlivedAWeek: boolean;
  /** How long earlier connections of this mailbox lasted, in milliseconds, and as what each ended. */
  readonly lives: readonly { readonly ms: number; readonly reason: string | null }[];
}

/** Where people come from, and where Google sends them back to. */
export interface WayBackFacts {
  readonly publicUrl: string;
  /** The origin at which somebody opened the page; null where nobody did. */
  readonly openedAt: string | null;
  /** Whether our own address answered this machine; null where it was not tried. */
  readonly answers: boolean | null;
  readonly callbacks: readonly { readonly address: string; readonly verdict: RedirectVerdict | 'not_asked' }[];
}

/** Everything that a check-up gathered. */
export interface CheckUpFacts {
  readonly now: Date;
  readonly mailbox: CheckedMailbox;
  readonly standing: StandingFacts;
  readonly token: TokenFacts;
  /** Whose the token is, by userinfo or tokeninfo. */
  readonly owner: Asked<{ readonly sub: string; readonly email: string | null }>;
  /** What it may do, by tokeninfo. */
  readonly granted: Asked<readonly string[]>;
  /** Whether Gmail would take a message: it was given one for nobody. */
  readonly sending: Asked<null>;
  /** Whether Gmail let us read anything: the profile, or the list of addresses. */
  readonly reading: Asked<null>;
  /** Gmail's *Send mail as* list, just fetched. */
  readonly addresses: Asked<readonly SendAsFacts[]>;
  /** Addresses that Gmail did not keep on the From line, as a read-back showed. */
  readonly swaps: readonly { readonly email: string; readonly sentFrom: string }[];
  /** Rules of the company that send through this mailbox from a fixed address. */
  readonly rules: readonly { readonly words: string; readonly email: string }[];
  readonly budget: BudgetFacts;
  /** Our clock less Google's, in milliseconds; null where no answer told its time. */
  readonly skewMs: number | null;
  readonly wayBack: WayBackFacts;
  readonly life: LifeFacts;
}
