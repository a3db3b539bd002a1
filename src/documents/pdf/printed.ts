import { own } from '../../platform/own.ts';
import type { DocumentContent, PartyDetails } from '../document.ts';
import {
  formatAmount,
  formatCountry,
  formatDate,
  formatMoney,
  formatNumber,
  formatPercent,
  titleOf,
  unitName,
  wordsOf,
} from '../format.ts';
import { readersLocale } from '../locale.ts';
import { asksNobody, type Payment, paymentOf, withoutSign } from '../payment.ts';
import { payableWord, sumWords, taxWordOf } from '../sum-words.ts';
import { computeTotals, type DocumentTotals, sameAmount, type TaxTotal } from '../totals.ts';
import type { CompanyHead, PdfInput } from './input.ts';
import { furtherDetails, lineDetails } from './printed-extras.ts';

/** A word and what it says. */
interface Fact {
  readonly label: string;
  readonly value: string;
}

/** One row of the table of lines. */
interface PrintedLine {
  readonly position: string;
  readonly name: string;
  /** Small print under the name, a paragraph each. */
  readonly details: readonly string[];
  readonly quantity: string;
  readonly price: string;
  readonly discount: string;
  readonly tax: string;
  readonly amount: string;
  /** So long that it must be allowed to break over pages. */
  readonly tall: boolean;
}

/** A record as it is printed: every word and number as text, so that the template only has to place them. */
export interface PrintedDocument {
  /** What it is and its number. */
  readonly heading: string;
  readonly company: { readonly name: string; readonly address: readonly string[]; readonly contact: readonly string[] };
  readonly party: { readonly heading: string; readonly name: string; readonly address: readonly string[] };
  readonly facts: readonly Fact[];
  readonly currency: string;
  readonly taxWord: string;
  readonly columns: { readonly position: boolean; readonly discount: boolean; readonly tax: boolean };
  readonly lines: readonly PrintedLine[];
  readonly sums: readonly Fact[];
  readonly total: Fact;
  readonly sections: readonly { readonly heading: string; readonly paragraphs: readonly string[] }[];
  readonly details: readonly Fact[];
}

/** Puts a record into the words and numbers that are printed. Pure. */
export function printedDocument({ company, content, locale: own }: PdfInput): PrintedDocument {
  const locale = readersLocale(content.party, own);
  const totals = computeTotals(content);
  const words = wordsOf(content);
  const taxWord = taxWordOf(company.country);
  const taxed = totals.taxes.filter(
    (tax) => tax.taxRate !== undefined || !sameAmount(tax.tax, '0') || tax.taxCategory !== undefined,
  );
  const details = furtherDetails(content, locale);
  return {
    heading: breakable(titleOf(content)),
    company: {
      name: breakable(company.name),
      address: addressLines(company, undefined, locale),
      contact: contactLines(company, taxWord),
    },
    party: {
      heading: words.party,
      name: breakable(content.party.name),
      address: [
        ...addressLines(content.party, company.country, locale),
        ...present([content.party.contactName, content.party.email, content.party.phone]),
        ...present([content.party.taxId]).map((id) => `${taxWord} no. ${id}`),
      ].map((text) => breakable(text)),
    },
    facts: facts(content, asksNobody(paymentOf(content, totals.payable)), locale),
    currency: content.currency,
    taxWord,
    columns: {
      position: content.lines.length > 1,
      discount: content.lines.some(
        (line) => line.discountPercent !== undefined && !sameAmount(line.discountPercent, '0'),
      ),
      tax: taxed.length > 1,
    },
    lines: printedLines(content, totals, locale),
    sums: sums(content, totals, taxed, taxWord, locale),
    total: total(content, totals.payable, locale),
    sections: sections(content, company, paymentOf(content, totals.payable)),
    details: details.map(({ label, value }) => ({ label: breakable(label), value: breakable(value) })),
  };
}

