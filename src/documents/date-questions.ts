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
 * What of a record's dates somebody should look at twice. It may be right, so it is a question and no refusal; a file's
 * dates are its issuer's and are not asked about.
 */
export function dateQuestions(content: Dates): FormProblem[] {
  const asked: FormProblem[] = [];
  for (const field of ['issueDate', 'dueDate', 'validUntil', 'deliveryDate'] as const) {
    const date = content[field];
    if (date === undefined) continue;
    if (date < usual.from || date > usual.to)
      asked.push({
        field,
        message: `${dateFields[field]} is in the year ${Number(date.slice(0, 4))}. Is that right? ${remedy}`,
      });
    else if ((field === 'dueDate' || field === 'validUntil') && date < content.issueDate)
      asked.push({
        field,
        message: `${dateFields[field]} lies before the date of the record. Is that right? ${remedy}`,
      });
  }
  return asked;
}

/** Stands for the dates that were asked about: whoever confirms them confirms these, and no others typed later. */
export function datesMark({ issueDate, dueDate = '', validUntil = '', deliveryDate = '' }: Dates): string {
  return [issueDate, dueDate, validUntil, deliveryDate].join(' ');
}
