import type { Database } from '../platform/database.ts';
import type { SenderRule } from './sender.ts';
import { listMemberSenders } from './sender-rules.ts';

/** Some members by name; `more` when there are others. */
export interface Through {
  readonly names: readonly string[];
  readonly more: boolean;
}

/** The members whose emails come from a mailbox under a rule, at most `limit` of them by name. */
export async function membersThrough(
  db: Database,
  tenantId: string,
  mailboxId: string,
  rule: SenderRule,
  limit = 10,
): Promise<Through> {
  const names: string[] = [];
  let after: string | undefined;
  do {
    const page = await listMemberSenders(db, tenantId, [rule], { after });
    for (const { member, resolutions } of page.rows) {
      const [resolution] = resolutions;
      if (resolution?.ok && resolution.sender.mailboxId === mailboxId) names.push(member.name);
    }
    after = page.next;
  } while (after !== undefined && names.length <= limit);
  return { names: names.slice(0, limit), more: names.length > limit };
}
