/** What programs use of Local Google: starting one, and the shapes that they hand to it or read from it. */
export type { SendAsSeed } from './accounts.ts';
export { approve } from './approve.ts';
export { Clock } from './clock.ts';
export { seededRandom } from './fault-effects.ts';
export type { FaultEffect, FaultRule } from './faults.ts';
export { type LocalGoogle, startLocalGoogle } from './local-google.ts';
export type { SecurityEventType } from './oauth/security-events.ts';
export type { AppPolicy, Unconfirmed } from './policies.ts';
export type { QuotaSettings } from './quotas/settings.ts';
export type { Accepted } from './truth.ts';
