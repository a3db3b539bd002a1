import { z } from 'zod';
import { formatAddress, maxRecipients, parseAddresses, type Recipients } from '../deliveries/recipients.ts';
import { formatDate, formatMoney, keyDate, kindWords } from '../documents/format.ts';
import type { DocumentRecord } from '../documents/store.ts';
import { localeOf, type Tenant } from '../tenants/tenants.ts';

/** The send page as it was filled in, so that nothing typed is lost. */
export interface SendForm {
  /** Made when the form is shown: the same form sent twice is one email. */
  readonly key: string;
  /** The version of the record that the preview showed. */
  readonly version: number;
  readonly to: string;
  readonly cc: string;
  readonly bcc: string;
  readonly subject: string;
  readonly message: string;
}

/** The same, understood. */
export interface FormEmail {
  readonly idempotencyKey: string;
  readonly recipients: Recipients;
  readonly subject: string;
  readonly message: string;
}

/** The send page filled in for a record. */
export function filledIn(record: DocumentRecord, tenant: Tenant, memberName: string, key: string): SendForm {
  const { content } = record;
  const locale = localeOf(tenant);
  const kind = kindWords[record.kind];
  const { party } = content;
  const date = keyDate(content);
  const amount = formatMoney(record.payable, record.currency, locale);
  const what =
    record.kind === 'purchase_order'
      ? `our ${kind.lower} ${record.number}`
      : `${kind.lower} ${record.number} for ${amount}`;
  const when = date ? `, ${dateWords(record.kind, formatDate(date.date, locale))}` : '';
  return {
    key,
    version: record.version,
    to: party.email ? formatAddress({ name: party.contactName ?? party.name, email: party.email }) : '',
    cc: '',
    bcc: '',
    subject: `${kind.title} ${record.number} from ${tenant.name}`,
    message: `Hello ${party.contactName ?? party.name},\n\nplease find attached ${what}${when}.\n\nKind regards\n${memberName}\n${tenant.name}`,
  };
}

function dateWords(kind: DocumentRecord['kind'], date: string): string {
  switch (kind) {
    case 'invoice':
      return `due on ${date}`;
    case 'credit_note':
      return `dated ${date}`;
    case 'quote':
      return `valid until ${date}`;
    case 'purchase_order':
      return `for delivery on ${date}`;
    default:
      return kind satisfies never;
  }
}

const text = z.string().catch('');
const formSchema = z.object({
  key: z.uuid().catch(''),
  version: z.coerce.number().int().catch(0),
  to: text,
  cc: text,
  bcc: text,
  subject: text,
  message: text,
});

/** Reads the send page. `email` is null when there are problems; each names its field. */
export function readSendForm(body: unknown): {
  form: SendForm;
  email: FormEmail | null;
  problems: { field: string; message: string }[];
} {
  const form = formSchema.parse(body ?? {});
  const problems: { field: string; message: string }[] = [];
  const people = (field: 'to' | 'cc' | 'bcc') => {
    const { addresses, unreadable } = parseAddresses(form[field]);
    if (unreadable.length > 0) {
      problems.push({
        field,
        message: `“${unreadable[0]}” is not an email address. Write it like mira@northgate.example.`,
      });
    }
    return addresses;
  };
  const recipients = { to: people('to'), cc: people('cc'), bcc: people('bcc') };
  if (recipients.to.length === 0 && !problems.some(({ field }) => field === 'to')) {
    problems.push({ field: 'to', message: 'Write whom it goes to.' });
  }
  const count = recipients.to.length + recipients.cc.length + recipients.bcc.length;
  if (count > maxRecipients)
    problems.push({ field: 'to', message: `Gmail takes ${maxRecipients} recipients at most; these are ${count}.` });
  const subject = form.subject.replaceAll(/\s+/g, ' ').trim();
  if (subject === '') problems.push({ field: 'subject', message: 'Write a subject.' });
  if (subject.length > 500)
    problems.push({ field: 'subject', message: 'The subject is longer than 500 characters. Shorten it.' });
  if (form.message.trim() === '') problems.push({ field: 'message', message: 'Write a message.' });
  if (form.message.length > 100_000)
    problems.push({ field: 'message', message: 'The message is longer than 100,000 characters. Shorten it.' });
  if (form.key === '')
    problems.push({ field: 'document', message: 'This page was too old. Look it over and press Send again.' });
  const email = { idempotencyKey: form.key, recipients, subject, message: form.message.replaceAll('\r\n', '\n') };
  return {
    form: form.key ? form : { ...form, key: crypto.randomUUID() },
    email: problems.length === 0 ? email : null,
    problems,
  };
}

/** A test email to oneself. */
export function testEmail(viewer: { name: string; email: string; tenant: { name: string } }, key: string): FormEmail {
  return {
    idempotencyKey: key,
    recipients: { to: [{ name: viewer.name, email: viewer.email }], cc: [], bcc: [] },
    subject: `Test from ${viewer.tenant.name}`,
    message: `Hello ${viewer.name},\n\nthis is a test. If you can read it, Letterhead sends from your Gmail.\nLook at the From line: that is what your customers will see.`,
  };
}
