import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { type ByMember, noteChange } from '../tenants/rights-changes.ts';

/**
 * Who may use which mailbox: a personal one its member, a shared one everybody until an admin narrows it, then those
 * it was given to. Owners and admins see every shared mailbox, because they decide about it; they send through one
 * only where they may use it like anybody else.
 */

/**
 * SQL: whether the member may send through the row of `mailboxes` at hand; true or false, never null, so that it can be
 * denied. Their role is not asked: see `sender.ts`.
 */
export function isUsableBy(memberId: string | RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`(case mailboxes.kind when 'personal' then mailboxes.member_id = ${memberId} else mailboxes.for_everybody
    or exists (select from mailbox_members given where given.mailbox_id = mailboxes.id and given.member_id = ${memberId}) end)`;
}

/** SQL: whether the member may know of the row of `mailboxes` at hand: they may use it, or decide who may. */
export function isVisibleTo(memberId: string): RawBuilder<boolean> {
  return sql<boolean>`(${isUsableBy(memberId)} or (mailboxes.kind = 'shared' and exists (
    select from members looking where looking.id = ${memberId} and looking.removed_at is null
      and looking.role in ('owner', 'admin'))))`;
}

/** Those of some members to whom a mailbox was given; of no consequence while it is for everybody. */
export async function givenAmong(
  db: Database,
  tenantId: string,
  mailboxId: string,
  memberIds: readonly string[],
): Promise<Set<string>> {
  const rows = await db
    .selectFrom('mailbox_members')
    .select('member_id')
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .where('member_id', '=', sql<string>`any(${memberIds})`)
    .execute();
  return new Set(rows.map((row) => row.member_id));
}

/** A mailbox for chosen members needs one of them; nothing was changed. */
export class NobodyChosenError extends Error {
  override readonly name = 'NobodyChosenError';
  readonly code = 'nobody_chosen';
}

/** Who may use a shared mailbox, as an admin decides it. */
export interface AccessChange {
  readonly forEverybody: boolean;
  /** The members that were decided about; all others stay as they were. */
  readonly shown: readonly string[];
  /** Those of them who get it. Ids of nobody, and of former members, are passed over. */
  readonly given: readonly string[];
}

/**
 * Decides who may use a shared mailbox.
 *
 * @param trx a transaction inside the tenant
 * @returns how many members it is given to now; undefined when there is no such shared mailbox
 * @throws {NobodyChosenError} where it is for chosen members, and none is chosen: roll back
 */
export async function changeAccess(
  trx: Database,
  tenantId: string,
  mailboxId: string,
  { forEverybody, shown, given }: AccessChange,
  by: ByMember,
): Promise<number | undefined> {
  const before = await trx
    .selectFrom('mailboxes')
    .select(['email', 'for_everybody'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .where('kind', '=', 'shared')
    .forUpdate()
    .executeTakeFirst();
  if (!before) return undefined;
  await trx
    .updateTable('mailboxes')
    .set({ for_everybody: forEverybody })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .execute();
  const gone = shown.filter((id) => !given.includes(id));
  const taken = await takeAway(trx, tenantId, mailboxId, gone);
  const added = given.filter((id) => shown.includes(id));
  const newlyGiven = await giveTo(trx, tenantId, mailboxId, added);
  if (before.for_everybody !== forEverybody || taken.length > 0 || newlyGiven.length > 0) {
    await noteChange(trx, tenantId, by, {
      ...{ kind: 'access_changed', mailbox: before.email, wasForEverybody: before.for_everybody, forEverybody },
      given: await peopleOf(trx, tenantId, newlyGiven),
      taken: await peopleOf(trx, tenantId, taken),
    });
  }
  const { count } = await trx
    .selectFrom('mailbox_members')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .executeTakeFirstOrThrow();
  if (!forEverybody && Number(count) === 0) throw new NobodyChosenError('A mailbox for chosen members needs one');
  return Number(count);
}

/** Returns the ids of those who had it. */
async function takeAway(trx: Database, tenantId: string, mailboxId: string, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await trx
    .deleteFrom('mailbox_members')
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .where('member_id', 'in', ids)
    .returning('member_id')
    .execute();
  return rows.map((row) => row.member_id);
}

/** Returns the ids of those who did not have it yet. */
async function giveTo(trx: Database, tenantId: string, mailboxId: string, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await trx
    .insertInto('mailbox_members')
    .columns(['tenant_id', 'mailbox_id', 'member_id'])
    .expression((eb) =>
      eb
        .selectFrom('members')
        .select((of) => [of.val(tenantId).as('tenant_id'), of.val(mailboxId).as('mailbox_id'), 'id as member_id'])
        .where('tenant_id', '=', tenantId)
        .where('removed_at', 'is', null)
        .where('id', 'in', ids),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning('member_id')
    .execute();
  return rows.map((row) => row.member_id);
}

async function peopleOf(trx: Database, tenantId: string, ids: readonly string[]) {
  if (ids.length === 0) return [];
  return trx
    .selectFrom('members')
    .select(['name', 'email'])
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', ids)
    .orderBy('name')
    .orderBy('id')
    .execute();
}
