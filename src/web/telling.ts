import type { Objection } from '../deliveries/check-sender.ts';
import type { DeliverySummary } from '../deliveries/deliveries.ts';
import { departuresOf, type LeavesLater } from '../deliveries/departures.ts';
import { obstaclesOf } from '../deliveries/obstacles.ts';
import { type RecordNow, recordsNow } from '../deliveries/record-now.ts';
import { type Remedy, remedyOf } from '../deliveries/remedy.ts';
import type { Database } from '../platform/database.ts';
import type { WebContext } from './context.ts';
import { type MendWords, mendWords } from './mend-words.ts';
import { recordNowNote } from './record-now-words.ts';
import { pillOf } from './record-words.ts';
import { laterWords } from './released-words.ts';
import { type Headline, headlineOf } from './remedy-words.ts';
import type { Viewer } from './viewer.ts';
import { moment } from './words.ts';

/** What every page says of a delivery. */
export interface Telling extends Remedy {
  readonly pill: ReturnType<typeof pillOf>;
  /** Why it waits, failed or asks for somebody; when it leaves, where that is later. Null where the state says it all. */
  readonly headline: Headline | null;
  /** The button, or who can; null where there is nothing to be mended. */
  readonly mends: MendWords | null;
  /** What became of its record, where somebody is asked whether it was sent: to be known before it is sent again. */
  readonly record: RecordNow | null;
  /** The same in a line; null where nothing became of it. */
  readonly note: string | null;
}

/**
 * Reads what stands in the way of deliveries, and says of each why it stands where it stands and what may be done about
 * it: the same on every page.
 */
export async function tellingOf(
  trx: Database,
  { clock }: Pick<WebContext, 'clock'>,
  viewer: Viewer,
  deliveries: readonly DeliverySummary[],
): Promise<(delivery: DeliverySummary) => Telling> {
  const { tenantId } = viewer;
  const now = clock();
  const waiting = deliveries.filter(({ state }) => state === 'held' || state === 'queued').map(({ id }) => id);
  const obstacles = await obstaclesOf(trx, tenantId, waiting, now);
  const later = await departuresOf(trx, tenantId, waiting, now);
  const asked = deliveries.filter(({ state, heldReason }) => state === 'unconfirmed' || heldReason === 'restored');
  const records = await recordsNow(
    trx,
    tenantId,
    asked.map(({ id }) => id),
  );
  return (delivery) => {
    const { id } = delivery;
    const known = {
      hindrance: obstacles.get(id) ?? null,
      later: later.get(id) ?? null,
      record: records.get(id) ?? null,
    };
    return tell(delivery, known, viewer, now);
  };
}

function tell(
  delivery: DeliverySummary,
  {
    hindrance,
    later,
    record,
  }: { readonly hindrance: Objection | null; readonly later: LeavesLater | null; readonly record: RecordNow | null },
  viewer: Viewer,
  now: Date,
): Telling {
  const reader = { viewer, now };
  const remedy = remedyOf(delivery, hindrance, later, record);
  return {
    ...remedy,
    record,
    note: record && recordNowNote(record),
    pill: pillFor(delivery, remedy),
    headline:
      headlineOf(delivery, remedy, hindrance, reader) ??
      (later && {
        title: `Leaves ${moment(later.until, viewer.tenant.timeZone, now, viewer.locale)}`,
        more: laterWords(later),
      }),
    mends: mendWords(delivery, remedy, hindrance, reader),
  };
}

function pillFor(delivery: DeliverySummary, remedy: Remedy): ReturnType<typeof pillOf> {
  // What waits for its time is held by more than that.
  return isKept(delivery, remedy) ? { tone: 'held', word: 'Held' } : pillOf(delivery);
}

function isKept({ state, notBefore }: DeliverySummary, { waits }: Remedy): boolean {
  return waits?.kind === 'stays' && waits.why !== 'run_cancelled' && (state === 'queued' || notBefore !== null);
}
