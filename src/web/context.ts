import type { Logger } from 'pino';
import type { Pace } from '../deliveries/pacing.ts';
import type { PdfRenderer } from '../documents/pdf/render.ts';
import type { UblReader } from '../documents/ubl/reader.ts';
import type { GoogleApp } from '../google/app.ts';
import type { AccessTokens } from '../mailboxes/access-token.ts';
import type { KeyFileReader } from '../mailboxes/key-file-reader.ts';
import type { Capability } from '../platform/capability.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { KeyRing } from '../platform/key-ring.ts';
import type { Queue } from '../platform/queue.ts';
import type { RateLimits } from '../platform/rate-limits.ts';
import type { DatabaseWatch } from '../tenants/database-watch.ts';
import type { Transports } from '../transport/transport.ts';

/** Everything the pages need; built once by `main.ts`, or by a test. */
export interface WebContext {
  /** The app's pool; reach tenant data through `inTenant`. */
  readonly db: Database;
  /** The cross-tenant pool; only for functions of `src/tenants/system.ts`. */
  readonly system: Database;
  readonly database: DatabaseWatch;
  readonly google: GoogleApp;
  /** What our Google app may ask people for; more is not offered on any page. */
  readonly offered: readonly Capability[];
  readonly keys: KeyRing;
  readonly tokens: AccessTokens;
  readonly queue: Queue;
  readonly pdf: PdfRenderer;
  readonly ubl: UblReader;
  readonly keyFiles: KeyFileReader;
  readonly log: Logger;
  readonly clock: Clock;
  /** Counts what people do, so that nobody floods others. */
  readonly limits: RateLimits;
  /** How many recipients a company may have a day; null for any number. */
  readonly recipientsPerDay: number | null;
  /** How fast deliveries leave, to foretell when they do. */
  readonly pace: Pace;
  /** How mailboxes of each provider send. */
  readonly transports: Transports;
  /** Our own origin, e.g. `https://letterhead.example`, without a slash at the end. */
  readonly publicUrl: string;
  /** Signs session cookies; the first signs, the others are still accepted. */
  readonly sessionSecrets: readonly string[];
  /** How many proxies in front to believe, for the client's address and protocol. */
  readonly trustProxy: number;
  /** Where the mail of Local Google can be read, when it runs; shown in the layout. */
  readonly localMailUrl?: string;
}
