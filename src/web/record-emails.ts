import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { listPapers, type Paper } from '../deliveries/papers.ts';
import { type NewVersion, type Revised, reviseWaitingEmails } from '../deliveries/revise.ts';
import { unsendable } from '../deliveries/sendable.ts';
import { listWaitingEmails, type WaitingEmail } from '../deliveries/waiting-emails.ts';
import { storedContent } from '../documents/content.ts';
import type { DocumentContent } from '../documents/document.ts';
import type { FormProblem } from '../documents/form.ts';
import { pdfName } from '../documents/format.ts';
import { headOf } from '../documents/pdf/head.ts';
import type { DocumentRecord } from '../documents/store.ts';
import type { Database } from '../platform/database.ts';
import { inTurns } from '../platform/turns.ts';
import { inTenant } from '../tenants/scope.ts';
import { getTenant, type Tenant } from '../tenants/tenants.ts';
import type { WebContext } from './context.ts';
import { lettersWords } from './letters-words.ts';
import { type EmailChoice, readEmailChoice } from './paper-words.ts';
import { missingLetters, recordPdf } from './record-pdf.ts';
import { onlookerOf, type Viewer } from './viewer.ts';

/** The emails of a record that its editing touches. */
export interface RecordEmails {
  /** They wait, and the viewer decides which version leaves. */
  readonly changeable: readonly WaitingEmail[];
  /** They wait too, and keep their version: the viewer may not decide about them, or the record cannot be sent any more. */
  readonly keeping: readonly WaitingEmail[];
  /** Just being sent, or possibly sent. */
  readonly leaving: readonly WaitingEmail[];
  /** What the customer has, as far as the viewer may see it. */
  readonly sent: Paper | undefined;
}

/** Reads {@link RecordEmails}. */
export async function emailsOfRecord(trx: Database, viewer: Viewer, record: DocumentRecord): Promise<RecordEmails> {
  const onlooker = onlookerOf(viewer);
  const waiting = await listWaitingEmails(trx, viewer.tenantId, onlooker, record.id);
  const papers = await listPapers(trx, viewer.tenantId, onlooker, record.id);
  const isSendable = unsendable(record.status, true) === null;
  const isChangeable = (email: WaitingEmail) => email.isUnsent && email.mayDecide && isSendable;
  return {
    changeable: waiting.filter(isChangeable),
    keeping: waiting.filter((email) => email.isUnsent && !isChangeable(email)),
    leaving: waiting.filter((email) => !email.isUnsent),
    sent: papers.find(({ state }) => state === 'sent'),
  };
}

/** What a form says about the emails that wait: the choice, and those that it named. */
export interface EmailAnswer {
  readonly choice: EmailChoice | undefined;
  readonly named: readonly string[];
}

/** Reads {@link EmailAnswer} of a posted form. */
export function readEmailAnswer(body: unknown): EmailAnswer {
  const fields = Object(body);
  const ids = typeof fields.waits === 'string' ? fields.waits.split(',').slice(0, 500) : [];
  return {
    choice: readEmailChoice(fields.emails),
    named: ids.filter((id: string) => z.uuid().safeParse(id).success),
  };
}

/** What must be answered before a change is saved: which version the emails carry that wait. */
export function emailQuestion(
  { changeable }: RecordEmails,
  { choice, named }: EmailAnswer,
  before: DocumentContent,
  after: DocumentContent,
): FormProblem[] {
  if (changeable.length === 0 || isDeepStrictEqual(before, after)) return [];
  const field = 'emails';
  if (choice === undefined) {
    const one = 'An email with this record waits to be sent. Say which version it carries.';
    const many = `${changeable.length} emails with this record wait to be sent. Say which version they carry.`;
    return [{ field, message: changeable.length === 1 ? one : many }];
  }
  if (changeable.every(({ id }) => named.includes(id))) return [];
  return [
    { field, message: 'Another email with this record was written meanwhile. Look at the list, and choose again.' },
  ];
}

/**
 * The paper of a record's new content, made before the transaction that saves it; the content is as it will be stored.
 * Or why it cannot be sent: it has letters that no font has.
 */
export async function newPaper(
  ctx: WebContext,
  tenantId: string,
  before: DocumentRecord,
  content: DocumentContent,
): Promise<Omit<NewVersion, 'record'> | FormProblem> {
  const tenant: Tenant = await inTenant(ctx.db, tenantId, (trx) => getTenant(trx, tenantId));
  const record = { ...before, content: await inTurns(storedContent(content)) };
  const letters = await missingLetters(ctx, tenant, record);
  if (letters.length > 0) {
    const message = `${lettersWords(letters)} So the new version cannot be sent. Write them in another way, or keep the old version in the email.`;
    return { field: 'emails', message };
  }
  return {
    before,
    head: headOf(tenant),
    fileName: pdfName(record.content, tenant.name),
    pdf: await recordPdf(ctx, tenant, record),
  };
}

/** Lets the emails that a form named carry the new version, where it says so. */
export async function carryNewVersion(
  ctx: WebContext,
  trx: Database,
  viewer: Viewer,
  { named }: EmailAnswer,
  version: NewVersion,
): Promise<Revised> {
  if (unsendable(version.record.status, true) !== null) return { ids: [], tooLate: 0 };
  return reviseWaitingEmails(ctx, trx, viewer.tenantId, onlookerOf(viewer), named, version);
}
