import type { Decision } from '../deliveries/decide.ts';
import type { DeliverySummary } from '../deliveries/deliveries.ts';

/** The buttons for what a person can decide. */
export const decisionWords: Record<Decision, string> = {
  send_again: 'It is not there: send again',
  mark_as_sent: 'It is there: mark as sent',
  send_now: 'Try again now',
  cancel: 'Cancel',
};

/** The next step beside a state that waits for somebody: a sentence, and where to go. */
export function nextStep(
  delivery: Pick<DeliverySummary, 'state' | 'heldReason' | 'id' | 'runId'>,
): { text: string; href: string; label: string } | null {
  const own = `/deliveries/${delivery.id}`;
  switch (delivery.state) {
    case 'held':
      switch (delivery.heldReason) {
        case 'mailbox_needs_reconnect':
          return { text: 'Gmail must be connected again', href: '/settings/email', label: 'Reconnect' };
        case 'mailbox_paused':
          return { text: 'The Gmail account is paused', href: '/settings/email', label: 'Resume' };
        case 'mailbox_disconnected':
          return { text: 'The Gmail account was disconnected', href: '/settings/email', label: 'Connect' };
        case 'waited_too_long':
          return { text: 'It waited too long to go out by itself', href: own, label: 'Decide' };
        case 'sender_changed':
          return { text: 'It would come from another address now', href: own, label: 'Look' };
        case 'not_allowed':
          return { text: 'Whoever sent it may not send it any more', href: own, label: 'Look' };
        case 'sending_limit':
          return { text: 'Gmail’s daily limit is used up; it goes out by itself', href: own, label: 'Look' };
        case 'run_paused':
          return { text: 'Its run is paused', href: delivery.runId ? `/runs/${delivery.runId}` : own, label: 'Look' };
        default:
          return { text: 'Google is in trouble; it goes out by itself', href: own, label: 'Look' };
      }
    case 'unconfirmed':
      return { text: 'Gmail may have sent it', href: own, label: 'Decide' };
    case 'failed':
      return { text: 'Gmail refused it', href: own, label: 'See why' };
    case 'queued':
    case 'sending':
    case 'sent':
    case 'cancelled':
      return null;
    default:
      return delivery.state satisfies never;
  }
}

/** What the state means, as a sentence. `at` says an instant in the company's time zone. */
export function stateSentence(
  delivery: Pick<DeliverySummary, 'state' | 'notBefore'>,
  at: (date: Date) => string,
): string {
  const { state, notBefore } = delivery;
  switch (state) {
    case 'queued':
      return isAhead(notBefore) ? `It is tried again at ${at(notBefore)}.` : 'It is about to leave.';
    case 'sending':
      return 'It is being handed to Gmail.';
    case 'sent':
      return 'Gmail accepted it.';
    case 'held':
      return notBefore ? `It waits, and goes on by itself at ${at(notBefore)}.` : 'It waits, and nothing is lost.';
    case 'failed':
      return 'It was not sent.';
    case 'unconfirmed':
      return 'Gmail may have sent it; its answer never arrived. Look in Gmail’s Sent folder, then say what you found.';
    case 'cancelled':
      return 'It was cancelled before it left.';
    default:
      return state satisfies never;
  }
}

/** How soon a page that shows it should ask again, in htmx's words; null when nothing moves by itself any more. */
export function askAgain({ state, notBefore }: Pick<DeliverySummary, 'state' | 'notBefore'>): string | null {
  if (state === 'held') return notBefore ? '10s' : null;
  if (state !== 'queued' && state !== 'sending') return null;
  return isAhead(notBefore) && notBefore.getTime() - Date.now() > 20_000 ? '10s' : '1s';
}

function isAhead(date: Date | null): date is Date {
  return date !== null && date.getTime() > Date.now();
}
