import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { capabilitiesOf } from '../mailboxes/capabilities.ts';
import { failed, notPossible, passed, type Step } from '../mailboxes/check-up-step.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { DeliveryState } from '../platform/database-types.ts';
import { createDelivery, type SendResult } from './create.ts';

/** How long after Gmail took it the proof is waited for. */
const proofWithinMs = 90_000;

/** The test email of a check-up, and what is known of it. */
export interface TestEmailFacts {
  readonly id: string;
  readonly state: DeliveryState;
  readonly notBefore: Date | null;
  readonly createdAt: Date;
  readonly fromEmail: string;
  readonly sentAt: Date | null;
  /** When Gmail was asked what it really used; null where it was not, or not yet. */
  readonly provenAt: Date | null;
  readonly usedFrom: string | null;
  readonly messageId: string | null;
  /** The latest sentence of its timeline. */
  readonly lastDetail: string | null;
  /** Whether the mailbox may look at what it sent. */
  readonly mayLook: boolean;
  /** What it waits for, in sentences; null where it does not wait, or nobody asked. */
  readonly waits?: { readonly stays: boolean; readonly words: string } | null | undefined;
}

/** Sends a mailbox an email from itself: an ordinary delivery, whatever the company's rules say of other email. */
export function sendTestEmail(
  trx: Database,
  clock: Clock,
  { tenantId, memberId }: { readonly tenantId: string; readonly memberId: string },
  mailbox: { readonly id: string; readonly email: string; readonly displayName: string },
  key: string = randomUUID(),
): Promise<SendResult> {
  return createDelivery(trx, clock, {
    ...{ tenantId, memberId, document: null, idempotencyKey: `${keyOf(mailbox.id)}${key}` },
    recipients: { to: [{ name: mailbox.displayName, email: mailbox.email }], cc: [], bcc: [] },
    subject: 'Check-up: a test email to itself',
    message: `This is a test of ${mailbox.email} by Letterhead. If you can read it, it went there and back. You can delete it.`,
    through: { mailboxId: mailbox.id, email: mailbox.email },
  });
}

const keyOf = (mailboxId: string) => `check-up/${mailboxId}/`;

/** The last test email of a mailbox's check-ups, or undefined. */
export async function lastTestEmail(
  trx: Database,
  tenantId: string,
  mailboxId: string,
): Promise<TestEmailFacts | undefined> {
  const row = await trx
    .selectFrom('deliveries')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .leftJoin('grants', 'grants.mailbox_id', 'deliveries.mailbox_id')
    .select(['deliveries.id', 'deliveries.state', 'not_before as notBefore', 'deliveries.created_at as createdAt'])
    .select(['from_email as fromEmail', 'sent_at as sentAt', 'proven_at as provenAt', 'sent_from as usedFrom'])
    .select(['sent_message_id as messageId', 'mailboxes.wanted', 'grants.scopes'])
    .select(
      sql<
        string | null
      >`(select detail from delivery_events where delivery_id = deliveries.id order by id desc limit 1)`.as(
        'lastDetail',
      ),
    )
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.mailbox_id', '=', mailboxId)
    .where(sql<boolean>`starts_with(idempotency_key, ${keyOf(mailboxId)})`)
    .orderBy('deliveries.created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row) return undefined;
  const { wanted, scopes, ...email } = row;
  return { ...email, mayLook: capabilitiesOf(scopes ?? [], wanted).includes('tracking') };
}

/**
 * What a test email shows. Pure; null while it is under way.
 *
 * @param now by the product's clock
 */
export function judgeTestEmail(email: TestEmailFacts, now: Date): Step | null {
  const step = ['test_email', 'A test email to itself'] as const;
  const why = email.lastDetail ?? '';
  switch (email.state) {
    case 'sending':
      return null;
    case 'queued':
    case 'held': {
      if (email.waits && !email.waits.stays)
        return notPossible(...step, `It has not left yet. ${email.waits.words}`, 'Open this page again after that.');
      if (email.state === 'queued' && !email.waits) return null;
      const words = email.waits?.words ?? why;
      return failed(...step, `It waits and has not left. ${words}`.trim(), 'Open the email to see what it waits for.');
    }
    case 'failed':
      return failed(...step, `It was not sent. ${why}`.trim(), 'Open the email to see what Gmail said.');
    case 'unconfirmed':
      return failed(
        ...step,
        'Gmail may have sent it; its answer was lost.',
        'Look into the inbox of this account, then open the email and say what you found.',
      );
    case 'cancelled':
      return notPossible(...step, 'It was cancelled before it left.');
    case 'sent':
      return judgeSent(step, email, now);
    default:
      return email.state satisfies never;
  }
}

function judgeSent(step: readonly [string, string], email: TestEmailFacts, now: Date): Step | null {
  const { fromEmail, usedFrom, messageId, sentAt, provenAt, mayLook } = email;
  if (provenAt) {
    if (usedFrom !== null && usedFrom !== fromEmail.toLowerCase()) {
      return failed(
        ...step,
        `Gmail sent it from ${usedFrom} instead of ${fromEmail}.`,
        `In Gmail, Settings → Accounts and Import → Send mail as, see which address is the default, and that ${fromEmail} is listed.`,
      );
    }
    return passed(...step, `Gmail sent it from ${usedFrom ?? fromEmail}${messageId ? ` as ${messageId}` : ''}.`);
  }
  const look = `Look into the inbox of ${fromEmail}: it should be there.`;
  if (!mayLook)
    return notPossible(...step, 'Gmail accepted it. Whether it arrived cannot be seen without “Look into Sent”.', look);
  if (sentAt && now.getTime() - sentAt.getTime() < proofWithinMs) return null;
  return notPossible(...step, 'Gmail accepted it, and could not be asked what it sent.', look);
}
