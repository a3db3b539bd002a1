import type { DocumentContent } from './document.ts';
import type { FormProblem } from './form-fields.ts';

/** Days outside these are more likely a slip of the keyboard (`0026-11-30`) than meant. */
const usual = { from: '1990-01-01', to: '2100-12-31' } as const;

const dateFields = {
  issueDate: 'Date',
  dueDate: 'Due date',
  validUntil: 'Valid until',
  deliveryDate: 'Delivery date',
} as const;

const remedy = 'Change it, or tick “The dates are right”.';

type Dates = Pick<DocumentContent, 'issueDate' | 'dueDate' | 'validUntil' | 'deliveryDate'>;

/**
 * What of a record's dates somebody should look at twice. It may be right, so it is a question and no refusal. Of a file's
 * dates only the years are asked about, see {@link oddYears}.
 */
export function dateQuestions(content: Dates): FormProblem[] {
  const asked: FormProblem[] = [];
  for (const field of ['issueDate', 'dueDate', 'validUntil', 'deliveryDate'] as const) {
    const date = content[field];
    if (date === undefined) continue;
    if (isOdd(date)) asked.push({ field, message: `${yearWords(field, date)} Is that right? ${remedy}` });
    else if ((field === 'dueDate' || field === 'validUntil') && date < content.issueDate)
      asked.push({
        field,
        message: `${dateFields[field]} lies before the date of the record. Is that right? ${remedy}`,
      });
  }
  return asked;
}

/** The dates of a record in years that are more likely a slip, in words. */
export function oddYears(content: Dates): string[] {
  return (['issueDate', 'dueDate', 'validUntil', 'deliveryDate'] as const).flatMap((field) => {
    const date = content[field];
    return date !== undefined && isOdd(date) ? [yearWords(field, date)] : [];
  });
}

const isOdd = (date: string) => date < usual.from || date > usual.to;

const yearWords = (field: keyof typeof dateFields, date: string) =>
  `${dateFields[field]} is in the year ${Number(date.slice(0, 4))}.`;

/** Stands for the dates that were asked about: whoever confirms them confirms these, and no others typed later. */
export function datesMark({ issueDate, dueDate = '', validUntil = '', deliveryDate = '' }: Dates): string {
  return [issueDate, dueDate, validUntil, deliveryDate].join(' ');
}
