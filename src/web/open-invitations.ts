import { isVouchedFor } from '../tenants/address-key.ts';
import type { Invitee } from '../tenants/invitations.ts';
import { type Invitation, invitationsTo } from '../tenants/system-invitations.ts';
import type { WebContext } from './context.ts';

/** The invitations that somebody may follow without a link: those to an address that Google vouches for. */
export async function openInvitations(
  { system, clock }: Pick<WebContext, 'system' | 'clock'>,
  { email, hd }: Pick<Invitee, 'email' | 'hd'>,
): Promise<Invitation[]> {
  return isVouchedFor({ email, hd }) ? invitationsTo(system, email, clock()) : [];
}
