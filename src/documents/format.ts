import { minorDigits } from '../platform/currencies.ts';
import { own } from '../platform/own.ts';
import { oneLine } from '../platform/plain-text.ts';
import { type DocumentContent, type DocumentKind, type Extra, unnumbered } from './document.ts';
import { dateLocale, numberLocale, separatorsOf } from './locale.ts';
import { asksNobody, paymentOf } from './payment.ts';
import { typeCodeOf } from './type-codes.ts';

/** The words for each kind of record. `party` heads the other side's address. */
export const kindWords: Record<DocumentKind, KindWords> = {
  invoice: { title: 'Invoice', plural: 'Invoices', lower: 'invoice', party: 'Bill to', partyRole: 'Customer' },
  credit_note: {
    title: 'Credit note',
    plural: 'Credit notes',
    lower: 'credit note',
    party: 'Credit to',
    partyRole: 'Customer',
  },
  quote: { title: 'Quote', plural: 'Quotes', lower: 'quote', party: 'Prepared for', partyRole: 'Customer' },
  purchase_order: {
    title: 'Purchase order',
    plural: 'Purchase orders',
    lower: 'purchase order',
    party: 'Supplier',
    partyRole: 'Supplier',
  },
};

/** See {@link kindWords}. */
export interface KindWords {
  readonly title: string;
  readonly plural: string;
  readonly lower: string;
  readonly party: string;
  readonly partyRole: string;
}

/** The words for a record: those of its kind, and of the type that an imported file gives it. */
export function wordsOf(record: {
  readonly kind: DocumentKind;
  readonly typeCode?: string | null | undefined;
}): KindWords {
  const words = kindWords[record.kind];
  const type = typeCodeOf(record.typeCode ?? undefined);
  if (!type || type.kind !== record.kind || type.title === words.title) return words;
  const { title } = type;
  return {
    ...words,
    title,
    lower: title.charAt(0).toLowerCase() + title.slice(1),
    ...(type.selfBilled ? { party: 'Supplier', partyRole: 'Supplier' } : {}),
  };
}

type NamedRecord = Parameters<typeof wordsOf>[0] & { readonly number: string };

/** A record inside a sentence: `invoice INV-2026-0007`, `draft invoice`. */
export function nameOf(record: NamedRecord): string {
  const { lower } = wordsOf(record);
  return record.number === unnumbered ? `draft ${lower}` : `${lower} ${record.number}`;
}

