import { sql } from 'kysely';
import type { Logger } from 'pino';
import { formatNumber } from '../documents/format.ts';
import { endedWords, readReason } from '../mailboxes/ended-words.ts';
import type { MailboxRecord } from '../mailboxes/mailboxes.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import { findUntoldEndings } from '../tenants/system-upkeep.ts';
import { getTenant, localeOf, releaseHoursOf } from '../tenants/tenants.ts';
import { createDelivery } from './create.ts';
import { findNoticeSender, type Person } from './notice-sender.ts';

/** What telling people of an ended connection needs. */
export interface NoticeContext {
  readonly db: Database;
  readonly system: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** Our own origin, for the way to the settings. */
  readonly publicUrl: string;
}

const pageSize = 50;
/** Owners and admins beyond these are told by the banner. */
const mostRecipients = 20;

/**
 * Writes an email to whoever can reconnect a mailbox that has just ended, through another one of the company that
 * works, if there is one. Once for each ending, whatever number of workers look: the row of the ending is locked, marked
 * in the same transaction as the email is written, and the email's key is the ending's.
 *
 * @returns how many emails were written
 */
export async function tellEndings(ctx: NoticeContext): Promise<number> {
  let written = 0;
  for (const { id, tenantId } of await findUntoldEndings(ctx.system, pageSize)) {
    if (await inTenant(ctx.db, tenantId, (trx) => tellEnding(ctx, trx, tenantId, id))) written += 1;
  }
  return written;
}

interface Ending {
  readonly mailboxId: string;
  readonly email: string;
  /** Who connected it for themselves; null where owners and admins look after it: a shared or a delegated one. */
  readonly memberId: string | null;
  /** Nobody's connection, and without a page of its own. */
  readonly delegated: boolean;
  readonly reason: string | null;
  readonly sure: boolean;
}

async function tellEnding(ctx: NoticeContext, trx: Database, tenantId: string, eventId: string): Promise<boolean> {
  const ending = await takeEnding(trx, tenantId, eventId, ctx.clock());
  if (!ending) return false;
  const people = await whoCanReconnect(trx, tenantId, ending.memberId);
  const sender = await findNoticeSender(trx, tenantId, people, ending.mailboxId);
  if (!sender) return false;
  const waiting = {
    count: await countHeld(trx, tenantId, ending.mailboxId),
    hours: await releaseHoursOf(trx, tenantId),
    locale: localeOf(await getTenant(trx, tenantId)),
  };
  const result = await createDelivery(trx, ctx.clock, {
    tenantId,
    memberId: sender.memberId,
    idempotencyKey: `mailbox-ended/${eventId}`,
    recipients: { to: people.map(({ name, email }) => ({ name, email })), cc: [], bcc: [] },
    ...compose(ending, sender.mailbox, waiting, { publicUrl: ctx.publicUrl, tenantId }),
    document: null,
    notice: { mailboxId: sender.mailbox.id, email: sender.mailbox.email },
  });
  if (result.kind === 'created') return !result.repeated;
  ctx.log.warn({ tenantId, mailboxId: ending.mailboxId, result: result.kind }, 'nobody could be told by email');
  return false;
}

/** The ending, marked as told; undefined where another worker has it, or the mailbox works again. */
async function takeEnding(trx: Database, tenantId: string, eventId: string, now: Date): Promise<Ending | undefined> {
  const event = await trx
    .selectFrom('mailbox_events')
    .select(['mailbox_id', 'at'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', eventId)
    .where('noticed_at', 'is', null)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  if (!event) return undefined;
  await trx
    .updateTable('mailbox_events')
    .set({ noticed_at: now })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', eventId)
    .execute();
  // The reason as it is known by now: it may have become a better one.
  return (
    trx
      .selectFrom('mailboxes')
      .select(['id as mailboxId', 'email'])
      .select(sql<string | null>`case when delegated then null else member_id end`.as('memberId'))
      .select(['delegated', 'state_reason as reason', 'state_sure as sure'])
      .where('tenant_id', '=', tenantId)
      .where('id', '=', event.mailbox_id)
      .where('state', '=', 'needs_reconnect')
      // It may have been connected again and have ended anew: that ending has a line of its own.
      .where('state_at', '=', event.at)
      .executeTakeFirst()
  );
}

/** Owners and admins; for a mailbox that a member connected for themselves, that member. */
async function whoCanReconnect(trx: Database, tenantId: string, memberId: string | null): Promise<Person[]> {
  return trx
    .selectFrom('members')
    .select(['id', 'name', 'email'])
    .where('tenant_id', '=', tenantId)
    .where('removed_at', 'is', null)
    .$if(memberId === null, (query) => query.where('role', 'in', ['owner', 'admin']))
    .$if(memberId !== null, (query) => query.where('id', '=', memberId))
    .orderBy('role')
    .orderBy('created_at')
    .limit(mostRecipients)
    .execute();
}

async function countHeld(trx: Database, tenantId: string, mailboxId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .where('state', '=', 'held')
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Subject and text. Pure. */
function compose(
  ending: Ending,
  through: MailboxRecord,
  { count, hours, locale }: { readonly count: number; readonly hours: number; readonly locale: string },
  { publicUrl, tenantId }: { readonly publicUrl: string; readonly tenantId: string },
) {
  const { what, fix, title } = endedWords({ reason: readReason(ending.reason), sure: ending.sure }, ending.email);
  // With a delegation all of its mailboxes end, and that is told once.
  const byDelegation = ending.reason === 'delegation_ended';
  const waits =
    count === 0
      ? 'What is sent from it waits until then; nothing is lost.'
      : `${count === 1 ? 'One email waits' : `${formatNumber(String(count), locale)} emails wait`} until then; nothing is lost.`;
  const limit = hours === 1 ? 'an hour' : `${hours} hours`;
  const goes =
    hours === 0
      ? 'What waited is then listed, and you decide about it.'
      : `What waited for less than ${limit} then goes out by itself; about the rest you decide.`;
  const page = ending.delegated ? '/settings/email' : `/mailboxes/${ending.mailboxId}`;
  const message = [
    `Letterhead cannot send from ${byDelegation ? `addresses like ${ending.email}` : ending.email} any more.`,
    `What happened: ${what}`,
    `What to do: ${fix}`,
    // Whoever looks at another company of theirs by then is asked to switch.
    `Here you can do it: ${publicUrl}${page}?company=${tenantId}`,
    `${waits} ${goes}`,
    `Letterhead wrote this by itself, through ${through.email}, which still works. It is sent once.`,
  ].join('\n\n');
  const subject = byDelegation ? 'Google Workspace must be looked after in Letterhead' : title;
  return { subject, message };
}
