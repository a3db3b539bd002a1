import { isCurrency } from '../platform/currencies.ts';
import { atOnce, each, type Work } from '../platform/turns.ts';
import { checkedContent } from './content.ts';
import type { DocumentContent } from './document.ts';
import { FormFields, type FormGuess, type FormProblem } from './form-fields.ts';
import { foldName } from './party-identity.ts';
import type { DraftContent } from './store.ts';
import { sameAmount, totalsOf } from './totals.ts';

export type { FormGuess, FormProblem } from './form-fields.ts';

/** What a form became, with the numbers in it that could be read in two ways. */
export type DocumentForm = { readonly guesses: readonly FormGuess[] } & (
  | { readonly ok: true; readonly content: DraftContent }
  | { readonly ok: false; readonly problems: readonly FormProblem[] }
);

/** Fields of the page that are not content; it reads them itself. */
const pageFields = ['partyId', 'version', 'status', 'saveParty', 'dates', 'do', 'id', 'key', 'emails', 'waits'];

/**
 * Reads the form that makes or edits a record, as `express.urlencoded({ extended: true })` gives it:
 * `kind, number, issueDate, dueDate, validUntil, deliveryDate, currency, reference, orderReference, invoiceReference,
 * party[…], lines[i][…], adjustments[i][…], prepaid, rounding, paymentTerms, paymentDetails, notes` (one text or
 * `notes[i]`). Numbers are read by `parseDecimalInput`. An empty number means: take the next one.
 *
 * A line or adjustment in which nothing is filled in is left out. When `base` is edited, a field that the form does
 * not have keeps its value and an empty one clears it; `lines[i][origin]` says which of base's lines a line was, so
 * that what only a file said of it stays. A field that nobody knows is a problem, not a loss.
 *
 * @param locale the place of the page, `en-IE`: what could be two numbers is read as people write there. Without it that
 *   is a problem
 */
export function parseDocumentForm(body: unknown, base?: DocumentContent, locale?: string): DocumentForm {
  return atOnce(documentFormOf(body, base, locale));
}

/** As {@link parseDocumentForm}, a few lines at a time: a form may have thousands. */
export function* documentFormOf(body: unknown, base?: DocumentContent, locale?: string): Work<DocumentForm> {
  const form = FormFields.reading(body, { locale, currency: currencyOf(body, base) });
  const draft = {
    kind: form.text('kind', base?.kind),
    typeCode: base?.typeCode,
    number: form.text('number', base?.number),
    issueDate: form.text('issueDate', base?.issueDate),
    dueDate: form.text('dueDate', base?.dueDate),
    validUntil: form.text('validUntil', base?.validUntil),
    deliveryDate: form.text('deliveryDate', base?.deliveryDate),
    currency: form.text('currency', base?.currency)?.toUpperCase(),
    reference: form.text('reference', base?.reference),
    orderReference: form.text('orderReference', base?.orderReference),
    invoiceReference: form.text('invoiceReference', base?.invoiceReference),
    party: readParty(form, base),
    lines: form.has('lines') ? yield* form.longList('lines', (line) => readLine(line, base)) : (base?.lines ?? []),
    adjustments: form.has('adjustments')
      ? yield* form.longList('adjustments', readAdjustment)
      : (base?.adjustments ?? []),
    prepaid: form.decimal('prepaid', base?.prepaid, 'money'),
    rounding: form.decimal('rounding', base?.rounding, 'money'),
    // What only a file says stays as it is.
    digits: base?.digits,
    furtherAmounts: base?.furtherAmounts,
    files: base?.files,
    paymentTerms: form.text('paymentTerms', base?.paymentTerms),
    paymentDetails: form.text('paymentDetails', base?.paymentDetails),
    notes: form.texts('notes', base?.notes ?? []),
    extras: base?.extras ?? [],
  };
  form.ignore(pageFields);
  yield* each<Parameters<FormFields['check']>[1], void>(draft.lines, (line, index) => form.check(index, line));
  const problems = yield* form.problems();
  const guesses = form.guesses();
  // The schema wants a number; without one the next is taken when the record is stored.
  const lines = yield* each<object, unknown>(draft.lines, withoutMissing);
  const whole = { ...Object(withoutMissing({ ...draft, lines: [], number: draft.number ?? 'next' })), lines };
  const parsed = yield* checkedContent(whole);
  if (!parsed.success) {
    const said = new Set(problems.map(({ field }) => field));
    for (const issue of parsed.issues) {
      const problem = form.problemOf(issue.path, issue.message);
      if (!said.has(problem.field)) problems.push(problem);
      said.add(problem.field);
    }
  }
  if (!parsed.success || problems.length > 0) return { ok: false, problems, guesses };
  const content = yield* keepStated(parsed.data, base);
  return {
    ok: true,
    content: { ...content, number: draft.number === undefined ? undefined : content.number },
    guesses,
  };
}

/** The currency that the form's money is in; undefined where it names none that there is. */
function currencyOf(body: unknown, base: DocumentContent | undefined): string | undefined {
  const said: unknown = Object(body).currency;
  const code = typeof said === 'string' ? said.trim().toUpperCase() : base?.currency;
  return code !== undefined && isCurrency(code) ? code : undefined;
}

