import { type Invitee, standingOf } from '../tenants/invitations.ts';
import { membershipsOf } from '../tenants/system.ts';
import type { UsedInvitation } from '../tenants/system-invitations.ts';
import type { WebContext } from './context.ts';
import { PageError } from './errors.ts';
import { onDay } from './words.ts';

/**
 * What a link says that was followed before: that it is used, and the way on for whoever is a member by it. Others learn
 * no more of the company than the link told them when it worked.
 *
 * @param invitee whoever is signed in
 * @param hasLink whether the mailed link was opened, rather than a page with the invitation's id
 * @param here the company that they look at now
 * @returns undefined where it is not theirs to know
 */
export async function usedWords(
  ctx: Pick<WebContext, 'system'>,
  used: UsedInvitation,
  invitee: Invitee | undefined,
  hasLink: boolean,
  here: string | undefined,
): Promise<PageError | undefined> {
  const isTheirs = invitee !== undefined && standingOf(used, invitee, hasLink) === 'theirs';
  if (!isTheirs && !hasLink) return undefined;
  const memberships = invitee ? await membershipsOf(ctx.system, invitee.personId) : [];
  const isMember = memberships.some(({ tenantId }) => tenantId === used.tenantId);
  const when = onDay(used.at);
  if (isMember) {
    const href = here === used.tenantId ? '/' : `/?company=${used.tenantId}`;
    return new PageError(404, 'used_invitation', {
      title: `You are a member of ${used.tenantName}`,
      message: `This invitation was ${used.answer} on ${when}. A link works once, and you do not need it any more.`,
      next: { href, label: `Go to ${used.tenantName}` },
    });
  }
  const again = 'Ask whoever invited you to do it once more.';
  const [title, message] =
    used.answer === 'declined'
      ? [
          'This invitation was declined',
          `That was on ${when}, and a link works once. If you want to join now: ${again.toLowerCase()}`,
        ]
      : [
          'This invitation is used',
          invitee
            ? `It was accepted on ${when}, and a link works once. You are signed in as ${invitee.email}, which is no member of that company. If you joined with another address, sign out and sign in with that one. If not: ${again.toLowerCase()}`
            : `It was accepted on ${when}, and a link works once. If you are the one who accepted, sign in to go on.`,
        ];
  const next = invitee ? { href: '/companies', label: 'Your companies' } : { href: '/sign-in', label: 'Sign in' };
  return new PageError(404, 'used_invitation', { title, message, next });
}
