import type { Sight, Via } from '../transport/transport.ts';

/** What is known of a delivery whose outcome is not: what its mailbox shows, and what we wrote down. */
export interface Evidence extends Pick<Sight, 'draft' | 'inSent'> {
  /** Whether the email went by way of a draft. */
  readonly via: Via;
  /** Whether the send itself may have gone out; before that, only a draft was made. */
  readonly sendBegun: boolean;
  /** The provider answered our send that the draft was gone: so it was not this send that took it. */
  readonly answeredGone: boolean;
  /** Whether a second send of one draft is known to be refused. */
  readonly draftsSendOnce: boolean;
}

/** What it means. `ask`: nobody but a person can tell. */
export type Verdict = 'sent' | 'not_sent' | 'edited' | 'deleted' | 'ask';

/**
 * Decides what became of an email from what the mailbox shows, after nothing can be under way any more. Pure; a numbered
 * order, the first that fits:
 *
 * 1. Our header is among the sent messages: sent.
 * 2. The send never went out: not sent.
 * 3. The draft is there as we made it: not sent, because Gmail removes a draft when it sends it.
 * 4. The draft is there and changed: not sent, and no longer what was previewed.
 * 5. The sent messages were looked through without finding it: not sent. If it had a draft, somebody deleted that.
 * 6. The draft is gone, our send may have taken it, and a second send of a draft is known to be refused: sent.
 * 7. Else only a person can tell.
 */
export function verdictOn(evidence: Evidence): Verdict {
  const { via, sendBegun, draft, inSent } = evidence;
  if (inSent === 'found') return 'sent';
  if (!sendBegun) return 'not_sent';
  if (draft === 'same') return 'not_sent';
  if (draft === 'edited') return 'edited';
  if (inSent === 'absent') return draft === 'gone' ? 'deleted' : 'not_sent';
  if (via === 'draft' && draft === 'gone' && !evidence.answeredGone && evidence.draftsSendOnce) return 'sent';
  return 'ask';
}