function readParty(form: FormFields, base: DocumentContent | undefined) {
  const party = form.inside('party');
  const details = base?.party;
  const name = party.text('name', details?.name);
  return {
    name,
    // Under another name it is somebody else's.
    endpoint: details && foldName(name ?? '') === foldName(details.name) ? details.endpoint : undefined,
    contactName: party.text('contactName', details?.contactName),
    email: party.addresses('email', details?.email),
    phone: party.text('phone', details?.phone),
    taxId: party.text('taxId', details?.taxId),
    street: party.text('street', details?.street),
    extraStreet: party.text('extraStreet', details?.extraStreet),
    city: party.text('city', details?.city),
    postalCode: party.text('postalCode', details?.postalCode),
    region: party.text('region', details?.region),
    country: party.text('country', details?.country)?.toUpperCase(),
  };
}

function readLine(form: FormFields, base: DocumentContent | undefined) {
  const origin = form.text('origin');
  const was = origin === undefined ? undefined : base?.lines[Number(origin)];
  const line = {
    id: form.text('id', was?.id),
    itemId: form.text('itemId', was?.itemId),
    name: form.text('name', was?.name),
    description: form.text('description', was?.description),
    note: form.text('note', was?.note),
    quantity: form.decimal('quantity', was?.quantity),
    unit: form.text('unit', was?.unit),
    unitPrice: form.decimal('unitPrice', was?.unitPrice, 'money'),
    priceBaseQuantity: form.decimal('priceBaseQuantity', was?.priceBaseQuantity),
    discountPercent: form.decimal('discountPercent', was?.discountPercent, 'percent'),
    adjustments: form.has('adjustments') ? form.list('adjustments', readLineAdjustment) : (was?.adjustments ?? []),
    taxCategory: form.text('taxCategory', was?.taxCategory)?.toUpperCase(),
    taxRate: form.decimal('taxRate', was?.taxRate, 'percent'),
  };
  // Unit, tax and a quantity of 1 are what an untouched row comes with.
  const untouched =
    [line.itemId, line.name, line.description, line.note, line.unitPrice, line.discountPercent].every(
      (v) => v === undefined,
    ) &&
    line.adjustments.length === 0 &&
    (line.quantity === undefined || sameAmount(line.quantity, '1'));
  if (untouched && !form.failed()) return undefined;
  const complete = { ...line, quantity: line.quantity ?? '1', extras: was?.extras ?? [] };
  return was?.statedNet !== undefined && sameSum(complete, was) ? { ...complete, statedNet: was.statedNet } : complete;
}

function readLineAdjustment(form: FormFields) {
  const adjustment = {
    type: form.text('type') ?? 'allowance',
    reason: form.text('reason'),
    amount: form.decimal('amount', undefined, 'money'),
    percent: form.decimal('percent', undefined, 'percent'),
    base: form.decimal('base', undefined, 'money'),
  };
  const untouched = [adjustment.reason, adjustment.amount, adjustment.percent, adjustment.base].every(
    (v) => v === undefined,
  );
  return untouched && !form.failed() ? undefined : adjustment;
}

function readAdjustment(form: FormFields) {
  const taxRate = form.decimal('taxRate', undefined, 'percent');
  const taxCategory = form.text('taxCategory')?.toUpperCase();
  const adjustment = readLineAdjustment(form);
  return adjustment && { ...adjustment, taxCategory, taxRate };
}

/** Whether a line's arithmetic is untouched, so that the amount its file states still stands. */
function sameSum(line: Arithmetic, was: Arithmetic): boolean {
  const parts = (of: Arithmetic) => [
    of.quantity,
    of.unitPrice,
    of.priceBaseQuantity,
    of.discountPercent,
    of.adjustments,
  ];
  return JSON.stringify(parts(line)) === JSON.stringify(parts(was));
}

interface Arithmetic {
  readonly quantity?: string | undefined;
  readonly unitPrice?: string | undefined;
  readonly priceBaseQuantity?: string | undefined;
  readonly discountPercent?: string | undefined;
  readonly adjustments?: unknown;
}

/** The taxes and sums that a file states stand as long as what they are computed from does. */
function* keepStated(content: DocumentContent, base: DocumentContent | undefined): Work<DocumentContent> {
  if (!base?.statedTaxes && !base?.statedSums) return content;
  const own = (of: DocumentContent) => totalsOf({ ...of, statedTaxes: undefined, statedSums: undefined });
  const [now, was] = [yield* own(content), yield* own(base)];
  const same = (part: (totals: typeof now) => unknown) => JSON.stringify(part(now)) === JSON.stringify(part(was));
  return {
    ...content,
    ...(base.statedTaxes && same(({ taxes }) => taxes) ? { statedTaxes: base.statedTaxes } : {}),
    ...(base.statedSums && same((totals) => totals) ? { statedSums: base.statedSums } : {}),
  };
}

function withoutMissing(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}
