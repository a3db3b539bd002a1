import type { PaperContent } from '../deliveries/papers.ts';
import type { WaitingEmail } from '../deliveries/waiting-emails.ts';
import type { DocumentContent } from '../documents/document.ts';
import { formatDate, formatMoney } from '../documents/format.ts';
import type { Head } from '../documents/pdf/head.ts';
import { sumWords } from '../documents/sum-words.ts';
import { totalsOf } from '../documents/totals.ts';
import type { Work } from '../platform/turns.ts';
import { type Difference, differences } from './document-changes.ts';
import { formOf } from './document-form.ts';
import { number } from './run-words.ts';

/**
 * What stands on the paper of an email and is different now: fields, lines and sum of the record, then the company's head.
 * `stored` is what the paper says, `typed` what it would say now.
 */
export function* paperDifferences(paper: PaperContent, content: DocumentContent, head: Head): Work<Difference[]> {
  const fields = differences(paper.content, formOf(content));
  const [was, is] = [yield* totalOf(paper.content, head.locale), yield* totalOf(content, head.locale)];
  const total = was === is ? [] : [{ label: sumWords.total, stored: was, typed: is }];
  const day = (text: string) => (/^\d{4}-\d\d-\d\d$/.test(text) ? formatDate(text, head.locale) : text);
  const shown = [...fields, ...total].map(({ label, stored, typed }) => ({
    ...{ label, stored: day(stored), typed: day(typed) },
  }));
  // What a form does not show, such as the allowances of a file.
  const other =
    shown.length === 0 && JSON.stringify(paper.content) !== JSON.stringify(content)
      ? [{ label: 'Other details', stored: 'as it was', typed: 'changed' }]
      : [];
  return [...shown, ...other, ...(paper.head ? headDifferences(paper.head, head) : [])];
}

function* totalOf(content: DocumentContent, locale: string): Work<string> {
  return formatMoney((yield* totalsOf(content)).payable, content.currency, locale);
}

const headLabels: Record<keyof Head['company'], string> = {
  name: 'Your company',
  street: 'Your street',
  extraStreet: 'Your second address line',
  city: 'Your city',
  postalCode: 'Your postal code',
  region: 'Your region',
  country: 'Your country',
  taxId: 'Your tax number',
  email: 'Your email',
  phone: 'Your phone',
  website: 'Your website',
  paymentDetails: 'Your bank details',
};

function headDifferences(was: Head, is: Head): Difference[] {
  const names = Object.keys(headLabels).filter((name): name is keyof Head['company'] => name in headLabels);
  const fields = names.flatMap((name) => {
    const [stored = '', typed = ''] = [was.company[name], is.company[name]].map((text) =>
      text?.replaceAll('\r\n', '\n'),
    );
    return stored === typed ? [] : [{ label: headLabels[name], stored, typed }];
  });
  const locale = was.locale === is.locale || was.company.country !== is.company.country;
  return locale ? fields : [...fields, { label: 'Your way of writing numbers', stored: was.locale, typed: is.locale }];
}

/** Whom emails go to, in a sentence: `mira@northgate.example and 2 others`. */
export function toWhom({ recipients }: Pick<WaitingEmail, 'recipients'>): string {
  const [first, ...others] = recipients.to.map(({ email }) => email);
  if (others.length === 0) return first ?? '';
  return `${first} and ${others.length === 1 ? '1 other' : `${others.length} others`}`;
}

/** What to do with the emails that wait while their record changes. */
export type EmailChoice = 'new' | 'old';

/** Reads the choice of a form; undefined where it says none. */
export function readEmailChoice(said: unknown): EmailChoice | undefined {
  return said === 'new' || said === 'old' ? said : undefined;
}

/** What became of the emails of a record that was changed: a sentence, or none. */
export function revisedWords(
  choice: EmailChoice | undefined,
  revised: number,
  tooLate: number,
  kept: number,
  locale: string,
): string {
  const said: string[] = [];
  if (choice === 'new' && revised > 0) {
    said.push(
      revised === 1
        ? 'The email that waited was replaced: it leaves with the new version.'
        : `The ${number(revised, locale)} emails that waited were replaced: they leave with the new version.`,
    );
  }
  if (tooLate > 0) {
    said.push(
      tooLate === 1
        ? 'One email was already being sent or had left, with the old version. Look at it below, and send the corrected one if it is needed.'
        : `${number(tooLate, locale)} emails were already being sent or had left, with the old version. Look at them below, and send the corrected one if it is needed.`,
    );
  }
  if (kept > 0) {
    said.push(
      kept === 1
        ? 'The email that waits keeps the old version.'
        : `The ${number(kept, locale)} emails that wait keep the old version.`,
    );
  }
  return said.join(' ');
}

/** What became of the emails of a record that nobody should get any more: a sentence, or none. */
export function stoppedWords(stopped: number, tooLate: number, locale: string): string {
  const said: string[] = [];
  if (stopped > 0)
    said.push(
      stopped === 1
        ? 'The email that waited was stopped.'
        : `The ${number(stopped, locale)} emails that waited were stopped.`,
    );
  if (tooLate > 0)
    said.push(
      tooLate === 1
        ? 'One email was already being sent, or may have left: it could not be stopped.'
        : `${number(tooLate, locale)} emails were already being sent, or may have left: they could not be stopped.`,
    );
  return said.join(' ');
}
