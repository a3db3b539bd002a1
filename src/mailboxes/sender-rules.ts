import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { DocumentKind } from '../platform/database-types.ts';
import { type By, noteChange } from '../tenants/rights-changes.ts';
import { placeDelegatedMailboxes } from './delegated-mailboxes.ts';
import { resolveSender, ruleFor, type SenderResolution, type SenderRule } from './sender.ts';
import { readFactsOf, readMemberFacts, selectSendingMembers } from './sender-questions.ts';

/** A tenant's rules: its own (kind null), and those for kinds of records. */
export async function listRules(db: Database, tenantId: string) {
  const rows = await db
    .selectFrom('sender_rules')
    .select(['document_kind as documentKind', 'mode', 'alias_mailbox_id as mailboxId', 'alias_email as email'])
    .where('tenant_id', '=', tenantId)
    .execute();
  return rows.map(({ documentKind, mode, mailboxId, email }) => ({
    documentKind,
    rule: readRule(mode, mailboxId, email),
  }));
}

function readRule(mode: SenderRule['mode'], mailboxId: string | null, email: string | null): SenderRule {
  if (mode !== 'alias') return { mode };
  // The table's check constraint makes both present.
  return { mode, mailboxId: mailboxId ?? '', email: email ?? '' };
}

/** Sets the tenant's rule, or the one for a kind. The caller has checked that an alias is one that may be chosen. */
export async function saveRule(
  trx: Database,
  tenantId: string,
  documentKind: DocumentKind | null,
  rule: SenderRule,
  by: By,
): Promise<void> {
  const before = await lockedRule(trx, tenantId, documentKind);
  const alias =
    rule.mode === 'alias'
      ? { alias_mailbox_id: rule.mailboxId, alias_email: rule.email }
      : { alias_mailbox_id: null, alias_email: null };
  await trx
    .insertInto('sender_rules')
    .values({ tenant_id: tenantId, document_kind: documentKind, mode: rule.mode, ...alias })
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'document_kind']).doUpdateSet({ mode: rule.mode, ...alias }),
    )
    .execute();
  if (before !== null && isSameRule(before, rule)) return;
  await noteChange(trx, tenantId, by, { kind: 'sender_rule_changed', documentKind, from: before, to: rule });
}

/** A rule as it stands, null where there is none; nobody else changes it until the transaction ends. */
async function lockedRule(trx: Database, tenantId: string, documentKind: DocumentKind | null) {
  const row = await trx
    .selectFrom('sender_rules')
    .select(['mode', 'alias_mailbox_id as mailboxId', 'alias_email as email'])
    .where('tenant_id', '=', tenantId)
    .where('document_kind', 'is not distinct from', documentKind)
    .forUpdate()
    .executeTakeFirst();
  return row ? readRule(row.mode, row.mailboxId, row.email) : null;
}

/** Takes a kind's own rule away: the tenant's applies to it again. */
export async function removeRule(trx: Database, tenantId: string, documentKind: DocumentKind, by: By): Promise<void> {
  const before = await lockedRule(trx, tenantId, documentKind);
  if (before === null) return;
  await trx
    .deleteFrom('sender_rules')
    .where('tenant_id', '=', tenantId)
    .where('document_kind', '=', documentKind)
    .execute();
  await noteChange(trx, tenantId, by, { kind: 'sender_rule_changed', documentKind, from: before, to: null });
}

/** Whether two rules say the same. */
export function isSameRule(a: SenderRule, b: SenderRule): boolean {
  if (a.mode !== 'alias' || b.mode !== 'alias') return a.mode === b.mode;
  return a.mailboxId === b.mailboxId && a.email === b.email;
}

/** A member, and what each of some rules makes of them: the resolutions are in the rules' order. */
export interface MemberSenders {
  readonly member: { readonly id: string; readonly email: string; readonly name: string };
  readonly resolutions: readonly SenderResolution[];
}

/**
 * Whom each member's emails would come from under each of some rules. Members by name, those who may only look left
 * out: they send nothing.
 *
 * @param only one member's id: the others are left out
 * @param after the id of the last member of the page before
 * @returns at most `limit` members (50 unless told), and `next` when there are more
 */
export async function listMemberSenders(
  db: Database,
  tenantId: string,
  rules: readonly SenderRule[],
  {
    only,
    after,
    limit = 50,
  }: { readonly only?: string | undefined; readonly after?: string | undefined; readonly limit?: number } = {},
): Promise<{ readonly rows: MemberSenders[]; readonly next?: string }> {
  let query = selectSendingMembers(db, tenantId)
    .where('role', '<>', 'viewer')
    .where('removed_at', 'is', null)
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1);
  if (only) query = query.where('id', '=', only);
  if (after) {
    const place = sql`(select name, id from members where tenant_id = ${tenantId} and id = ${after})`;
    query = query.where(sql<boolean>`(name, id) > ${place}`);
  }
  const members = await query.execute();
  await placeDelegatedMailboxes(
    db,
    tenantId,
    members.map(({ id }) => id),
  );
  const facts = await readMemberFacts(db, tenantId, members.slice(0, limit), rules);
  const rows = facts.map((about) => ({
    member: about.member,
    resolutions: rules.map((rule) => resolveSender({ ...about, rule })),
  }));
  const last = rows.at(-1);
  return members.length > limit && last ? { rows, next: last.member.id } : { rows };
}

/**
 * What rules make of one member: read once, then asked as often as one likes.
 *
 * @param rules all that will be asked about
 * @param triesFrom whether it is asked for a test email that tries whether Gmail keeps the From
 */
export async function senderUnder(
  db: Database,
  tenantId: string,
  memberId: string,
  rules: readonly SenderRule[],
  triesFrom = false,
): Promise<(rule: SenderRule) => SenderResolution> {
  await placeDelegatedMailboxes(db, tenantId, [memberId]);
  const member = await selectSendingMembers(db, tenantId).where('id', '=', memberId).executeTakeFirstOrThrow();
  const facts = await readFactsOf(db, tenantId, member, rules);
  return (rule) => resolveSender({ ...facts, rule, triesFrom });
}

/** Who a member's email about this kind of record comes from; kind null for a test email. */
export async function senderFor(
  db: Database,
  tenantId: string,
  memberId: string,
  kind: DocumentKind | null,
): Promise<{ rule: SenderRule; resolution: SenderResolution }> {
  const rule = ruleFor(kind, await listRules(db, tenantId));
  const resolve = await senderUnder(db, tenantId, memberId, [rule]);
  return { rule, resolution: resolve(rule) };
}
