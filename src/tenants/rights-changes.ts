import { z } from 'zod';
import { capabilities } from '../platform/capability.ts';
import type { Database } from '../platform/database.ts';

/** A member of the tenant who changes something, and when. */
export interface ByMember {
  readonly memberId: string;
  readonly at: Date;
}

/** Whoever changes something: a member, or with null whoever runs Letterhead. */
export type By = ByMember | { readonly memberId: null; readonly at: Date };

const person = z.object({ name: z.string(), email: z.string() });
const role = z.enum(['owner', 'admin', 'member', 'viewer']);
const documentKind = z.enum(['invoice', 'credit_note', 'quote', 'purchase_order']);
const rule = z.discriminatedUnion('mode', [
  z.object({ mode: z.literal('default') }),
  z.object({ mode: z.literal('current_user') }),
  z.object({ mode: z.literal('alias'), email: z.string() }),
]);
const presented = z.object({ name: z.string(), replyTo: z.string().nullable() });
/** A mailbox of the company, one of whoever does it, or one of the person named. */
const whose = z.union([z.literal('company'), z.literal('own'), person]);
const mailbox = z.string();
const may = z.array(z.enum(capabilities));
const domain = z.string();
/** What says on paper who somebody deals with and pays. */
const companyField = z.object({
  ...{ field: z.enum(['name', 'taxId', 'paymentDetails']), from: z.string().nullable(), to: z.string().nullable() },
});

/**
 * What can be changed about who may do what, and about who the company says it is. It stands in the row as it was at the time: names and addresses, never an id, a
 * token or a key. A new kind is added at the end; none is ever taken out, because old rows keep theirs.
 */
const rightsChangeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('company_founded'), company: z.string() }),
  z.object({ kind: z.literal('member_invited'), email: z.string(), role }),
  z.object({ kind: z.literal('invitation_withdrawn'), email: z.string(), role }),
  z.object({ kind: z.literal('member_joined'), role }),
  z.object({ kind: z.literal('role_changed'), of: person, from: role, to: role }),
  z.object({ kind: z.literal('member_removed'), of: person, was: role }),
  z.object({
    ...{ kind: z.literal('access_changed'), mailbox, wasForEverybody: z.boolean(), forEverybody: z.boolean() },
    ...{ given: z.array(person), taken: z.array(person) },
  }),
  // Null for `documentKind`: for everything. Null for a rule: none of its own.
  z.object({
    ...{ kind: z.literal('sender_rule_changed'), documentKind: documentKind.nullable() },
    ...{ from: rule.nullable(), to: rule.nullable() },
  }),
  z.object({ kind: z.literal('stand_in_switched'), on: z.boolean() }),
  z.object({ kind: z.literal('own_default_chosen'), mailbox: mailbox.nullable() }),
  z.object({ kind: z.literal('default_changed'), mailbox, was: mailbox.nullable() }),
  z.object({ kind: z.literal('name_changed'), mailbox, from: presented, to: presented }),
  z.object({ kind: z.literal('mailbox_connected'), mailbox, whose, again: z.boolean(), may }),
  z.object({ kind: z.literal('mailbox_disconnected'), mailbox, whose }),
  z.object({ kind: z.literal('mailbox_paused'), mailbox }),
  z.object({ kind: z.literal('mailbox_resumed'), mailbox }),
  z.object({ kind: z.literal('permission_switched'), mailbox, permission: z.enum(capabilities), on: z.boolean() }),
  z.object({ kind: z.literal('delegation_stored'), domain, account: z.string() }),
  z.object({ kind: z.literal('delegation_allowed'), domain, may }),
  z.object({ kind: z.literal('delegation_removed'), domain }),
  z.object({ kind: z.literal('company_changed'), fields: z.array(companyField) }),
  // Gmail had used another address than `email`; somebody looked, and lets it be used again.
  z.object({ kind: z.literal('from_trusted'), mailbox, email: z.string(), sentFrom: z.string() }),
  // What somebody decided about many emails of a run at once, and how many it moved.
  z.object({
    ...{ kind: z.literal('run_controlled'), documentKind, count: z.number() },
    control: z.enum(['pause', 'resume', 'send_now', 'cancel']),
  }),
  z.object({
    ...{ kind: z.literal('run_answered'), documentKind, count: z.number() },
    decision: z.enum(['send_again', 'mark_as_sent', 'take_back']),
  }),
]);

/** See {@link rightsChangeSchema}. */
export type RightsChange = z.infer<typeof rightsChangeSchema>;

/** Writes down a change, in the transaction that makes it: both are there, or neither. */
export async function noteChange(trx: Database, tenantId: string, by: By, change: RightsChange): Promise<void> {
  // The schema drops whatever else an object at hand might carry.
  const kept = JSON.stringify(rightsChangeSchema.parse(change));
  await trx
    .insertInto('rights_changes')
    .values({ tenant_id: tenantId, member_id: by.memberId, at: by.at, change: kept })
    .execute();
}

/** A change as pages show it. */
export interface RightsChangeLine {
  readonly id: string;
  readonly at: Date;
  /** Null is whoever runs Letterhead. */
  readonly by: { readonly name: string; readonly email: string } | null;
  /** Null where a newer version wrote what this one has no words for. */
  readonly change: RightsChange | null;
}

/**
 * What was changed in a tenant about who may do what, newest first.
 *
 * @param before the id of the last line of the page before
 * @returns at most `limit` lines (50 unless told), and `next` when there are more
 */
export async function listChanges(
  db: Database,
  tenantId: string,
  { before, limit = 50 }: { readonly before?: string | undefined; readonly limit?: number } = {},
): Promise<{ readonly rows: RightsChangeLine[]; readonly next?: string }> {
  let query = rightsChangeLines(db, tenantId).limit(limit + 1);
  if (before && /^\d{1,18}$/.test(before)) query = query.where('rights_changes.id', '<', before);
  const found = await query.execute();
  const rows = found.slice(0, limit).map(toLine);
  const last = rows.at(-1);
  return found.length > limit && last ? { rows, next: last.id } : { rows };
}

/** The rows of changes with whoever made them, newest first, to be narrowed; {@link toLine} reads them. */
export function rightsChangeLines(db: Database, tenantId: string) {
  return db
    .selectFrom('rights_changes')
    .leftJoin('members', 'members.id', 'rights_changes.member_id')
    .select(['rights_changes.id', 'rights_changes.at', 'rights_changes.change', 'members.name', 'members.email'])
    .where('rights_changes.tenant_id', '=', tenantId)
    .orderBy('rights_changes.id', 'desc');
}

interface ChangeRow {
  readonly id: string;
  readonly at: Date;
  readonly change: unknown;
  readonly name: string | null;
  readonly email: string | null;
}

/** A row as the rest of the program knows it. */
export function toLine({ id, at, change, name, email }: ChangeRow): RightsChangeLine {
  return {
    ...{ id, at, by: name === null || email === null ? null : { name, email } },
    change: rightsChangeSchema.safeParse(change).data ?? null,
  };
}

/** A member, former ones too, as a change names them. */
export async function personOf(
  db: Database,
  tenantId: string,
  memberId: string,
): Promise<{ readonly name: string; readonly email: string }> {
  return db
    .selectFrom('members')
    .select(['name', 'email'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', memberId)
    .executeTakeFirstOrThrow();
}
