import type { SaidByGmail } from '../mailboxes/mailbox-trouble.ts';

/** What came back from a provider that did not take an email, or did not answer, as plain data. */
export type TransportFailure =
  /** It answered. `reason` is its own word for it, `message` its own sentence. */
  | { readonly kind: 'answered'; readonly status: number; readonly reason: string; readonly message: string }
  /** The request never left. */
  | { readonly kind: 'not_sent'; readonly code: string; readonly message: string }
  /** The connection was lost or timed out after the request may have left. */
  | { readonly kind: 'lost'; readonly code: string; readonly message: string };

/** Why a provider makes a delivery wait: a part of the reasons for which one is held (src/deliveries/state.ts). */
export type WaitsFor = 'mailbox_needs_reconnect' | 'sending_limit' | 'operator' | 'draft_edited';

/**
 * What a failed send means for the delivery.
 *
 * - `retry`: nothing was sent; try again at `at`. `newPermit` where the permit was refused.
 * - `hold`: nothing was sent; wait for a person, or until `until`. `reconnect` where the mailbox itself is cut off.
 * - `refuse`: nothing was sent, and trying again would not help.
 * - `unknown`: it may have been sent. Never tried again without somebody looking.
 */
export type Outcome =
  | {
      readonly kind: 'retry';
      readonly at: Date;
      readonly newPermit: boolean;
      /** The provider asks the whole account to slow down, not only this delivery. */
      readonly slowDown: boolean;
      readonly words: string;
    }
  | {
      readonly kind: 'hold';
      readonly reason: WaitsFor;
      readonly until: Date | null;
      readonly reconnect: SaidByGmail | null;
      readonly words: string;
    }
  | { readonly kind: 'refuse'; readonly words: string }
  | { readonly kind: 'unknown'; readonly words: string };

/** What came before a failure. */
export interface Tried {
  /** How many attempts this delivery has had, this one included; spaces the retries. */
  readonly attempts: number;
  /** How many attempts before this one were refused for their permit since the mailbox was connected. */
  readonly permitsRefused: number;
}

/** A request of its own, such as a look: nothing was tried before. */
export const firstTry: Tried = { attempts: 1, permitsRefused: 0 };

/** Whatever it was about: where a draft cannot be made, nothing is in doubt, and the provider is in trouble all the same. */
export function gaveNoAnswer(failure: TransportFailure): boolean {
  return failure.kind === 'lost' || (failure.kind === 'answered' && (failure.status >= 500 || failure.status < 400));
}
