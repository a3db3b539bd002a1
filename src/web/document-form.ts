import { decimalForForm } from '../documents/decimal-input.ts';
import {
  type DocumentContent,
  type DocumentKind,
  maxLines,
  type PartyDetails,
  unnumbered,
} from '../documents/document.ts';
import { each, type Work } from '../platform/turns.ts';
import { PageError } from './errors.ts';

/** The record's own fields; each kind shows some of them. */
export const headFields = [
  'number',
  'issueDate',
  'dueDate',
  'validUntil',
  'deliveryDate',
  'currency',
  'reference',
  'orderReference',
  'invoiceReference',
  'paymentTerms',
  'paymentDetails',
  'notes',
] as const;

/** The other side's fields, as they are printed on this record. */
export const partyFields = [
  'name',
  'contactName',
  'email',
  'phone',
  'taxId',
  'street',
  'extraStreet',
  'city',
  'postalCode',
  'region',
  'country',
] as const;

/** What a row of lines shows; `origin` is the number of the stored line that it was, which may hold more. */
export const lineFields = [
  'origin',
  'name',
  'description',
  'quantity',
  'unit',
  'unitPrice',
  'discountPercent',
  'taxRate',
] as const;

/** One of {@link headFields}. */
export type HeadField = (typeof headFields)[number];
/** The other side's fields as typed. */
export type PartyForm = Readonly<Partial<Record<(typeof partyFields)[number], string>>>;
/** One row as typed. `key` is its place in the names of its inputs, `lines[key][name]`; it stays while rows come and go. */
export interface LineForm {
  readonly key: number;
  readonly values: Readonly<Record<(typeof lineFields)[number], string>>;
}

/**
 * The form as it stands on the page, whatever is wrong with it: nothing that was typed is lost.
 * What it means is read by `parseDocumentForm`.
 */
export interface TypedForm {
  readonly kind: DocumentKind;
  readonly head: Readonly<Partial<Record<HeadField, string>>>;
  readonly party: PartyForm;
  readonly lines: readonly LineForm[];
}

/** Labels of the fields, by their names in the form. */
export const labels = {
  number: 'Number',
  issueDate: 'Date',
  dueDate: 'Due date',
  validUntil: 'Valid until',
  deliveryDate: 'Delivery date',
  currency: 'Currency',
  reference: 'Their reference',
  orderReference: 'Order reference',
  invoiceReference: 'Corrected invoice',
  paymentTerms: 'Payment terms',
  paymentDetails: 'Payment details',
  notes: 'Notes',
  name: 'Name',
  contactName: 'Contact',
  email: 'Email',
  phone: 'Phone',
  taxId: 'Tax number',
  street: 'Street',
  extraStreet: 'Second address line',
  city: 'City',
  postalCode: 'Postal code',
  region: 'Region',
  country: 'Country',
  item: 'Item',
  description: 'Description',
  quantity: 'Quantity',
  unit: 'Unit',
  unitPrice: 'Price',
  discountPercent: 'Discount %',
  taxRate: 'Tax %',
} as const;

/** Reads what was posted, to show it again. What does not belong is left out here, and named by `parseDocumentForm`. Throws 413 for more lines than a record has. */
export function* readTyped(kind: DocumentKind, body: unknown): Work<TypedForm> {
  const sent = Object.entries(record(record(body)['lines']));
  if (sent.length > maxLines) throw tooManyLines(sent.length);
  const rows = sent.filter(([key]) => /^\d{1,9}$/.test(key));
  const lines = yield* each(rows, ([key, row]) => ({
    key: Number(key),
    values: { ...emptyLine, ...texts(lineFields, row) },
  }));
  return { kind, head: texts(headFields, body), party: readParty(body), lines };
}

/** More than a record can have: nobody reads, adds up or shows them. */
function tooManyLines(sent: number): PageError {
  return new PageError(413, 'too_many_lines', {
    title: 'That is too much at once',
    message: `What was sent has ${sent} lines; a record has at most ${maxLines}. Nothing was changed. Go back and take some out.`,
  });
}

/** The other side's fields of a posted form: `party[…]`. */
export function readParty(body: unknown): PartyForm {
  return texts(partyFields, record(body)['party']);
}

/** The form of a stored record. */
export function formOf(content: DocumentContent): TypedForm {
  const head: Partial<Record<HeadField, string>> = {};
  for (const field of headFields) head[field] = field === 'notes' ? content.notes.join('\n\n') : (content[field] ?? '');
  if (content.number === unnumbered) head.number = '';
  const lines = content.lines.map((line, key) => ({
    key,
    values: {
      origin: String(key),
      name: line.name,
      description: line.description ?? '',
      quantity: decimalForForm(line.quantity),
      unit: line.unit ?? '',
      unitPrice: decimalForForm(line.unitPrice),
      discountPercent: decimalForForm(line.discountPercent ?? ''),
      taxRate: decimalForForm(line.taxRate ?? ''),
    },
  }));
  return { kind: content.kind, head, party: partyForm(content.party), lines };
}

/**
 * An invoice with a negative total as the credit note that it should be, and the other way round: the same lines with the
 * quantities of the other sign, without the number and dates that belong to the other kind.
 */
export function turned(form: TypedForm): TypedForm {
  const { number: _number, dueDate: _due, deliveryDate: _delivery, invoiceReference: _invoice, ...head } = form.head;
  const lines = form.lines.map((line) => {
    const quantity = line.values.quantity.trim();
    const other = /^[-\u2212\u2013]/.test(quantity)
      ? quantity.slice(1).trim()
      : quantity === ''
        ? '-1'
        : `-${quantity}`;
    return { ...line, values: { ...line.values, origin: '', quantity: other } };
  });
  return { ...form, kind: form.kind === 'credit_note' ? 'invoice' : 'credit_note', head, lines };
}

/** The other side's fields, from a contact or from what is printed on a record. */
export function partyForm(details: PartyDetails): PartyForm {
  return Object.fromEntries(partyFields.map((field) => [field, details[field] ?? '']));
}

/** Another row; below others it begins with the tax of the last. */
export function nextLine(lines: readonly LineForm[]): LineForm {
  const key = lines.reduce((most, line) => Math.max(most, line.key), -1) + 1;
  return { key, values: { ...emptyLine, quantity: '1', taxRate: lines.at(-1)?.values.taxRate ?? '' } };
}

const emptyLine = {
  origin: '',
  name: '',
  description: '',
  quantity: '',
  unit: '',
  unitPrice: '',
  discountPercent: '',
  taxRate: '',
};

/** Not copied: somebody may have sent tens of thousands of fields. */
function record(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function texts<Name extends string>(names: readonly Name[], fields: unknown): Partial<Record<Name, string>> {
  const from = record(fields);
  const read: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = from[name];
    if (typeof value === 'string') read[name] = value;
  }
  return read;
}
