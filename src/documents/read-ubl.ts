import { createHash } from 'node:crypto';
import {
  currencySchema,
  type DocumentContent,
  type DocumentContentInput,
  type DocumentKind,
  documentContentSchema,
  type Extra,
  maxLines,
} from './document.ts';
import type { DocumentSource } from './source.ts';
import { computeTotals, type DocumentTotals } from './totals.ts';
import { typeCodeOf } from './type-codes.ts';
import { agreeOnTotals } from './ubl/agree.ts';
import { takeExtras } from './ubl/extras.ts';
import { takeFiles } from './ubl/files.ts';
import { type Identity, identityOf } from './ubl/identity.ts';
import { ImportError } from './ubl/import-error.ts';
import { type ReadLine, readAdjustment, readLine, readTax } from './ubl/line.ts';
import { readParty } from './ubl/party.ts';
import { monetaryOf } from './ubl/statements.ts';
import { takeAll, takeDate, takeIf, takeRequired, takeText } from './ubl/take.ts';
import { parseXml, type XmlElement } from './ubl/xml.ts';

/** What a file became. */
export interface ImportedDocument {
  readonly content: DocumentContent;
  readonly source: DocumentSource;
  readonly totals: DocumentTotals;
  /** Who issues it: the seller, or the customer of an order or of a self-billed invoice. */
  readonly issuer: Identity;
  /** What was embedded, in the order of the content's `files`. */
  readonly files: readonly Uint8Array[];
}

interface Format {
  readonly kind: DocumentKind;
  readonly line: string;
  /** Who issues it, which should be us: this party stays among the extras. */
  readonly issuer: string;
  /** Who the record is for. */
  readonly party: string;
}

const seller = 'cac:AccountingSupplierParty';
const customer = 'cac:AccountingCustomerParty';
const formats = new Map<string, Format>([
  ['Invoice', { kind: 'invoice', line: 'cac:InvoiceLine', issuer: seller, party: customer }],
  ['CreditNote', { kind: 'credit_note', line: 'cac:CreditNoteLine', issuer: seller, party: customer }],
  [
    'Order',
    {
      kind: 'purchase_order',
      line: 'cac:OrderLine',
      issuer: 'cac:BuyerCustomerParty',
      party: 'cac:SellerSupplierParty',
    },
  ],
]);

/**
 * Reads a UBL 2.1 Invoice, CreditNote or Order. What the record has no place for is in the extras of the record or of
 * the line, in the file's order. Pure: stores nothing, fetches nothing.
 *
 * @param fileName as the person knows it; kept in the source
 * Throws {@link ImportError} for anything that is broken, hostile, or does not add up.
 */
export function readUbl(bytes: Uint8Array, fileName: string): ImportedDocument {
  const outermost = parseXml(bytes);
  const root = opened(outermost);
  const type = readType(root);
  const format = typed(formatOf(root), type);
  const currency = readCurrency(root);
  const lines = readLines(root, format, currency);
  const draft = documentContentSchema.safeParse(
    present({ ...readHead(root, format, currency), ...type, lines: lines.map((line) => line.content) }),
  );
  if (!draft.success) throw unfit(draft.error.issues[0], lines);
  const { content, declared } = agreeOnTotals(draft.data, lines, root);
  const issuer = identityOf(root.first(`${format.issuer}/cac:Party`));
  const { files, bytes: embedded } = takeFiles(root);
  const extras = [...takeExtras(root), ...(outermost === root ? [] : takeExtras(outermost))];
  refuseTooMuch(content, extras);
  const complete = documentContentSchema.safeParse({ ...content, ...(files.length > 0 ? { files } : {}), extras });
  if (!complete.success) throw unfit(complete.error.issues[0], lines);
  return {
    content: complete.data,
    totals: computeTotals(complete.data),
    issuer,
    files: embedded,
    source: {
      fileName,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      format: `UBL ${root.name}`,
      declared,
    },
  };
}

/** What a record may keep of a file beside what it has a place for: each page that shows it reads all of it. */
const mostExtras = 40_000;
const mostLetters = 10_000_000;

function refuseTooMuch(content: DocumentContent, extras: readonly Extra[]): void {
  const count = content.lines.reduce((sum, line) => sum + line.extras.length, extras.length);
  if (count <= mostExtras && JSON.stringify([content, extras]).length <= mostLetters) return;
  throw new ImportError(
    'too_complex',
    `The file says more than a record can keep: ${count} details that have no place of their own here, where ${mostExtras} are the most. Split it, and import the parts; or ask whoever made it for one with less in it.`,
  );
}

function formatOf(root: XmlElement): Format {
  const format = formats.get(root.name);
  if (format && root.namespace === `urn:oasis:names:specification:ubl:schema:xsd:${root.name}-2`) return format;
  throw new ImportError(
    'not_ubl',
    `This is XML, but not a UBL 2.1 Invoice, CreditNote or Order: its first element is “${root.name}”${root.namespace ? ` of ${root.namespace}` : ''}. Choose a UBL file.`,
    { line: root.line },
  );
}

/** The envelope that Peppol sends a file in (UN/CEFACT's Standard Business Document): what is inside it. */
const envelope = 'http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader';

function opened(root: XmlElement): XmlElement {
  if (root.name !== 'StandardBusinessDocument' || root.namespace !== envelope) return root;
  return root.children.find(({ name }) => formats.has(name)) ?? root.children.at(-1) ?? root;
}

