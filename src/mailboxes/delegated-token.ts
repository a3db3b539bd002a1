import type { GoogleApp } from '../google/app.ts';
import { delegatedAccessToken, delegationTrouble, personBehind } from '../google/delegation.ts';
import { GoogleError } from '../google/errors.ts';
import type { TokenAnswer } from '../google/oauth.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { KeyRing } from '../platform/key-ring.ts';
import { inTenant } from '../tenants/scope.ts';
import { endDelegation } from './delegated-mailboxes.ts';
import { openDelegation } from './delegations.ts';
import { endMailbox } from './health.ts';
import type { EndedReason } from './why-ended.ts';

/**
 * Fetches an access token for a delegated mailbox, and looks whose account it opens: an address can pass to somebody
 * else, and then it must not be sent from in the name of whoever had it.
 *
 * Where Google ends it, the state says so, by one guarded update: of the delegation with all its mailboxes when the
 * service account is refused, of this mailbox alone when it is about the person.
 *
 * @returns null when nothing can be sent from this mailbox
 * @throws {GoogleError} when Google could not be asked, or it is the operator's trouble
 */
export async function fetchDelegated(
  { db, keys, google, clock }: { db: Database; keys: KeyRing; google: GoogleApp; clock: Clock },
  tenantId: string,
  mailboxId: string,
): Promise<TokenAnswer | null> {
  const mailbox = await inTenant(db, tenantId, async (trx) => {
    const row = await trx
      .selectFrom('mailboxes')
      .select(['email', 'google_sub as googleSub'])
      .where('tenant_id', '=', tenantId)
      .where('id', '=', mailboxId)
      .executeTakeFirst();
    return row && { ...row, delegation: await openDelegation(trx, keys, tenantId, domainOf(row.email)) };
  });
  if (!mailbox) return null;
  const { delegation } = mailbox;
  const end = (reason: EndedReason) =>
    inTenant(db, tenantId, (trx) =>
      endMailbox(trx, tenantId, mailboxId, { reason, sure: true, from: 'connection', at: clock() }),
    );
  if (delegation?.state !== 'active') {
    await end('delegation_ended');
    return null;
  }
  try {
    const answer = await delegatedAccessToken(google, delegation, mailbox.email, delegation.scopes, clock());
    const person = await personBehind(google, answer.accessToken);
    if (person.sub === mailbox.googleSub) return answer;
    await end('other_person');
    return null;
  } catch (error) {
    const trouble = error instanceof GoogleError ? delegationTrouble(error.failure) : null;
    if (trouble === null) throw error;
    if (trouble === 'clock') throw new GoogleError(wrongClock);
    if (trouble === 'person_unknown') await end('no_such_person');
    else await inTenant(db, tenantId, (trx) => endDelegation(trx, tenantId, delegation.id, trouble, clock()));
    return null;
  }
}

/** Google takes an assertion only within minutes of its own time: the operator's trouble, and nobody's permission ended. */
const wrongClock = {
  kind: 'answered',
  status: 400,
  reason: 'wrong_clock',
  message: 'Google does not accept the time of this machine. Its clock must be set.',
} as const;

/** The part behind the `@`, in small letters. */
export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).toLowerCase();
}
