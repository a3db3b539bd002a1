import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { MemberRole } from '../platform/database-types.ts';

/**
 * Who may use which mailbox: a personal one its member, a shared one everybody until an admin narrows it, then those
 * it was given to. Owners and admins see every shared mailbox, because they decide about it; they send through one
 * only where they may use it like anybody else.
 */

/** SQL: whether the member may send through the row of `mailboxes` at hand. Their role is not asked: see `sender.ts`. */
export function isUsableBy(memberId: string | RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`(mailboxes.member_id = ${memberId} or (mailboxes.kind = 'shared' and (mailboxes.for_everybody
    or exists (select from mailbox_members given where given.mailbox_id = mailboxes.id and given.member_id = ${memberId}))))`;
}

/** SQL: whether the member may know of the row of `mailboxes` at hand: they may use it, or decide who may. */
export function isVisibleTo(memberId: string): RawBuilder<boolean> {
  return sql<boolean>`(${isUsableBy(memberId)} or (mailboxes.kind = 'shared' and exists (
    select from members looking where looking.id = ${memberId} and looking.removed_at is null
      and looking.role in ('owner', 'admin'))))`;
}

/** A member on the page that says who may use a shared mailbox. */
export interface MailboxMember {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly role: MemberRole;
  /** Whether it was given to them; of no consequence while it is for everybody. */
  readonly given: boolean;
}

/**
 * The members of a tenant, by name, each with whether they were given the mailbox.
 *
 * @param after the id of the last member of the page before
 * @param search part of a name or an address
 * @returns at most `limit` members (50 unless told), and `next` when there are more
 */
export async function listMailboxMembers(
  db: Database,
  tenantId: string,
  mailboxId: string,
  {
    after,
    search = '',
    limit = 50,
  }: { readonly after?: string | undefined; readonly search?: string; readonly limit?: number } = {},
): Promise<{ readonly rows: MailboxMember[]; readonly next?: string }> {
  let query = db
    .selectFrom('members')
    .leftJoin('mailbox_members as given', (join) =>
      join.onRef('given.member_id', '=', 'members.id').on('given.mailbox_id', '=', mailboxId),
    )
    .select(['members.id', 'members.name', 'members.email', 'members.role'])
    .select((eb) => eb('given.member_id', 'is not', null).$castTo<boolean>().as('given'))
    .where('members.tenant_id', '=', tenantId)
    .where('members.removed_at', 'is', null)
    .orderBy('members.name')
    .orderBy('members.id')
    .limit(limit + 1);
  if (search) {
    const found = sql<boolean>`position(lower(${search}) in lower(members.name || ' ' || members.email)) > 0`;
    query = query.where(found);
  }
  if (after) {
    const place = sql`(select name, id from members where tenant_id = ${tenantId} and id = ${after})`;
    query = query.where(sql<boolean>`(members.name, members.id) > ${place}`);
  }
  const members = await query.execute();
  const rows = members.slice(0, limit);
  const last = rows.at(-1);
  return members.length > limit && last ? { rows, next: last.id } : { rows };
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
 * @returns how many members it is given to now; undefined when there is no such shared mailbox
 */
export async function changeAccess(
  db: Database,
  tenantId: string,
  mailboxId: string,
  { forEverybody, shown, given }: AccessChange,
): Promise<number | undefined> {
  const mailbox = await db
    .updateTable('mailboxes')
    .set({ for_everybody: forEverybody })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .where('kind', '=', 'shared')
    .returning('id')
    .executeTakeFirst();
  if (!mailbox) return undefined;
  const taken = shown.filter((id) => !given.includes(id));
  if (taken.length > 0) {
    await db
      .deleteFrom('mailbox_members')
      .where('tenant_id', '=', tenantId)
      .where('mailbox_id', '=', mailboxId)
      .where('member_id', 'in', taken)
      .execute();
  }
  const added = given.filter((id) => shown.includes(id));
  if (added.length > 0) {
    await db
      .insertInto('mailbox_members')
      .columns(['tenant_id', 'mailbox_id', 'member_id'])
      .expression((eb) =>
        eb
          .selectFrom('members')
          .select((of) => [of.val(tenantId).as('tenant_id'), of.val(mailboxId).as('mailbox_id'), 'id as member_id'])
          .where('tenant_id', '=', tenantId)
          .where('removed_at', 'is', null)
          .where('id', 'in', added),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  const { count } = await db
    .selectFrom('mailbox_members')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .executeTakeFirstOrThrow();
  return Number(count);
}
