import { formatDate, formatMoney, wordsOf } from '../../documents/format.ts';
import { readersLocale } from '../../documents/locale.ts';
import { asksNobody, paymentOf } from '../../documents/payment.ts';
import type { DocumentKind } from '../../platform/database-types.ts';
import { oneLine } from '../../platform/plain-text.ts';
import { enclosedWords } from '../enclosed-words.ts';
import { type MergeField, type MergeTemplate, type MergeValues, parseTemplate, TemplateError } from '../merge.ts';
import { addresseeOf, type BadAddress, type Recipients } from '../recipients.ts';
import { unsendable } from '../sendable.ts';
import type { ChosenRecord } from './records.ts';

/** The two texts of a run, as somebody wrote them, with fields in them. */
export interface RunText {
  readonly subject: string;
  readonly message: string;
}

/** What all emails of a run have in common. */
export interface RunCommon {
  readonly kind: DocumentKind;
  readonly companyName: string;
  /** Who starts it. */
  readonly memberName: string;
  /** The company's own, BCP 47, for money and dates where the reader's country is not known. */
  readonly locale: string;
  /** Those that are paid are sent, too. */
  readonly thoughPaid: boolean;
}

/** The texts of a run, understood. */
export interface RunTemplates {
  readonly subject: MergeTemplate;
  readonly message: MergeTemplate;
}

/** What cannot be sent, or should not without a second look, and why. */
export type Reason =
  | { readonly kind: 'draft' | 'cancelled' | 'paid' | 'no_address' | 'recent' }
  | ({ readonly kind: 'bad_address' } & BadAddress)
  /** The text names something that the record does not have. */
  | { readonly kind: 'missing'; readonly field: MergeField }
  | { readonly kind: 'too_long' | 'empty' }
  /** Its PDF would have empty boxes in their place. */
  | ({ readonly kind: 'letters' } & UnprintableLetters);

/** Letters that no font has, and where they stand. */
export interface UnprintableLetters {
  readonly letters: readonly string[];
  readonly of: 'record' | 'company';
}

/** What becomes of a chosen record. */
export type Judgement =
  | ({ readonly kind: 'ready'; readonly recipients: Recipients } & RunText)
  | { readonly kind: 'left_out'; readonly reason: Exclude<Reason, { kind: 'recent' }> };

/** The longest text that somebody may write for a run, and the longest that may come of it for one record. */
export const mostText = { subject: 500, message: 20_000 } as const;

/**
 * Understands the texts of a run.
 *
 * @returns the templates, or what is wrong with which text
 */
export function readTemplates(
  text: RunText,
):
  | { readonly ok: true; readonly templates: RunTemplates }
  | { readonly ok: false; readonly problems: { field: keyof RunText; message: string }[] } {
  const problems: { field: keyof RunText; message: string }[] = [];
  const read = (field: keyof RunText): MergeTemplate | null => {
    const say = (message: string) => {
      problems.push({ field, message });
      return null;
    };
    if (text[field].trim() === '') return say(`Write a ${field}.`);
    if (text[field].length > mostText[field])
      return say(`The ${field} is longer than ${mostText[field]} characters. Shorten it.`);
    try {
      return parseTemplate(text[field]);
    } catch (error) {
      if (error instanceof TemplateError) return say(error.message);
      throw error;
    }
  };
  const subject = read('subject');
  const message = read('message');
  return subject && message ? { ok: true, templates: { subject, message } } : { ok: false, problems };
}

/**
 * Decides what becomes of a record in a run, and puts it into the texts. Pure.
 *
 * @throws {TemplateError} where the text itself is at fault
 */
export function judge(record: ChosenRecord, { subject, message }: RunTemplates, common: RunCommon): Judgement {
  const leftOut = (reason: Exclude<Reason, { kind: 'recent' }>) => ({ kind: 'left_out', reason }) as const;
  const because = unsendable(record.status, common.thoughPaid);
  if (because) return leftOut({ kind: because });
  const addressee = addresseeOf(record.printed, record.contact);
  if (addressee.kind === 'no_address') return leftOut({ kind: 'no_address' });
  if (addressee.kind === 'bad_address') {
    const { email, problem, of } = addressee;
    return leftOut({ kind: 'bad_address', email, problem, of });
  }
  const values = valuesOf(record, addressee.contact, common);
  const first = subject.merge(values);
  if (first.kind === 'missing') return leftOut({ kind: 'missing', field: first.field });
  const second = message.merge(values);
  if (second.kind === 'missing') return leftOut({ kind: 'missing', field: second.field });
  const merged = {
    subject: oneLine(first.text),
    message: second.text.replaceAll('\r\n', '\n'),
  };
  if (merged.subject.length > mostText.subject || merged.message.length > mostText.message)
    return leftOut({ kind: 'too_long' });
  if (merged.subject === '' || merged.message.trim() === '') return leftOut({ kind: 'empty' });
  return { kind: 'ready', recipients: { to: addressee.to, cc: [], bcc: [] }, ...merged };
}

/** Names and numbers bring nothing that cannot be seen into a text. */
function valuesOf(
  record: ChosenRecord,
  contact: string,
  { kind, companyName, memberName, locale: own }: RunCommon,
): MergeValues {
  const locale = readersLocale(record, own);
  const day = (date: string | null) => (date === null ? null : formatDate(date, locale));
  const payment = paymentOf({ kind, typeCode: record.typeCode }, record.payable);
  const isDue = !asksNobody(payment) && record.status !== 'paid';
  return (field) => {
    switch (field) {
      case 'number':
        return oneLine(record.number);
      case 'kind':
        return wordsOf({ kind, typeCode: record.typeCode ?? undefined }).lower;
      case 'amount':
        return formatMoney(record.payable, record.currency, locale);
      case 'attached':
        return oneLine(enclosedWords({ ...record, typeCode: record.typeCode ?? undefined }, locale));
      case 'date':
        return day(record.issueDate);
      case 'due_date':
        // Nothing is due where there is nothing to pay, or that is paid.
        return isDue ? day(record.dueDate) : null;
      case 'valid_until':
        return day(record.validUntil);
      case 'delivery_date':
        return day(record.deliveryDate);
      case 'reference':
        return record.reference === null ? null : oneLine(record.reference);
      case 'name':
        return oneLine(record.printed.name);
      case 'contact':
        return oneLine(contact);
      case 'company':
        return oneLine(companyName);
      case 'sender':
        return oneLine(memberName);
      default:
        return field satisfies never;
    }
  };
}

/** The texts to begin with: the words of the send page for one record, with fields for what differs. */
export function usualText(): RunText {
  return {
    subject: '{{ kind | capitalize }} {{ number }} from {{ company }}',
    message:
      'Hello {{ contact }},\n\nplease find attached {{ attached }}.\n\nKind regards\n{{ sender }}\n{{ company }}',
  };
}
