import type { Database } from '../platform/database.ts';
import { type SendingHours, sendingHoursSchema } from './sending-hours.ts';

/** When a company's emails leave, as it set that itself. */
export interface SendingRules {
  /** For how long a single email can be taken back after Send was pressed; 0 lets it leave at once. */
  readonly undoSeconds: number;
  /** Null: at any hour. */
  readonly hours: SendingHours | null;
  /** The clock that the hours are read on. */
  readonly timeZone: string;
}

/** Reads a tenant's rules. */
export async function sendingRulesOf(db: Database, tenantId: string): Promise<SendingRules> {
  const row = await db
    .selectFrom('tenants')
    .select(['undo_seconds', 'sending_hours', 'time_zone'])
    .where('id', '=', tenantId)
    .executeTakeFirstOrThrow();
  return { undoSeconds: row.undo_seconds, hours: readHours(row.sending_hours), timeZone: row.time_zone };
}

/** Sets them; the time zone is the company's own and is set elsewhere. */
export async function setSendingRules(
  db: Database,
  tenantId: string,
  { undoSeconds, hours }: Pick<SendingRules, 'undoSeconds' | 'hours'>,
): Promise<void> {
  await db
    .updateTable('tenants')
    .set({ undo_seconds: undoSeconds, sending_hours: hours === null ? null : JSON.stringify(hours) })
    .where('id', '=', tenantId)
    .execute();
}

/** Sending hours as a row holds them. */
export function readHours(column: unknown): SendingHours | null {
  return sendingHoursSchema.nullable().parse(column);
}
