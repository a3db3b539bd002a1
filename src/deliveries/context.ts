import type { Logger } from 'pino';
import type { PdfRenderer } from '../documents/pdf/render.ts';
import type { Clock } from '../platform/clock.ts';
import type { JumpWatch } from '../platform/clock-jumps.ts';
import type { Database } from '../platform/database.ts';
import type { Queue } from '../platform/queue.ts';
import type { DatabaseWatch } from '../tenants/database-watch.ts';
import type { TransportContext, Transports } from '../transport/transport.ts';
import type { Pace } from './pacing.ts';

/** What the jobs need; built once by `main.ts`, or by a test. */
export interface DeliverContext extends Omit<TransportContext, 'purse'> {
  readonly db: Database;
  /** The cross-tenant pool; only for functions of `src/tenants/system*.ts`. */
  readonly system: Database;
  /** Whether that is the database we know; nothing leaves while it is not. */
  readonly database: DatabaseWatch;
  readonly queue: Queue;
  readonly pdf: PdfRenderer;
  readonly log: Logger;
  readonly clock: Clock;
  /** Whether that clock can be trusted to say how long ago something was. */
  readonly jumps: JumpWatch;
  /** Names this process in the attempts it makes. */
  readonly owner: string;
  /** How long one attempt may talk to a provider. */
  readonly sendDeadlineMs: number;
  /** How long after that a request may still be at work at the provider. */
  readonly settleMs: number;
  readonly pace: Pace;
  /** How mailboxes of each provider send. */
  readonly transports: Transports;
  /**
   * Whether the operator knows that Gmail refuses a second send of one draft: then a draft that is gone after our send
   * was written out was sent. Nobody outside Google has confirmed it, so it is false unless somebody did.
   */
  readonly draftsSendOnce: boolean;
}
