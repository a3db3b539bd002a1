import type { Capability } from '../../platform/capability.ts';

/** What Google charges for each request, in units of quota (docs/google.md, D; the last from its older table). */
export const units = { send: 100, createDraft: 10, readHeaders: 20, list: 5, deleteDraft: 10 } as const;

/**
 * What one delivery costs when all goes well: the send, the draft before it where retries are safe, the read-back after
 * it where sent messages may be looked at. What is asked besides (looks into Gmail) is charged when it is done.
 */
export function costOf(capabilities: readonly Capability[]): number {
  const draft = capabilities.includes('safe_retry') ? units.createDraft : 0;
  const proof = capabilities.includes('tracking') ? units.readHeaders : 0;
  return units.send + draft + proof;
}

/** So much must be free again before a look that was broken off is worth going on with. */
export const worthwhile = units.list + 20 * units.readHeaders;
