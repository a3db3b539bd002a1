import type { Decision } from '../deliveries/decide.ts';
import type { DeliverySummary } from '../deliveries/deliveries.ts';
import type { DeliveryState } from '../platform/database-types.ts';

/** The buttons for what a person can decide. */
export const decisionWords: Record<Decision, string> = {
  send_again: 'It is not there: send again',
  mark_as_sent: 'It is there: mark as sent',
  send_now: 'Try again now',
  cancel: 'Cancel',
};

/** The next step beside a state that waits for somebody: a sentence, and where to go. */
export function nextStep(
  delivery: Pick<DeliverySummary, 'state' | 'heldReason' | 'id'>,
): { text: string; href: string; label: string } | null {
  const own = `/deliveries/${delivery.id}`;
  switch (delivery.state) {
    case 'held':
      switch (delivery.heldReason) {
        case 'mailbox_needs_reconnect':
          return { text: 'Gmail must be connected again', href: '/settings/email', label: 'Reconnect' };
        case 'mailbox_disconnected':
          return { text: 'The Gmail account was disconnected', href: '/settings/email', label: 'Connect' };
        case 'sender_changed':
          return { text: 'It would come from another address now', href: own, label: 'Look' };
        case 'sending_limit':
          return { text: 'Gmail’s daily limit is used up; it goes out by itself', href: own, label: 'Look' };
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

/** Whether a page that shows it should ask again. */
export function isMoving(state: DeliveryState): boolean {
  return state === 'queued' || state === 'sending';
}
