import { departuresOf } from '../deliveries/departures.ts';
import { obstaclesOf } from '../deliveries/obstacles.ts';
import type { Database } from '../platform/database.ts';
import type { DeliveryState } from '../platform/database-types.ts';
import type { WebContext } from './context.ts';
import type { Viewer } from './viewer.ts';
import { moment } from './words.ts';

/** An email as a list shows it. */
interface Listed {
  /** Null where the viewer may not see it. */
  readonly id: string | null;
  readonly state: DeliveryState;
  readonly heldReason: string | null;
  readonly notBefore: Date | null;
}

/** What is held for these leaves at its moment. */
const timed: readonly (string | null)[] = ['scheduled', 'outside_hours'];

/**
 * Says for a list when emails leave that wait for a moment in time: `leaves 1 Dec 20:03`; null for one that is about to
 * leave, or waits for anything else.
 */
export async function leavesOf(
  trx: Database,
  { clock }: Pick<WebContext, 'clock'>,
  { tenantId, tenant, locale }: Pick<Viewer, 'tenantId' | 'tenant' | 'locale'>,
  emails: readonly Listed[],
): Promise<(email: Listed) => string | null> {
  const now = clock();
  const idsOf = (fits: (email: Listed) => boolean) =>
    emails.flatMap((email) => (email.id !== null && fits(email) ? [email.id] : []));
  const departures = await departuresOf(
    trx,
    tenantId,
    idsOf(({ state }) => state === 'queued'),
    now,
  );
  const later = idsOf(({ id, heldReason }) => departures.has(id ?? '') || timed.includes(heldReason));
  // What something else keeps is promised nothing.
  const obstacles = await obstaclesOf(trx, tenantId, later, now);
  return ({ id, state, heldReason, notBefore }) => {
    const at =
      state === 'queued'
        ? departures.get(id ?? '')?.until
        : state === 'held' && timed.includes(heldReason)
          ? notBefore
          : null;
    return at && at > now && !obstacles.has(id ?? '') ? `leaves ${moment(at, tenant.timeZone, now, locale)}` : null;
  };
}
