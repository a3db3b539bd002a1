import { type SaidByGmail, saidByGmail } from './mailbox-trouble.ts';
import type { Ended, EndedReason } from './why-ended.ts';

/**
 * Where news of an ending comes from: `connection`: there is no token, or none is given any more; `gmail`: Gmail was asked
 * with a token, so the connection works; `told`: an event of Google's that ended this very connection, `later`: one that only
 * explains it. Events may arrive late and in any order.
 */
export type EndingSource = 'connection' | 'gmail' | 'told' | 'later';

/** A reason, and where it was heard. */
export interface Heard extends Ended {
  readonly from: EndingSource;
}

/** What an event explains better: what we had guessed, or could not know then. */
const explainedBy: Partial<Readonly<Record<EndedReason, readonly EndedReason[]>>> = {
  removed: ['revoked', 'was_disabled'],
  password_changed: ['revoked', 'removed', 'was_disabled'],
  account_disabled: ['revoked', 'removed', 'password_changed', 'was_disabled'],
  was_disabled: ['account_disabled'],
};

/**
 * Whether what is heard of a mailbox that cannot send replaces the reason that is known. Pure. The newest counts, unless
 * it says less; a numbered order, the first that fits:
 *
 * 1. The same again replaces nothing but a guess by certainty.
 * 2. The connection is over, and what is known is Gmail's word: that was about another state of things.
 * 3. Gmail was asked, so the connection works, and what is known of its end is over. Of two words of Gmail's the later
 *    counts, but one that names nothing takes no name away.
 * 4. An event replaces what it explains better.
 * 5. Else what is certain replaces what is known, and a guess replaces nothing.
 */
export function outweighs({ reason, sure, from }: Heard, known: Ended): boolean {
  if (reason === known.reason) return sure && !known.sure;
  const knownByGmail = known.sure && isSaidByGmail(known.reason);
  switch (from) {
    case 'gmail':
      return !(knownByGmail && reason === 'refused');
    case 'connection':
      return sure || knownByGmail;
    case 'told':
      return knownByGmail || explains(reason, known.reason);
    case 'later':
      return explains(reason, known.reason);
    default:
      return from satisfies never;
  }
}

function explains(reason: EndedReason, known: EndedReason): boolean {
  return explainedBy[reason]?.includes(known) ?? false;
}

/** Whether Gmail itself says so, rather than the connection being over. */
export function isSaidByGmail(reason: EndedReason): reason is SaidByGmail {
  return saidByGmail.some((said) => said === reason);
}
