import { sql } from 'kysely';
import type { OperatorTrouble } from '../google/operator-trouble.ts';
import type { Database } from '../platform/database.ts';

/**
 * The operator's troubles as all processes see them: one row for each from its beginning to its end. They belong to no
 * tenant and are kept on the cross-tenant pool. Times are the product's clock's.
 */
export interface Trouble {
  readonly kind: OperatorTrouble;
  readonly clientId: string;
  /** Google's own words: status, reason, message. */
  readonly googleSaid: string;
  readonly times: number;
  readonly beganAt: Date;
  readonly lastAt: Date;
  readonly endedAt: Date | null;
}

/** While a trouble lasts, the operator hears of it this often; and one that is back so soon is the same. */
const periodMs = 3_600_000;

/**
 * Adds to a trouble, or begins one. Of all processes that notice it, one is told to alert.
 *
 * @returns `alert` where this call is the one: at its beginning, and once in each hour that it lasts
 */
export async function addToTrouble(
  system: Database,
  heard: Pick<Trouble, 'kind' | 'clientId' | 'googleSaid' | 'times'> & { readonly at: Date },
): Promise<{ alert: boolean; began: boolean; beganAt: Date; times: number }> {
  const { kind, clientId, times, at } = heard;
  const googleSaid = heard.googleSaid.slice(0, 300);
  const lately = new Date(at.getTime() - periodMs);
  const add = (ended: boolean) =>
    system
      .updateTable('operator_troubles')
      .set({
        times: sql<number>`times + ${times}`,
        last_at: at,
        google_said: googleSaid,
        ...(ended && { ended_at: null }),
      })
      .where('kind', '=', kind)
      .where('client_id', '=', clientId)
      .returning(['id', 'times', 'began_at as beganAt']);
  const addToOpen = () => add(false).where('ended_at', 'is', null).executeTakeFirst();
  const known =
    (await addToOpen()) ??
    (await add(true).where('id', '=', newest(kind, clientId)).where('ended_at', '>', lately).executeTakeFirst());
  if (!known) {
    const begun = await system
      .insertInto('operator_troubles')
      .values({
        ...{ kind, client_id: clientId, google_said: googleSaid, times },
        ...{ began_at: at, last_at: at, alerted_at: at },
      })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    const began = (begun.numInsertedOrUpdatedRows ?? 0n) > 0n;
    // Else another process was faster, and has alerted.
    if (!began) await addToOpen();
    return { alert: began, began, beganAt: at, times };
  }
  const { numUpdatedRows } = await system
    .updateTable('operator_troubles')
    .set({ alerted_at: at })
    .where('id', '=', known.id)
    .where('alerted_at', '<=', lately)
    .executeTakeFirst();
  return { ...known, alert: numUpdatedRows > 0n, began: false };
}

/** The latest trouble of a kind: the one that can be back. */
function newest(kind: OperatorTrouble, clientId: string) {
  return sql<string>`(select max(id) from operator_troubles where kind = ${kind} and client_id = ${clientId})`;
}

/** Writes that troubles are over. Returns those that this call ended. */
export function endTroubles(
  system: Database,
  clientId: string,
  kinds: readonly OperatorTrouble[],
  at: Date,
): Promise<{ kind: OperatorTrouble; beganAt: Date }[]> {
  return system
    .updateTable('operator_troubles')
    .set({ ended_at: at })
    .where('client_id', '=', clientId)
    .where('kind', 'in', [...kinds])
    .where('ended_at', 'is', null)
    .returning(['kind', 'began_at as beganAt'])
    .execute();
}

/** Ends what was last heard of another client a while ago: it is not used any more. */
export async function endTroublesOfOthers(system: Database, clientId: string, at: Date): Promise<void> {
  await system
    .updateTable('operator_troubles')
    .set({ ended_at: at })
    .where('client_id', '<>', clientId)
    .where('ended_at', 'is', null)
    .where('last_at', '<', new Date(at.getTime() - periodMs))
    .execute();
}

/** The troubles of one OAuth client that last. */
export function openTroubles(system: Database, clientId: string): Promise<Trouble[]> {
  return select(system).where('client_id', '=', clientId).where('ended_at', 'is', null).execute();
}

/** Every trouble that lasts, of whatever client, and those that ended since, newest first; at most 100. */
export function recentTroubles(system: Database, since: Date): Promise<Trouble[]> {
  return select(system)
    .where((where) => where.or([where('ended_at', 'is', null), where('ended_at', '>', since)]))
    .orderBy('id', 'desc')
    .limit(100)
    .execute();
}

function select(system: Database) {
  return system
    .selectFrom('operator_troubles')
    .select([
      'kind',
      'client_id as clientId',
      'google_said as googleSaid',
      'times',
      'began_at as beganAt',
      'last_at as lastAt',
      'ended_at as endedAt',
    ]);
}