/** The same at the beginning of one, as a heading, and in the subject of its email: `Draft invoice`. */
export function titleOf(record: NamedRecord): string {
  const name = nameOf(record);
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/**
 * Money for people: `formatMoney('1482.60', 'EUR', 'en-IE')` → `€1,482.60`. Exact for any number of digits; at least
 * the currency's own digits after the point, more where the amount has more (unit prices).
 */
export function formatMoney(amount: string, currency: string, locale: string): string {
  return write(amount, locale, { style: 'currency', currency, ...digits(amount, minorDigits(currency)) });
}

/** The same without the currency's sign, for columns under a heading that names it: `1,482.60`. */
export function formatAmount(amount: string, currency: string, locale: string): string {
  return write(amount, locale, digits(amount, minorDigits(currency)));
}

/** A quantity or a percentage as it was written, grouped as people there write it: `1,000`, `2.5`. */
export function formatNumber(decimal: string, locale: string): string {
  return write(decimal, locale, { maximumFractionDigits: 10 });
}

/** `formatPercent('25.0', 'en')` → `25%`. */
export function formatPercent(percent: string, locale: string): string {
  // The formatter multiplies by 100; shifting the text keeps it exact.
  return write(`${percent}E-2`, locale, { style: 'percent', maximumFractionDigits: 10 });
}

/** `formatDate('2026-12-05', 'en-IE')` → `5 December 2026`. */
export function formatDate(date: string, locale: string): string {
  const known = dateFormatters.get(locale);
  const style =
    known ??
    new Intl.DateTimeFormat(dateLocale(locale), {
      ...{ year: 'numeric', month: 'long', day: 'numeric', timeZone: 'UTC' },
      ...{ calendar: 'gregory', numberingSystem: 'latn' },
    });
  if (!known) dateFormatters.set(locale, style);
  const parts = style.formatToParts(new Date(`${date}T00:00:00Z`));
  // The year as it was written: of 0026 nobody should think that it is this one.
  return parts.map(({ type, value }) => (type === 'year' ? date.slice(0, -6) : value)).join('');
}

/** `formatCountry('IE', 'en')` → `Ireland`. An unknown code is shown as it is. */
export function formatCountry(code: string, locale: string): string {
  const known = regionNames.get(locale);
  const names = known ?? new Intl.DisplayNames([locale], { type: 'region', fallback: 'code' });
  if (!known) regionNames.set(locale, names);
  return names.of(code) ?? code;
}

/**
 * The date that matters to the reader of this record, with its word; undefined where it has none. Nothing is due of an invoice
 * with nothing to pay, nor of a credit note.
 *
 * @param payable a decimal string
 */
export function keyDate(content: DocumentContent, payable: string): { label: string; date: string } | undefined {
  if (content.kind === 'invoice' && asksNobody(paymentOf(content, payable))) return undefined;
  if (content.dueDate && content.kind !== 'credit_note') return { label: 'Due', date: content.dueDate };
  if (content.kind === 'purchase_order' && content.deliveryDate)
    return { label: 'Delivery', date: content.deliveryDate };
  if (content.validUntil) return { label: 'Valid until', date: content.validUntil };
  if (content.deliveryDate) return { label: 'Delivery', date: content.deliveryDate };
  return undefined;
}

/**
 * What the PDF of a record is called in the recipient's mail program: `Invoice INV-2026-0007 Brightwater.pdf`. Plain
 * letters, figures, spaces, points and hyphens only: some programs garble, and some systems refuse, anything else.
 */
export function pdfName(
  record: Parameters<typeof wordsOf>[0] & { readonly number: string },
  companyName: string,
): string {
  const named =
    record.number === unnumbered ? [titleOf(record)] : [wordsOf(record).title, plainName(record.number, 60)];
  const parts = [...named, plainName(companyName, 40)];
  return `${parts.filter(Boolean).join(' ')}.pdf`;
}

/** Without accents (`Łódź Café & Søn` → `Lodz Cafe - Son`); what has no plain letters of its own goes. */
function plainName(text: string, longest: number): string {
  return oneLine(text)
    .replaceAll(/\p{L}/gu, (letter) => plainLetters.get(letter) ?? letter)
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^A-Za-z0-9 ._-]+/g, '-')
    .replaceAll(/ +/g, ' ')
    .replaceAll(/-{2,}/g, '-')
    .slice(0, longest)
    .replaceAll(/^[ ._-]+|[ ._-]+$/g, '');
}

/** Letters that are more than a plain one with an accent. */
const plainLetters = new Map(
  Object.entries({
    ß: 'ss',
    ø: 'o',
    Ø: 'O',
    ł: 'l',
    Ł: 'L',
    đ: 'd',
    Đ: 'D',
    æ: 'ae',
    Æ: 'Ae',
    œ: 'oe',
    Œ: 'Oe',
    þ: 'th',
    ı: 'i',
  }),
);

/** What an extra says, in one line: `7300010000001 (scheme 0088)`. An embedded file is named, not spelled out. */
export function extraText(extra: Extra): string {
  const attributes = { ...extra.attributes };
  const fileName = attributes['filename'];
  if (attributes['mimeCode']) {
    const bytes = Math.floor((extra.value.replace(/\s/g, '').length * 3) / 4);
    return `${fileName ?? 'file'} (${attributes['mimeCode']}, ${bytes} bytes)`;
  }
  const notes = Object.entries(attributes).map(([name, value]) => `${own(attributeWords, name) ?? name} ${value}`);
  return notes.length > 0 ? `${extra.value} (${notes.join(', ')})` : extra.value;
}