/** The type of an invoice or credit note by UNTDID 1001; a code that the list has none of stays an extra. */
function readType(root: XmlElement): { readonly typeCode?: string } {
  const path = `cbc:${root.name}TypeCode`;
  const code = root.first(path)?.text;
  if (typeCodeOf(code) === undefined || code === undefined) return {};
  takeText(root, path);
  return { typeCode: code };
}

/** What a type makes of a document: 381 in an Invoice is a credit note, and what is self-billed is for the seller. */
function typed(format: Format, { typeCode }: { readonly typeCode?: string }): Format {
  const type = typeCodeOf(typeCode);
  if (!type || format.kind === 'purchase_order') return format;
  const parties = type.selfBilled ? { issuer: format.party, party: format.issuer } : {};
  return { ...format, ...parties, kind: type.kind };
}

function readCurrency(root: XmlElement): string {
  const total = monetaryOf(root)?.first('cbc:PayableAmount');
  // An order, and a file of UBL 2.0, may leave its currency to its amounts.
  const currency =
    takeText(root, 'cbc:DocumentCurrencyCode') ??
    total?.attributes.get('currencyID') ??
    takeRequired(root, 'cbc:DocumentCurrencyCode', 'which currency it is in');
  if (currencySchema.safeParse(currency).success) return currency;
  throw new ImportError(
    'invalid_value',
    `“${currency.slice(0, 20)}” is not a currency code such as EUR (cbc:DocumentCurrencyCode). Correct it and import the file again.`,
    { line: root.first('cbc:DocumentCurrencyCode')?.line },
  );
}

function readLines(root: XmlElement, format: Format, currency: string): ReadLine[] {
  const elements = root.all(format.line);
  if (elements.length === 0)
    throw new ImportError('missing', `The file has no lines (${format.line}). Add one, or ask whoever made the file.`, {
      line: root.line,
    });
  if (elements.length > maxLines)
    throw new ImportError(
      'too_complex',
      `The file has ${elements.length} lines; at most ${maxLines} can be imported. Split it, and import the parts.`,
      { line: root.line },
    );
  return elements.map((element) => readLine(element, currency));
}

function readHead(root: XmlElement, format: Format, currency: string): Omit<DocumentContentInput, 'lines'> {
  const party = root.first(`${format.party}/cac:Party`);
  if (!party)
    throw new ImportError(
      'missing',
      `The file does not say who it is for (${format.party}). Add it, or ask whoever made the file.`,
      { line: root.line },
    );
  return {
    kind: format.kind,
    number: takeRequired(root, 'cbc:ID', 'its number'),
    issueDate: takeDate(root, 'cbc:IssueDate') ?? takeRequired(root, 'cbc:IssueDate', 'its date'),
    ...readDates(root, format.kind),
    currency,
    reference: takeText(root, 'cbc:BuyerReference') ?? takeText(root, 'cbc:CustomerReference'),
    orderReference: takeText(root, 'cac:OrderReference/cbc:ID'),
    invoiceReference: takeText(root, 'cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID'),
    party: readParty(party),
    adjustments: root
      .all('cac:AllowanceCharge')
      .map((element) => ({ ...readAdjustment(element, currency), ...readTax(element.first('cac:TaxCategory')) })),
    paymentTerms: takeAll(root, 'cac:PaymentTerms/cbc:Note').join('\n') || undefined,
    paymentDetails: root.all('cac:PaymentMeans').flatMap(readPaymentMeans).join('\n') || undefined,
    notes: takeAll(root, 'cbc:Note'),
  };
}

function readDates(
  root: XmlElement,
  kind: DocumentKind,
): Pick<DocumentContentInput, 'dueDate' | 'validUntil' | 'deliveryDate'> {
  if (kind !== 'purchase_order') {
    return {
      // A credit note has no due date of its own in UBL; its payment means has.
      dueDate: takeDate(root, 'cbc:DueDate') ?? takeDate(root, 'cac:PaymentMeans/cbc:PaymentDueDate'),
      deliveryDate: takeDate(root, 'cac:Delivery/cbc:ActualDeliveryDate'),
    };
  }
  const delivery = root.first('cac:Delivery/cac:RequestedDeliveryPeriod');
  return {
    validUntil: takeDate(root, 'cac:ValidityPeriod/cbc:EndDate'),
    // The last day that is asked for; the first one, where both are given, stays an extra.
    deliveryDate: takeDate(delivery, 'cbc:EndDate') ?? takeDate(delivery, 'cbc:StartDate'),
  };
}

function readPaymentMeans(means: XmlElement): string[] {
  const account = means.first('cac:PayeeFinancialAccount');
  const facts: [string, string | undefined][] = [
    ['Account', takeText(account, 'cbc:ID')],
    ['Account name', takeText(account, 'cbc:Name')],
    ['Bank', takeIf(account, 'cac:FinancialInstitutionBranch/cbc:ID', /./)],
    ['Payment reference', takeText(means, 'cbc:PaymentID')],
  ];
  return facts.flatMap(([word, value]) => (value === undefined ? [] : [`${word}: ${value}`]));
}

/** Without the keys that have no value, so that what is stored has none either. */
function present<T extends object>(record: T): T {
  return JSON.parse(JSON.stringify(record)) as T;
}

function unfit(issue: { path: PropertyKey[]; message: string } | undefined, lines: readonly ReadLine[]): ImportError {
  const [first, index] = issue?.path ?? [];
  const line = first === 'lines' && typeof index === 'number' ? lines[index]?.element.line : undefined;
  const where = issue?.path.map(String).join(' › ') ?? 'the file';
  return new ImportError(
    'invalid_value',
    `${where} ${issue?.message ?? 'cannot be read'}. Correct it and import the file again.`,
    { line },
  );
}
