import { z } from 'zod';
import type { DeliveryRecord } from '../deliveries/delivery.ts';
import { enclosedWords } from '../deliveries/enclosed-words.ts';
import { addresseeOf, filledInTo, type Recipients, readRecipients } from '../deliveries/recipients.ts';
import { titleOf } from '../documents/format.ts';
import { readersLocale } from '../documents/locale.ts';
import type { Party } from '../documents/parties.ts';
import type { DocumentRecord } from '../documents/store.ts';
import { fittingName, formatAddresses } from '../platform/address.ts';
import { oneLine } from '../platform/plain-text.ts';
import type { SendingRules } from '../tenants/sending-rules.ts';
import { localeOf, type Tenant } from '../tenants/tenants.ts';
import { readChosenTime } from './send-time.ts';

/** The send page as it was filled in, so that nothing typed is lost. */
export interface SendForm {
  /** Made when the form is shown: the same form sent twice is one email. */
  readonly key: string;
  /** The version of the record that the preview showed. */
  readonly version: number;
  /** What the page showed, as marks of its parts; see `send-marks.ts`. Empty for a program that saw no page. */
  readonly preview: string;
  readonly to: string;
  readonly cc: string;
  readonly bcc: string;
  readonly subject: string;
  readonly message: string;
  /** Which button was pressed. */
  readonly when: 'now' | 'later';
  /** For later: the company's clock, as `<input type="datetime-local">` writes it. */
  readonly sendAt: string;
  readonly anyTime: boolean;
  /** The earlier deliveries that the page named, where “send it again” was ticked. */
  readonly again: readonly string[];
  /** “Send it although it is paid” was ticked. */
  readonly thoughPaid: boolean;
  /** Which of the record's files are ticked to go along, as their places were sent. */
  readonly files: readonly string[];
}

/** The same, understood. */
export interface FormEmail {
  readonly idempotencyKey: string;
  readonly recipients: Recipients;
  readonly subject: string;
  readonly message: string;
  readonly sendAt: Date | null;
  readonly anyTime: boolean;
  readonly inSpiteOf: readonly string[];
  readonly thoughPaid: boolean;
  /** The places of the record's files that go along; one that is no place is -1, which no file has. */
  readonly files: readonly number[];
}

/**
 * The send page filled in for a record.
 *
 * @param contact the contact that the record belongs to
 */
export function filledIn(
  record: DocumentRecord,
  contact: Party | undefined,
  tenant: Tenant,
  memberName: string,
  key: string,
): SendForm {
  const { content } = record;
  const locale = readersLocale(content.party, localeOf(tenant));
  const addressee = addresseeOf(content.party, contact);
  const attached = enclosedWords({ ...content, ...record }, locale);
  return {
    key,
    version: record.version,
    to: filledInTo(addressee),
    cc: '',
    bcc: '',
    subject: `${titleOf(record)} from ${tenant.name}`,
    message: `Hello ${addressee.contact},\n\nplease find attached ${attached}.\n\nKind regards\n${memberName}\n${tenant.name}`,
    ...{ preview: '', when: 'now', sendAt: '', anyTime: false, again: [], thoughPaid: false, files: [] },
  };
}

/** The same with the words, recipients and files of an email that was written before, to be corrected. */
export function takenUp(
  form: SendForm,
  { recipients, subject, message, files }: Pick<DeliveryRecord, 'recipients' | 'subject' | 'message' | 'files'>,
): SendForm {
  const people = (field: keyof Recipients) => formatAddresses(recipients[field]);
  return {
    ...form,
    to: people('to'),
    cc: people('cc'),
    bcc: people('bcc'),
    subject,
    message,
    files: files.map(({ place }) => String(place)),
  };
}

const text = z.string().catch('');
const ticked = z
  .literal('yes')
  .transform(() => true)
  .catch(false);
const formSchema = z.object({
  key: z.uuid().catch(''),
  version: z.coerce.number().int().catch(0),
  to: text,
  cc: text,
  bcc: text,
  subject: text,
  message: text,
  preview: text,
  when: z.enum(['now', 'later']).catch('now'),
  sendAt: text,
  anyTime: ticked,
  thoughPaid: ticked,
  // One box sends a text, several a list; anything else was no box of ours.
  files: z
    .union([z.string().transform((place) => [place]), z.array(z.string()), z.undefined().transform(() => [])])
    .catch(['?']),
  again: text.transform((ids) => ids.split(',').filter((id) => z.uuid().safeParse(id).success)),
});

/** Reads the send page, under the company's rules. `email` is null when there are problems; each names its field. */
export function readSendForm(
  body: unknown,
  rules: SendingRules,
  { now, locale }: { readonly now: Date; readonly locale: string },
): {
  form: SendForm;
  email: FormEmail | null;
  problems: { field: string; message: string }[];
} {
  const form = formSchema.parse(body ?? {});
  const read = readRecipients(form);
  const { recipients } = read;
  const problems: { field: string; message: string }[] = [...read.problems];
  const subject = oneLine(form.subject);
  if (subject === '') problems.push({ field: 'subject', message: 'Write a subject.' });
  if (subject.length > 500)
    problems.push({ field: 'subject', message: 'The subject is longer than 500 characters. Shorten it.' });
  if (form.message.trim() === '') problems.push({ field: 'message', message: 'Write a message.' });
  if (form.message.length > 100_000)
    problems.push({ field: 'message', message: 'The message is longer than 100000 characters. Shorten it.' });
  if (form.key === '')
    problems.push({ field: 'document', message: 'This page was too old. Look it over and press Send again.' });
  const { anyTime, thoughPaid, again: inSpiteOf } = form;
  const chosen = form.when === 'later' ? readChosenTime(form.sendAt, rules, { anyTime, now, locale }) : { at: null };
  if ('message' in chosen) problems.push({ field: 'sendAt', message: chosen.message });
  const sendAt = 'at' in chosen ? chosen.at : null;
  const message = form.message.replaceAll('\r\n', '\n');
  const files = form.files.map((place) => (/^\d{1,4}$/.test(place) ? Number(place) : -1));
  const email = {
    ...{ idempotencyKey: form.key, recipients, subject, message, sendAt, anyTime, inSpiteOf, thoughPaid, files },
  };
  return {
    form: form.key ? form : { ...form, key: crypto.randomUUID() },
    email: problems.length === 0 ? email : null,
    problems,
  };
}

/** A test email to oneself. */
export function testEmail(
  viewer: { name: string; email: string; tenant: { name: string } },
  key: string,
): Pick<FormEmail, 'idempotencyKey' | 'recipients' | 'subject' | 'message'> {
  return {
    idempotencyKey: key,
    recipients: { to: [{ name: fittingName(viewer.name, viewer.email), email: viewer.email }], cc: [], bcc: [] },
    subject: `Test from ${viewer.tenant.name}`,
    message: `Hello ${viewer.name},\n\nthis is a test. If you can read it, Letterhead sends from your Gmail.\nLook at the From line: that is what your customers will see.`,
  };
}
