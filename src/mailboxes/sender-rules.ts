import type { Database } from '../platform/database.ts';
import type { DocumentKind } from '../platform/database-types.ts';
import { listMailboxes } from './mailboxes.ts';
import { resolveSender, ruleFor, type SenderResolution, type SenderRule } from './sender.ts';

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

/** Sets the tenant's rule. The caller has checked that an alias is one that may be chosen. */
export async function saveRule(
  db: Database,
  tenantId: string,
  documentKind: DocumentKind | null,
  rule: SenderRule,
): Promise<void> {
  const alias =
    rule.mode === 'alias'
      ? { alias_mailbox_id: rule.mailboxId, alias_email: rule.email }
      : { alias_mailbox_id: null, alias_email: null };
  await db
    .insertInto('sender_rules')
    .values({ tenant_id: tenantId, document_kind: documentKind, mode: rule.mode, ...alias })
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'document_kind']).doUpdateSet({ mode: rule.mode, ...alias }),
    )
    .execute();
}

/** Who a member's email about this kind of record comes from; kind null for a test email. */
export async function senderFor(
  db: Database,
  tenantId: string,
  memberId: string,
  kind: DocumentKind | null,
): Promise<{ rule: SenderRule; resolution: SenderResolution }> {
  const member = await db
    .selectFrom('members')
    .select(['id', 'email', 'name'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', memberId)
    .executeTakeFirstOrThrow();
  const rule = ruleFor(kind, await listRules(db, tenantId));
  const mailboxes = await listMailboxes(db, tenantId, memberId);
  return { rule, resolution: resolveSender({ rule, member, mailboxes }) };
}
