import { findVoucher } from '../mailboxes/delegate.ts';
import { domainOf } from '../mailboxes/delegated-token.ts';
import { listDelegations } from '../mailboxes/delegations.ts';
import type { Database } from '../platform/database.ts';
import type { Viewer } from './viewer.ts';
import { stateWords } from './workspace-words.ts';

/** The way to the page about Google Workspace. Without a label nothing is set up yet. */
export interface WorkspaceCard {
  readonly domain: string;
  readonly label?: string;
  readonly tone?: string;
}

/** What the email settings say of it, to whom it concerns: owners and admins, where a Workspace manages their account or one is set up. */
export async function workspaceCard(trx: Database, viewer: Viewer): Promise<WorkspaceCard | undefined> {
  const { tenantId, memberId, role } = viewer;
  if (role !== 'owner' && role !== 'admin') return undefined;
  const domain = domainOf(viewer.email);
  const all = await listDelegations(trx, tenantId);
  const shown = all.find((each) => each.domain === domain) ?? all[0];
  if (shown) return { domain: shown.domain, ...stateWords(shown) };
  return (await findVoucher(trx, tenantId, { memberId })) && { domain };
}
