import type { DocumentContent, DocumentLine, Extra } from '../document.ts';
import { formatCountry, formatDate } from '../format.ts';

/**
 * What of an imported file's extras is printed, and under which words: what a customer reads on a paper. Everything else
 * speaks to machines, or repeats what stands elsewhere on the page; the page of the record shows all of it. Paths are
 * those of UBL 2.1, without the numbers of what is there several times.
 */
const ofRecord: readonly (readonly [path: RegExp, label: string])[] = [
  [/^cac:Delivery\/cac:DeliveryParty\/(cac:PartyName\/cbc:Name|cac:Contact\/cbc:Name)$/, 'Delivered to'],
  [/^cac:Delivery\/cac:DeliveryLocation\/cac:Address\/.*cbc:(StreetName|AdditionalStreetName|Line)$/, 'Delivered to'],
  [/^cac:Delivery\/cac:DeliveryLocation\/cac:Address\/cbc:(CityName|PostalZone|CountrySubentity)$/, 'Delivered to'],
  [/^cac:Delivery\/cac:DeliveryLocation\/cac:Address\/cac:Country\/cbc:IdentificationCode$/, 'Delivered to'],
  [/^cac:Delivery\/cac:RequestedDeliveryPeriod\/cbc:(StartDate|EndDate)$/, 'Delivery wanted'],
  [/^cac:DeliveryTerms\/cbc:(ID|SpecialTerms)$/, 'Delivery terms'],
  [/^cac:InvoicePeriod\/cbc:(StartDate|EndDate)$/, 'Billing period'],
  [/^cbc:TaxPointDate$/, 'Tax date'],
  [/^cac:(Contract|ContractDocumentReference)\/cbc:ID$/, 'Contract'],
  [/^cac:ProjectReference\/cbc:ID$/, 'Project'],
  [/^cac:DespatchDocumentReference\/cbc:ID$/, 'Delivery note'],
  [/^cac:ReceiptDocumentReference\/cbc:ID$/, 'Receipt'],
  [/^cac:QuotationDocumentReference\/cbc:ID$/, 'Quote'],
  [/^cac:OriginatorDocumentReference\/cbc:ID$/, 'Tender'],
  [/^cac:OrderReference\/cbc:SalesOrderID$/, 'Our order number'],
  [/^cbc:AccountingCost$/, 'Your accounting code'],
  [/^cac:PayeeParty\/cac:PartyName\/cbc:Name$/, 'Pay to'],
  [/^cac:PaymentMeans\/cac:PaymentMandate\/cbc:ID$/, 'Direct debit mandate'],
  [/^cac:TaxRepresentativeParty\/(cac:PartyName\/cbc:Name|cac:PartyTaxScheme\/cbc:CompanyID)$/, 'Tax representative'],
  [/^cac:TaxTotal\/cac:TaxSubtotal\/cac:TaxCategory\/cbc:TaxExemptionReason$/, 'Why no tax is charged'],
];
/** The same of a line; an order wraps its lines once more. */
const ofLine: readonly (readonly [path: RegExp, label: string])[] = [
  [/^(cac:LineItem\/)?cac:Item\/cac:StandardItemIdentification\/cbc:ID$/, 'Standard item number'],
  [/^(cac:LineItem\/)?cac:Item\/cac:BuyersItemIdentification\/cbc:ID$/, 'Your item number'],
  [/^(cac:LineItem\/)?cac:Item\/cac:OriginCountry\/cbc:IdentificationCode$/, 'Made in'],
  [/^(cac:LineItem\/)?cac:Delivery\/cac:RequestedDeliveryPeriod\/cbc:(StartDate|EndDate)$/, 'Delivery wanted'],
  [/^cac:InvoicePeriod\/cbc:(StartDate|EndDate)$/, 'Period'],
  [/^cac:OrderLineReference\/cbc:LineID$/, 'Order line'],
  [/^(cac:LineItem\/)?cbc:AccountingCost$/, 'Your accounting code'],
];
/** What a seller says of an item in words of their own: name and value. */
const itemProperty = /^(cac:LineItem\/)?cac:Item\/cac:AdditionalItemProperty$/;

/** The record's printed extras, gathered under their words: `Delivered to: Lower street 5, Stockholm, Sweden`. */
export function furtherDetails(content: DocumentContent, locale: string): { label: string; value: string }[] {
  return gathered(content.extras, ofRecord, locale);
}

/** A line's printed extras in one small paragraph: `Your item number: BUY123 · Made in: Norway`. */
export function lineDetails(line: DocumentLine, locale: string): string[] {
  const own = line.extras
    .filter(({ path }) => itemProperty.test(plain(path)))
    .map(({ label, value }) => ({ label: label.split(' › ').at(-1) ?? label, value }));
  const said = [...own, ...gathered(line.extras, ofLine, locale)].map(({ label, value }) => `${label}: ${value}`);
  return said.length > 0 ? [said.join(' · ')] : [];
}

function gathered(
  extras: readonly Extra[],
  printed: typeof ofRecord,
  locale: string,
): { label: string; value: string }[] {
  const groups = new Map<string, Extra[]>();
  for (const extra of extras) {
    const label = printed.find(([path]) => path.test(plain(extra.path)))?.[1];
    if (label !== undefined) groups.set(label, [...(groups.get(label) ?? []), extra]);
  }
  return [...groups].map(([label, group]) => ({ label, value: together(group, locale) }));
}

/** `1 December 2017 – 31 December 2017`; anything else one after the other, each once. */
function together(group: readonly Extra[], locale: string): string {
  const isPeriod = group.every(({ path }) => /cbc:(Start|End)Date$/.test(path));
  const values = [...new Set(group.map((extra) => readable(extra, locale)))];
  return values.join(isPeriod && values.length === 2 ? ' – ' : ', ');
}

function readable({ path, value }: Extra, locale: string): string {
  if (/cbc:IdentificationCode$/.test(path) && /^[A-Z]{2}$/.test(value)) return formatCountry(value, locale);
  return /^\d{4}-\d{2}-\d{2}$/.test(value) ? formatDate(value, locale) : value;
}

/** `cac:Delivery[2]/…` → `cac:Delivery/…`. */
function plain(path: string): string {
  return path.replaceAll(/\[\d+\]/g, '');
}