const attributeWords: Record<string, string> = {
  schemeID: 'scheme',
  schemeVersionID: 'scheme version',
  schemeDataURI: 'scheme at',
  listID: 'list',
  currencyID: 'in',
  unitCode: 'unit',
  unitCodeListID: 'unit list',
};

/** UN/ECE Recommendation 20 and 21 codes that people meet, in words. */
const unitNames: Record<string, string> = {
  C62: '',
  EA: '',
  H87: 'pcs',
  NAR: '',
  ZZ: '',
  XPP: 'pcs',
  PCE: 'pcs',
  HUR: 'h',
  MIN: 'min',
  SEC: 's',
  DAY: 'days',
  WEE: 'weeks',
  MON: 'months',
  ANN: 'years',
  LS: 'lump sum',
  KGM: 'kg',
  GRM: 'g',
  MGM: 'mg',
  TNE: 't',
  LBR: 'lb',
  LTR: 'l',
  MLT: 'ml',
  CLT: 'cl',
  HLT: 'hl',
  MTR: 'm',
  CMT: 'cm',
  MMT: 'mm',
  KMT: 'km',
  MTK: 'm²',
  CMK: 'cm²',
  MTQ: 'm³',
  KWH: 'kWh',
  KWT: 'kW',
  SET: 'sets',
  PR: 'pairs',
  DZN: 'dozen',
  XBX: 'boxes',
  BX: 'boxes',
  XCT: 'cartons',
  CT: 'cartons',
  XPK: 'packs',
  PK: 'packs',
  XBG: 'bags',
  BG: 'bags',
  XBO: 'bottles',
  XPX: 'pallets',
  PF: 'pallets',
  RO: 'rolls',
  XRO: 'rolls',
};

/** A line's unit in words: a known code becomes its word ("one" and "each" become nothing), anything else stays. */
export function unitName(unit: string | undefined): string {
  return unit === undefined ? '' : (own(unitNames, unit) ?? unit);
}

const formatters = new Map<string, Intl.NumberFormat>();
const dateFormatters = new Map<string, Intl.DateTimeFormat>();
const regionNames = new Map<string, Intl.DisplayNames>();

/** A number in a place's one way of writing them, see locale.ts. */
function write(decimal: string, locale: string, options: Intl.NumberFormatOptions): string {
  const { decimal: point, group } = separatorsOf(locale);
  return formatter(locale, options)
    .formatToParts(numeric(decimal))
    .map(({ type, value }) => {
      if (type === 'decimal') return point;
      if (type === 'group') return group;
      return type === 'currency' ? currencySign(value, options) : value;
    })
    .join('');
}

/** A currency's sign as it is known in that place, unless it is in letters that an English reader does not know. */
function currencySign(own: string, options: Intl.NumberFormatOptions): string {
  if (/^[\p{Script=Latin}\p{Sc}.\s]+$/u.test(own)) return own;
  const english = formatter('en', options).formatToParts(0);
  return english.find(({ type }) => type === 'currency')?.value ?? own;
}

function formatter(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${locale}|${JSON.stringify(options)}`;
  const known = formatters.get(key);
  if (known) return known;
  const made = new Intl.NumberFormat(numberLocale(locale), { ...options, numberingSystem: 'latn' });
  formatters.set(key, made);
  return made;
}

function digits(amount: string, least: number): { minimumFractionDigits: number; maximumFractionDigits: number } {
  const written = amount.replace(/0+$/, '').split('.')[1]?.length ?? 0;
  const wanted = amount.includes('.') ? Math.max(least, written) : least;
  return { minimumFractionDigits: wanted, maximumFractionDigits: wanted };
}

/** Intl formats decimal strings exactly; its type wants to be told that this is one. */
function numeric(decimal: string): Intl.StringNumericLiteral {
  return decimal as Intl.StringNumericLiteral;
}
