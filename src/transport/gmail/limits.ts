import type { TransportLimits } from '../transport.ts';
import { costOf, units } from './units.ts';

/** What Gmail takes of one account (docs/google.md, D). */
export const gmailLimits: TransportLimits = {
  costOf,
  roomForLooks: units.send + units.createDraft + units.readHeaders,
  // What Google allows people with a Gmail address of their own, and those of a Workspace.
  dailyLimit: (email) => (/@(gmail|googlemail)\.com$/i.test(email) ? 500 : 2_000),
};
