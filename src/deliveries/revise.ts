import { createHash, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Head } from '../documents/pdf/head.ts';
import type { DocumentRecord } from '../documents/store.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import { attachSameFiles } from './attached-files.ts';
import { followRecord } from './follow-record.ts';
import { keepFiles } from './freeze.ts';
import { isDecidedBy, type Onlooker } from './onlooker.ts';
import { addresseeOf, type Recipients, recipientsSchema } from './recipients.ts';
import { moveDelivery } from './state.ts';
import { isUnsent } from './waiting-emails.ts';

/** The new version of a record, under the company's head. */
export interface Version {
  readonly before: DocumentRecord;
  readonly record: DocumentRecord;
  readonly head: Head;
}

/** The same with its paper. */
export interface NewVersion extends Version {
  readonly fileName: string;
  readonly pdf: Uint8Array;
}

/** What became of the emails that were to carry it. */
export interface Revised {
  /** The new emails. */
  readonly ids: readonly string[];
  /** How many had left, were leaving, or may have left: they went out, if they did, with the old version. */
  readonly tooLate: number;
}

/**
 * Sends the new version of a record instead of the one that waits. What was frozen stays what it was: the old email is
 * cancelled for good, and a copy of it (sender, recipients, moment, hold, run) takes its place, with the new paper and with
 * the record's new values in its text. Both in one transaction, so that one of the two leaves, once: what a worker had
 * taken before is left alone, and asking twice finds nothing to replace.
 *
 * @param trx the transaction that changes the record
 */
export async function reviseWaitingEmails(
  { clock }: { readonly clock: Clock },
  trx: Database,
  tenantId: string,
  onlooker: Onlooker,
  deliveryIds: readonly string[],
  version: NewVersion,
): Promise<Revised> {
  if (deliveryIds.length === 0) return { ids: [], tooLate: 0 };
  const ids = sql<string>`any(${[...deliveryIds]}::uuid[])`;
  // Whoever lets go of what waits for a mailbox or a run holds its row meanwhile, and would miss a copy made now.
  await sql`select from mailboxes where id in (select mailbox_id from deliveries where id = ${ids}) order by id for share`.execute(
    trx,
  );
  await sql`select from runs where id in (select run_id from deliveries where id = ${ids}) order by id for share`.execute(
    trx,
  );
  await sql`select from deliveries where id = ${ids} order by id for no key update`.execute(trx);
  const old = await trx
    .selectFrom('deliveries')
    .select(['id', 'state', 'recipients', 'subject', 'message'])
    .where('tenant_id', '=', tenantId)
    .where('document_id', '=', version.record.id)
    .where('id', '=', ids)
    .where(isUnsent)
    .where(isDecidedBy(onlooker))
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  const at = clock();
  const made: string[] = [];
  for (const email of old) {
    const { state } = email;
    if (state !== 'queued' && state !== 'held') continue;
    made.push(await replace(trx, tenantId, { ...email, state }, version, { at, memberId: onlooker.memberId }));
  }
  if (old.some(({ state }) => state === 'queued')) await wake(trx, 'waiting');
  const { count } = await trx
    .selectFrom('deliveries')
    .select(sql<number>`count(*)::int`.as('count'))
    .where('tenant_id', '=', tenantId)
    .where('document_id', '=', version.record.id)
    .where('id', '=', ids)
    .where('state', 'not in', ['cancelled', 'failed'])
    .where(sql<boolean>`not ${isUnsent}`)
    .executeTakeFirstOrThrow();
  return { ids: made, tooLate: count };
}

/** An email that another takes the place of. */
export interface OldEmail {
  readonly id: string;
  readonly state: 'queued' | 'held';
  readonly recipients: unknown;
  readonly subject: string;
  readonly message: string;
}

/**
 * Puts an email with the new version in the place of one that certainly waits.
 *
 * @param version without its paper: that is made when it is needed
 */
export async function replace(
  trx: Database,
  tenantId: string,
  old: OldEmail,
  version: Version | NewVersion,
  by: { readonly at: Date; readonly memberId: string },
): Promise<string> {
  const { before, record, head } = version;
  const id = randomUUID();
  const subject = followRecord(old.subject, before, record, head.locale);
  const message = followRecord(old.message, before, record, head.locale);
  const recipients = followAddress(recipientsSchema.parse(old.recipients), before, record);
  await sql`
    insert into deliveries (id, tenant_id, purpose, document_id, member_id, mailbox_id, account, rule_mode, from_email,
      from_name, reply_to, recipients, subject, message, document_snapshot, head, frozen_at, state, state_at, held_reason,
      not_before, scheduled_for, any_time, though_paid, idempotency_key, request_hash, lane, run_id, created_at)
    select ${id}::uuid, tenant_id, purpose, document_id, member_id, mailbox_id, account, rule_mode, from_email,
      from_name, reply_to, ${JSON.stringify(recipients)}::jsonb, ${subject.text}, ${message.text},
      ${JSON.stringify(record.content)}::jsonb, ${JSON.stringify(head)}::jsonb, ${by.at}::timestamptz, state, state_at,
      held_reason, not_before, scheduled_for, any_time, though_paid, 'version:' || id, 'version', lane, run_id, ${by.at}::timestamptz
    from deliveries where tenant_id = ${tenantId}::uuid and id = ${old.id}::uuid`.execute(trx);
  if ('pdf' in version) {
    const { fileName, pdf } = version;
    const bytes = Buffer.from(pdf);
    const file = { fileName, sha256: createHash('sha256').update(bytes).digest('hex'), bytes };
    await keepFiles(trx, tenantId, new Map([[id, file]]));
  }
  await attachSameFiles(trx, tenantId, old.id, id);
  const detail = 'Replaced by an email with the new version.';
  await moveDelivery(trx, tenantId, old.id, { ...by, from: old.state, to: 'cancelled', detail });
  await trx.updateTable('deliveries').set({ replaced_by: id }).where('id', '=', old.id).execute();
  const replaced = new Map([...subject.replaced, ...message.replaced].map((each) => [each.from, each]));
  const words = [...replaced.values()].map(({ from, to }) => ` “${from}” became “${to}” in its text.`).join('');
  await sql`
    insert into delivery_events (tenant_id, delivery_id, at, state, held_reason, detail, member_id)
    select tenant_id, id, ${by.at}::timestamptz, state, held_reason,
      ${`Takes the place of the email with the old version.${words}`}, ${by.memberId}::uuid
    from deliveries where id = ${id}::uuid`.execute(trx);
  return id;
}

/** What went to the record's own addresses goes to its new ones. */
function followAddress(recipients: Recipients, before: DocumentRecord, after: DocumentRecord): Recipients {
  const [was, is] = [before, after].map(({ content }) => addresseeOf(content.party, undefined));
  const emails = (to: Recipients['to']) => to.map(({ email }) => email).join();
  if (was?.kind !== 'addresses' || is?.kind !== 'addresses') return recipients;
  return emails(recipients.to) === emails(was.to) && emails(was.to) !== emails(is.to)
    ? { ...recipients, to: is.to }
    : recipients;
}