/** The last sum: an amount is due only where the reader is asked to pay it, and a negative one is theirs. */
function total(content: DocumentContent, payable: string, locale: string): Fact {
  const money = (amount: string) => formatMoney(amount, content.currency, locale);
  const payment = paymentOf(content, payable);
  const label = payableWord(content.kind, payment, 'party');
  return { label, value: money(payment === 'in_favour' || payment === 'against' ? withoutSign(payable) : payable) };
}

const categoryWords: Record<string, string> = {
  E: 'exempt',
  AE: 'reverse charge',
  K: 'intra-community supply',
  G: 'export',
  O: 'not applicable',
};

function taxLabel(tax: TaxTotal, taxWord: string, locale: string): string {
  const word = tax.taxCategory === undefined ? undefined : own(categoryWords, tax.taxCategory);
  if (word !== undefined) return `${taxWord} ${word}`;
  const name = tax.name === undefined ? taxWord : breakable(tax.name);
  return tax.taxRate === undefined ? name : `${name} ${formatPercent(tax.taxRate, locale)}`;
}

function facts(content: DocumentContent, isNothingDue: boolean, locale: string): Fact[] {
  const dates: [string, string | undefined][] = [
    ['Date', content.issueDate],
    ['Due', isNothingDue ? undefined : content.dueDate],
    ['Valid until', content.validUntil],
    [content.kind === 'purchase_order' ? 'Deliver by' : 'Delivered', content.deliveryDate],
  ];
  const references: [string, string | undefined][] = [
    ['Your reference', content.reference],
    ['Order', content.orderReference],
    ['For invoice', content.invoiceReference],
  ];
  return [
    ...dates.flatMap(([label, date]) => (date === undefined ? [] : [{ label, value: formatDate(date, locale) }])),
    ...references.flatMap(([label, value]) => (value === undefined ? [] : [{ label, value: breakable(value) }])),
  ];
}

function printedLines(content: DocumentContent, totals: DocumentTotals, locale: string): PrintedLine[] {
  const { currency } = content;
  return content.lines.map((line, index) => {
    const adjustments = line.adjustments.map((adjustment) => {
      const amount =
        adjustment.amount === undefined
          ? ''
          : ` ${formatAmount(signed(adjustment.type, adjustment.amount), currency, locale)}`;
      const percent = adjustment.percent === undefined ? '' : ` (${formatPercent(adjustment.percent, locale)})`;
      return `${adjustment.reason ?? (adjustment.type === 'allowance' ? sumWords.discount : sumWords.charge)}${percent}${amount}`;
    });
    const details = [
      ...(line.itemId === undefined ? [] : [`Item ${line.itemId}`]),
      ...present([line.description, line.note]).flatMap(paragraphs),
      ...adjustments,
      ...lineDetails(line, locale),
    ].map((text) => breakable(text));
    const base = line.priceBaseQuantity;
    const per = base === undefined || sameAmount(base, '1') ? '' : ` / ${formatNumber(base, locale)}`;
    return {
      position: breakable(line.id ?? String(index + 1), 8),
      name: breakable(line.name),
      details,
      quantity: present([formatNumber(line.quantity, locale), unitName(line.unit)])
        .map((part) => breakable(part, 16))
        .join(' '),
      price: `${formatAmount(line.unitPrice, currency, locale)}${per}`,
      discount:
        line.discountPercent === undefined || sameAmount(line.discountPercent, '0')
          ? ''
          : formatPercent(line.discountPercent, locale),
      tax: line.taxRate === undefined ? '' : formatPercent(line.taxRate, locale),
      amount: formatAmount(totals.lines[index]?.net ?? '0', currency, locale),
      tall: details.join('').length + line.name.length > 500,
    };
  });
}

