import { scopesFor } from '../../src/mailboxes/capabilities.ts';
import { connectMailbox } from '../../src/mailboxes/connect.ts';
import { refreshSendAs } from '../../src/mailboxes/send-as.ts';
import type { Capability } from '../../src/platform/capability.ts';
import type { MailboxKind, MemberRole } from '../../src/platform/database-types.ts';
import { acceptInvitation, invite } from '../../src/tenants/invitations.ts';
import { noteIdentity } from '../../src/tenants/members.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { setSendingRules } from '../../src/tenants/sending-rules.ts';
import { rememberPerson } from '../../src/tenants/system.ts';
import { createTenant } from '../../src/tenants/tenants.ts';
import { type Product, testClient } from './product.ts';

type World = Pick<Product, 'google' | 'context'>;

/** A member of a company. */
export interface Seat {
  readonly personId: string;
  readonly tenantId: string;
  readonly memberId: string;
}

/**
 * Founds a company as the pages do, without them: somebody with this Google account is its owner.
 *
 * @param undoSeconds how long what is sent can be taken back. 0: nobody waits for that, unless a test is about it
 */
export async function found({ google, context }: World, account: string, name: string, undoSeconds = 0): Promise<Seat> {
  const person = await somebody({ google, context }, account);
  const about = { name, country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' };
  const { tenantId, memberId } = await createTenant(context.db, about, person);
  await noteIdentity(context, person.personId);
  await inTenant(context.db, tenantId, (trx) => setSendingRules(trx, tenantId, { undoSeconds, hours: null }));
  return { personId: person.personId, tenantId, memberId };
}

/** Lets somebody with this Google account into a company: this member invites them, and they accept. */
export async function join(
  world: World,
  { tenantId, memberId: by }: Pick<Seat, 'tenantId' | 'memberId'>,
  account: string,
  role: Exclude<MemberRole, 'owner'> = 'member',
): Promise<Seat> {
  const { context } = world;
  const at = context.clock();
  const invited = await inTenant(context.db, tenantId, (trx) =>
    invite(trx, tenantId, { email: account, role }, { memberId: by, at }),
  );
  if (invited.kind !== 'invited') throw new Error(`${account} was not invited: ${invited.kind}`);
  const person = await somebody(world, account);
  const { kind } = await acceptInvitation(
    context,
    person,
    { invitationId: invited.id, token: invited.token, role },
    at,
  );
  if (kind !== 'joined') throw new Error(`${account} did not join: ${kind}`);
  await noteIdentity(context, person.personId);
  const { id } = await inTenant(context.db, tenantId, (trx) =>
    trx.selectFrom('members').select('id').where('person_id', '=', person.personId).executeTakeFirstOrThrow(),
  );
  return { personId: person.personId, tenantId, memberId: id };
}

/**
 * Connects a Google account, with these permissions besides sending: tokens that Local Google gave, and none of its pages.
 * Returns the mailbox's id.
 */
export async function connected(
  { google, context }: World,
  { tenantId, memberId }: Pick<Seat, 'tenantId' | 'memberId'>,
  account: string,
  capabilities: readonly Capability[] = [],
  kind: MailboxKind = 'shared',
): Promise<string> {
  const asked: Capability[] = ['send', ...capabilities.filter((capability) => capability !== 'send')];
  const { email, name, sub, hd } = google.accounts.get(account);
  const { mailboxId } = await connectMailbox(
    context,
    { tenantId, memberId, kind, mailboxId: null, asked },
    {
      identity: { issuer: google.url, email, name, sub, hd },
      ...google.accounts.allow(account, testClient.clientId, scopesFor(asked)),
    },
    async () => null,
  );
  if (asked.includes('aliases')) await refreshSendAs(context, tenantId, mailboxId);
  return mailboxId;
}

/** Whom the product knows because they signed in. Google knows that they did, and tells of them if it must. */
async function somebody({ google, context }: World, account: string) {
  google.accounts.signIn(account, context.google.clientId);
  const { email, name, sub, hd } = google.accounts.get(account);
  const personId = await rememberPerson(context.system, { issuer: google.url, sub, email, name, hd });
  return { personId, email, name, hd };
}
