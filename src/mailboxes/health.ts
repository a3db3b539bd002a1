import type { Database } from '../platform/database.ts';
import { type ByMember, noteChange } from '../tenants/rights-changes.ts';
import { readReason } from './ended-words.ts';
import { writeMailboxEvent } from './mailbox-events.ts';
import { saidByGmail } from './mailbox-trouble.ts';
import { type Heard, outweighs } from './outweighs.ts';

/**
 * Marks a mailbox as one that must be connected again, and writes that into its history. One guarded update: of all
 * workers and pages that notice the same, one makes the move, and so there is one notice.
 *
 * - Active: it needs reconnecting from now on.
 * - Paused: it stays so; what is wrong shows when somebody resumes it.
 * - Needs reconnecting already: see {@link explainEnding}; nobody is told a second time.
 *
 * @param trx a transaction inside the tenant
 * @returns whether this call made the move
 */
export async function endMailbox(
  trx: Database,
  tenantId: string,
  mailboxId: string,
  ended: Heard & { readonly at: Date },
): Promise<boolean> {
  const { reason, sure, at } = ended;
  const { numUpdatedRows } = await trx
    .updateTable('mailboxes')
    .set({ state: 'needs_reconnect', state_at: at, state_reason: reason, state_sure: sure })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .where('state', '=', 'active')
    .executeTakeFirst();
  if (numUpdatedRows > 0n) {
    await writeMailboxEvent(trx, tenantId, { mailboxId, kind: 'ended', reason, sure, at });
    return true;
  }
  const paused = await knownOf(trx, tenantId, mailboxId, 'paused');
  if (paused && paused.reason === null) await explain(trx, tenantId, mailboxId, ended);
  else await explainEnding(trx, tenantId, mailboxId, ended);
  return false;
}

/**
 * Says better why a mailbox cannot send that is known not to: the newest and strongest reason counts, see `outweighs.ts`.
 * Nothing where it can, as far as is known.
 */
export async function explainEnding(
  trx: Database,
  tenantId: string,
  mailboxId: string,
  heard: Heard & { readonly at: Date },
): Promise<void> {
  const known = await knownOf(trx, tenantId, mailboxId, 'paused', 'needs_reconnect');
  if (known?.reason == null) return;
  if (outweighs(heard, { reason: readReason(known.reason), sure: known.sure }))
    await explain(trx, tenantId, mailboxId, heard);
}

function knownOf(trx: Database, tenantId: string, mailboxId: string, ...states: ('paused' | 'needs_reconnect')[]) {
  return trx
    .selectFrom('mailboxes')
    .select(['state_reason as reason', 'state_sure as sure'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .where('state', 'in', states)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

async function explain(
  trx: Database,
  tenantId: string,
  mailboxId: string,
  { reason, sure, at }: Heard & { readonly at: Date },
): Promise<void> {
  await trx
    .updateTable('mailboxes')
    .set({ state_reason: reason, state_sure: sure })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .execute();
  await writeMailboxEvent(trx, tenantId, { mailboxId, kind: 'explained', reason, sure, at });
}

/**
 * Takes “needs reconnecting” back, because its grant works after all: Google has just renewed it. What Gmail itself
 * said (a missing permission, the administrator) is only taken back where Gmail has just been asked, too.
 *
 * @param proof what has just worked
 * @returns whether the mailbox is active again by this call; what it held can then be released
 */
export async function recoverMailbox(
  trx: Database,
  tenantId: string,
  mailboxId: string,
  at: Date,
  proof: 'token' | 'gmail',
): Promise<boolean> {
  const works = { state_reason: null, state_sure: true };
  const wrong = (state: 'needs_reconnect' | 'paused', set: typeof works & { state?: 'active'; state_at?: Date }) =>
    trx
      .updateTable('mailboxes')
      .set(set)
      .where('tenant_id', '=', tenantId)
      .where('id', '=', mailboxId)
      .where('state', '=', state)
      .where('state_reason', 'is not', null)
      .$if(proof === 'token', (query) =>
        // A guess is nothing that Gmail said.
        query.where((where) =>
          where.or([where('state_reason', 'not in', saidByGmail), where('state_sure', '=', false)]),
        ),
      )
      .executeTakeFirst();
  await wrong('paused', works);
  const { numUpdatedRows } = await wrong('needs_reconnect', { ...works, state: 'active', state_at: at });
  if (numUpdatedRows === 0n) return false;
  await writeMailboxEvent(trx, tenantId, { mailboxId, kind: 'recovered', at });
  return true;
}

/**
 * Pauses a mailbox: nothing leaves through it until somebody resumes it. What is wrong with its connection, if
 * anything, is kept.
 *
 * @returns false where it is paused already, or disconnected
 */
export async function pauseMailbox(trx: Database, tenantId: string, mailboxId: string, by: ByMember): Promise<boolean> {
  const { memberId, at } = by;
  const paused = await trx
    .updateTable('mailboxes')
    .set({ state: 'paused', state_at: at, paused_by: memberId })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .where('state', 'in', ['active', 'needs_reconnect'])
    .returning('email')
    .executeTakeFirst();
  if (!paused) return false;
  await writeMailboxEvent(trx, tenantId, { mailboxId, kind: 'paused', memberId, at });
  await noteChange(trx, tenantId, by, { kind: 'mailbox_paused', mailbox: paused.email });
  return true;
}

/**
 * Ends a pause. Where the connection ended meanwhile it must be connected again, and that is told as if it had ended now.
 *
 * @returns the state it has from now on, or undefined where it was not paused
 */
export async function resumeMailbox(
  trx: Database,
  tenantId: string,
  mailboxId: string,
  by: ByMember,
): Promise<'active' | 'needs_reconnect' | undefined> {
  const { memberId, at } = by;
  const paused = await trx
    .selectFrom('mailboxes')
    .select(['email', 'state_reason as reason', 'state_sure as sure'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .where('state', '=', 'paused')
    .forUpdate()
    .executeTakeFirst();
  if (!paused) return undefined;
  const state = paused.reason === null ? 'active' : 'needs_reconnect';
  await trx
    .updateTable('mailboxes')
    .set({ state, state_at: at, paused_by: null })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .execute();
  await writeMailboxEvent(trx, tenantId, { mailboxId, kind: 'resumed', memberId, at });
  await noteChange(trx, tenantId, by, { kind: 'mailbox_resumed', mailbox: paused.email });
  const { reason, sure } = paused;
  // Whoever resumes it sees the reason on the page: no email besides.
  if (reason !== null)
    await writeMailboxEvent(trx, tenantId, { mailboxId, kind: 'ended', reason, sure, at, noticedAt: at });
  return state;
}
