/**
 * What a mailbox can be allowed to do, from the least on: send; try again safely by way of drafts; read Gmail's list
 * of send-as addresses; look at the headers of what was sent; read incoming mail. The configuration names them, and
 * `src/mailboxes/capabilities.ts` knows which permission of Google each one needs.
 */
export const capabilities = ['send', 'safe_retry', 'aliases', 'tracking', 'inbox'] as const;

/** One of {@link capabilities}. */
export type Capability = (typeof capabilities)[number];
