import type { DocumentStatus } from '../documents/document.ts';

/** Why a record cannot be sent. */
export type Unsendable = 'draft' | 'cancelled' | 'paid';

/**
 * Whether a record that stands so may be sent: the one rule, for a single email, a run, and what is sent again. A draft is
 * not meant for anybody yet, and a cancelled record for nobody any more. What is paid, or settled, is sent only where
 * somebody says so: most of the time it was ticked by accident.
 *
 * @param thoughPaid somebody said so
 */
export function unsendable(status: DocumentStatus, thoughPaid: boolean): Unsendable | null {
  switch (status) {
    case 'draft':
    case 'cancelled':
      return status;
    case 'paid':
      return thoughPaid ? null : 'paid';
    case 'open':
    case 'accepted':
      return null;
    default:
      return status satisfies never;
  }
}

/** The move of an email whose record cannot be sent any more. */
export function cancelledWithRecord(because: Unsendable) {
  const detail =
    because === 'draft'
      ? 'Its record is a draft, so it does not leave.'
      : `Its record was ${because}, so it does not leave.`;
  return { to: 'cancelled', detail } as const;
}
