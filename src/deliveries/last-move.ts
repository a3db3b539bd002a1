import type { Database } from '../platform/database.ts';

/** When a delivery moved last, and which member moved it; null where Letterhead did by itself. */
export interface LastMove {
  readonly at: Date;
  readonly by: { readonly memberId: string; readonly name: string } | null;
}

/** The last move of a delivery; undefined where the tenant has none with that id. */
export async function lastMove(db: Database, tenantId: string, deliveryId: string): Promise<LastMove | undefined> {
  const row = await db
    .selectFrom('delivery_events')
    .leftJoin('members', 'members.id', 'delivery_events.member_id')
    .select(['delivery_events.at', 'members.id as memberId', 'members.name'])
    .where('delivery_events.tenant_id', '=', tenantId)
    .where('delivery_events.delivery_id', '=', deliveryId)
    .orderBy('delivery_events.id', 'desc')
    .executeTakeFirst();
  if (!row) return undefined;
  const { at, memberId, name } = row;
  return { at, by: memberId === null || name === null ? null : { memberId, name } };
}
