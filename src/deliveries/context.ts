import type { Logger } from 'pino';
import type { GoogleApp } from '../google/app.ts';
import type { AccessTokens } from '../mailboxes/access-token.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { Queue } from '../platform/queue.ts';

/** What the job needs; built once by `main.ts`, or by a test. */
export interface DeliverContext {
  readonly db: Database;
  readonly google: GoogleApp;
  readonly tokens: AccessTokens;
  readonly queue: Queue;
  readonly log: Logger;
  readonly clock: Clock;
  /** Names this process in the attempts it makes. */
  readonly owner: string;
  /** How long one attempt may talk to Gmail. */
  readonly sendDeadlineMs: number;
  /** How long after that a request may still be at work inside Google. */
  readonly settleMs: number;
}