function sums(
  content: DocumentContent,
  totals: DocumentTotals,
  taxed: readonly TaxTotal[],
  taxWord: string,
  locale: string,
): Fact[] {
  const { currency } = content;
  const amount = (value: string): string => formatAmount(value, currency, locale);
  const adjustments = content.adjustments.map((adjustment, index) => {
    const reason = adjustment.reason ?? (adjustment.type === 'allowance' ? sumWords.discount : sumWords.charge);
    const rate = adjustment.percent === undefined ? '' : ` (${formatPercent(adjustment.percent, locale)})`;
    return {
      label: breakable(`${reason}${rate}`),
      value: amount(signed(adjustment.type, totals.adjustments[index] ?? '0')),
    };
  });
  const taxes = taxed.map((tax) => ({
    label: `${taxLabel(tax, taxWord, locale)} on ${amount(tax.taxable)}`,
    value: amount(tax.tax),
  }));
  const prepaid = sameAmount(totals.prepaid, '0')
    ? []
    : [{ label: sumWords.paid, value: amount(signed('allowance', totals.prepaid)) }];
  const rounding = sameAmount(totals.rounding, '0')
    ? []
    : [{ label: sumWords.rounding, value: amount(totals.rounding) }];
  const further = (content.furtherAmounts ?? []).map(({ label }, index) => ({
    label: breakable(label),
    value: amount(totals.further[index] ?? '0'),
  }));
  const after = [...prepaid, ...rounding, ...further];
  return [
    ...(adjustments.length > 0 ? [{ label: sumWords.subtotal, value: amount(totals.lineTotal) }, ...adjustments] : []),
    ...(taxes.length > 0 ? [{ label: sumWords.net, value: amount(totals.taxExclusive) }, ...taxes] : []),
    ...(after.length > 0 ? [{ label: sumWords.total, value: amount(totals.taxInclusive) }, ...after] : []),
  ];
}

function sections(content: DocumentContent, company: CompanyHead, what: Payment): PrintedDocument['sections'] {
  // Where to pay belongs on what asks for money: not on a credit note, quote or order, but on a negative credit note.
  const isDue = what === 'due' || (what === 'against' && content.kind === 'credit_note');
  const payment = content.paymentDetails ?? (isDue ? company.paymentDetails : undefined);
  const all: [string, string[]][] = [
    ['Payment terms', present([content.paymentTerms])],
    ['Payment', present([payment])],
    [content.notes.length > 1 ? 'Notes' : 'Note', content.notes],
  ];
  return all
    .filter(([, texts]) => texts.length > 0)
    .map(([heading, texts]) => ({ heading, paragraphs: texts.flatMap(paragraphs).map((text) => breakable(text)) }));
}

function addressLines(address: CompanyHead | PartyDetails, home: string | undefined, locale: string): string[] {
  const town = present([address.postalCode, address.city]).join(' ');
  // At home the country goes without saying.
  const country =
    address.country === undefined || address.country === home ? undefined : formatCountry(address.country, locale);
  return present([address.street, address.extraStreet, town, address.region, country]).map((line) => breakable(line));
}

function contactLines(company: CompanyHead, taxWord: string): string[] {
  const tax = company.taxId === undefined ? undefined : `${taxWord} no. ${company.taxId}`;
  return present([company.email, company.phone, company.website, tax]).map((line) => breakable(line));
}

function signed(type: 'allowance' | 'charge', amount: string): string {
  if (type === 'charge') return amount;
  return amount.startsWith('-') ? amount.slice(1) : `-${amount}`;
}

function paragraphs(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function present(values: readonly (string | undefined)[]): string[] {
  return values.filter((value): value is string => value !== undefined && value !== '');
}

/**
 * Lets a word that is longer than `longest`, which may not fit its column, break after every eighth letter. Scripts
 * without spaces break anyway; letters that join with their neighbours are taken apart only where they must be.
 */
function breakable(text: string, longest = 24): string {
  return text.replace(/[^\s\u200b]+/gu, (word) => {
    if (word.length <= longest) return word;
    if (!joined.test(word)) return word.replace(/.{8}(?=.)/gu, '$&\u200b');
    const letters = [...segmenter.segment(word)].map(({ segment }) => segment);
    if (letters.length <= 2 * longest || breaksAnyway.test(word)) return word;
    return letters.map((letter, at) => (at % 16 === 15 ? `${letter}\u200b` : letter)).join('');
  });
}
/** Accents, and scripts in which a letter's look depends on those beside it. */
const joined = /[\p{M}\u0590-\u1fff\u2e80-\u{10ffff}]/u;
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const breaksAnyway =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
