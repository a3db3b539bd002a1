import { headOf } from '../../documents/pdf/head.ts';
import type { SenderRule } from '../../mailboxes/sender.ts';
import { senderFor } from '../../mailboxes/sender-rules.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database.ts';
import { getTenant } from '../../tenants/tenants.ts';
import type { RunTemplates } from './judge.ts';
import type { RunSelection } from './records.ts';
import type { RunQuestion } from './survey.ts';

/**
 * Everything that decides what a run would send, as it stands now: the company's head, whom it comes from. The sender
 * rule is asked once, since all records of a run are of one kind.
 *
 * @param thoughPaid those that are paid are sent, too
 */
export async function askRun(
  trx: Database,
  { clock, pdf }: { readonly clock: Clock; readonly pdf: RunQuestion['pdf'] },
  { tenantId, memberId }: { readonly tenantId: string; readonly memberId: string },
  selection: RunSelection,
  templates: RunTemplates,
  thoughPaid = false,
): Promise<RunQuestion & { readonly rule: SenderRule }> {
  const tenant = await getTenant(trx, tenantId);
  const member = await trx
    .selectFrom('members')
    .select('name')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', memberId)
    .executeTakeFirstOrThrow();
  const { rule, resolution } = await senderFor(trx, tenantId, memberId, selection.kind);
  const head = headOf(tenant);
  const common = {
    kind: selection.kind,
    companyName: tenant.name,
    memberName: member.name,
    locale: head.locale,
    thoughPaid,
  };
  return { tenantId, selection, templates, common, head, rule, resolution, pdf, now: clock() };
}
