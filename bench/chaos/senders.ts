import type { Capability } from '../../src/platform/capability.ts';

/** The sets of permissions, by the name that the result calls them. */
export const sets = {
  send: ['send'],
  '+safe_retry': ['send', 'safe_retry'],
  '+tracking': ['send', 'tracking'],
  all: ['send', 'safe_retry', 'tracking'],
} as const satisfies Record<string, readonly Capability[]>;

/** One of {@link sets}. */
export type SetName = keyof typeof sets;

/** A company with one mailbox. */
export interface Sender {
  readonly set: SetName;
  readonly email: string;
  readonly tenantId: string;
  readonly memberId: string;
  readonly mailboxId: string;
  /** As `deliveries.account`. */
  readonly account: string;
}
