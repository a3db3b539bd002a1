import { atMost, difference, percentOf, sameAmount } from '../decimal.ts';
import type { Adjustment, DocumentContentInput, Extra, LineAdjustment } from '../document.ts';
import { takeExtras } from './extras.ts';
import { ImportError } from './import-error.ts';
import { takeAll, takeAmount, takeAttribute, takeDecimal, takeIf, takeRequired, takeText } from './take.ts';
import type { XmlElement } from './xml.ts';

/** How far a line or a percentage may be from what it should be: PEPPOL-EN16931-R120, R040, PEPPOL-T01-R024. */
export const lineSlack = '0.02';

type LineInput = DocumentContentInput['lines'][number];

/** One line of a file. */
export interface ReadLine {
  readonly content: LineInput;
  /** The element, for messages that name its place. */
  readonly element: XmlElement;
  /** The net amount that the file states. */
  readonly declaredNet: string | undefined;
  /** Whether the line is given away: its price is a reference only (SUNAT's price type 02). */
  readonly free: boolean;
}

/** Reads an `InvoiceLine`, `CreditNoteLine` or `OrderLine`; what has no place in the record becomes the line's extras. */
export function readLine(outer: XmlElement, currency: string): ReadLine {
  const line = outer.first('cac:LineItem') ?? outer;
  const item = line.first('cac:Item');
  const price = line.first('cac:Price');
  const quantityElement = ['cbc:InvoicedQuantity', 'cbc:CreditedQuantity', 'cbc:Quantity'].find((name) =>
    line.first(name),
  );
  // The validators count a line without a quantity as one piece, and so do we.
  const quantity = (quantityElement && takeDecimal(line, quantityElement)) ?? '1';
  const unit = quantityElement ? takeAttribute(line.first(quantityElement), 'unitCode') : undefined;
  const declaredNet = takeAmount(line, 'cbc:LineExtensionAmount', currency);
  const unitPrice = takeAmount(price, 'cbc:PriceAmount', currency);

  const id = takeText(line, 'cbc:ID');
  const itemId = takeText(item, 'cac:SellersItemIdentification/cbc:ID');
  const description = item ? takeAll(item, 'cbc:Description').join('\n') : '';
  const name =
    takeText(item, 'cbc:Name') ??
    (description === '' ? takeRequired(line, 'cac:Item/cbc:Name', 'what this line is for') : description);
  const notes = [...takeAll(line, 'cbc:Note'), ...(line === outer ? [] : takeAll(outer, 'cbc:Note'))];
  const content: LineInput = {
    ...(id === undefined ? {} : { id }),
    ...(itemId === undefined ? {} : { itemId }),
    name,
    ...(description === '' || description === name ? {} : { description }),
    ...(notes.length === 0 ? {} : { note: notes.join('\n') }),
    quantity,
    ...(unit === undefined ? {} : { unit }),
    ...readPrice(price, quantity, unitPrice, declaredNet, unit),
    adjustments: line.all('cac:AllowanceCharge').map((element) => readAdjustment(element, currency)),
    ...readLineTax(line, item),
  };
  const free = line.first('cac:PricingReference/cac:AlternativeConditionPrice/cbc:PriceTypeCode')?.text === '02';
  const properties = item ? item.all('cac:AdditionalItemProperty').flatMap(readProperty) : [];
  return {
    content: { ...content, extras: [...properties, ...takeExtras(outer)] },
    element: line,
    declaredNet,
    free,
  };
}

function readPrice(
  price: XmlElement | undefined,
  quantity: string,
  unitPrice: string | undefined,
  declaredNet: string | undefined,
  unit: string | undefined,
): { unitPrice: string; priceBaseQuantity?: string } {
  // An order may state the sum of a line alone: then that is the price of the whole quantity.
  if (unitPrice === undefined) {
    if (declaredNet === undefined || sameAmount(quantity, '0')) return { unitPrice: declaredNet ?? '0' };
    return quantity.startsWith('-')
      ? { unitPrice: negated(declaredNet), priceBaseQuantity: negated(quantity) }
      : { unitPrice: declaredNet, priceBaseQuantity: quantity };
  }
  const element = price?.first('cbc:BaseQuantity');
  const base = takeDecimal(price, 'cbc:BaseQuantity');
  if (base === undefined) return { unitPrice };
  // A price for no units says nothing; where the line states its sum, nothing hangs on it.
  if (element && declaredNet !== undefined && atMost(base, '0')) {
    element.taken = false;
    return { unitPrice };
  }
  if (element?.attributes.get('unitCode') === unit) takeAttribute(element, 'unitCode');
  if (atMost(base, '0')) {
    throw new ImportError(
      'invalid_value',
      `The price is for ${base} units (cbc:BaseQuantity); it must be for more than none. Correct it and import the file again.`,
      { line: element?.line },
    );
  }
  return { unitPrice, priceBaseQuantity: base };
}

/** Reads a `cac:AllowanceCharge`. Its reason code has no place in the record and becomes an extra. */
export function readAdjustment(element: XmlElement, currency: string): LineAdjustment {
  const indicator = takeRequired(
    element,
    'cbc:ChargeIndicator',
    'whether this is a charge or an allowance',
  ).toLowerCase();
  if (!['true', 'false', '1', '0'].includes(indicator)) {
    throw new ImportError(
      'invalid_value',
      `cbc:ChargeIndicator is “${indicator}”; it must be true or false. Correct it and import the file again.`,
      { line: element.line },
    );
  }
  const reason = takeText(element, 'cbc:AllowanceChargeReason');
  const amount = takeAmount(element, 'cbc:Amount', currency);
  if (amount === undefined) takeRequired(element, 'cbc:Amount', 'how much this allowance or charge is');
  return {
    type: indicator === 'true' || indicator === '1' ? 'charge' : 'allowance',
    reason,
    amount,
    ...readPercentage(element, amount ?? '0', currency),
  };
}

/** The percentage and its base, if they do explain the amount; UBL also allows a factor (0.2 for 20 %). */
function readPercentage(element: XmlElement, amount: string, currency: string): { percent?: string; base?: string } {
  const factor = element.first('cbc:MultiplierFactorNumeric');
  const baseAmount = element.first('cbc:BaseAmount');
  // A factor that a program has written with fifty digits explains nothing to anybody.
  if (!factor || !baseAmount?.text || !/^\d{1,15}(\.\d{1,10})?$/.test(factor.text)) return {};
  const percent = takeDecimal(element, 'cbc:MultiplierFactorNumeric');
  const base = takeAmount(element, 'cbc:BaseAmount', currency);
  if (percent === undefined || base === undefined) return {};
  if (atMost(difference(percentOf(base, percent), amount), lineSlack)) return { percent, base };
  factor.taken = false;
  baseAmount.taken = false;
  baseAmount.takenAttributes.delete('currencyID');
  return {};
}

/** OIOUBL's words for the codes of UNCL5305. */
const categoryCodes = new Map([
  ['StandardRated', 'S'],
  ['ZeroRated', 'Z'],
  ['ReverseCharge', 'AE'],
]);

/**
 * Reads a tax category: code and rate. `VAT` as its scheme says nothing new; another scheme stays an extra.
 *
 * @param beside the element around it, where UBL 2.0 and its dialects (UBL-TR) have the rate
 */
export function readTax(
  category: XmlElement | undefined,
  beside?: XmlElement,
): Pick<Adjustment, 'taxCategory' | 'taxRate'> {
  const taxCategory =
    takeIf(category, 'cbc:ID', /^[A-Z]{1,3}$/) ?? categoryCodes.get(category?.first('cbc:ID')?.text ?? '');
  const taxRate = takeRate(category) ?? takeRate(beside);
  takeIf(category, 'cac:TaxScheme/cbc:ID', /^VAT$/);
  return { ...(taxCategory === undefined ? {} : { taxCategory }), ...(taxRate === undefined ? {} : { taxRate }) };
}

/** Some files write `19%` for a rate. */
function takeRate(element: XmlElement | undefined): string | undefined {
  const percent = element?.first('cbc:Percent');
  if (percent && /^[\d.]+ ?%$/.test(percent.text)) percent.text = percent.text.replace(/ ?%$/, '');
  return takeDecimal(element, 'cbc:Percent');
}

/** Schemes of the tax on sales: VAT and GST by their names, Turkey's KDV, Peru's IGV, Colombia's IVA by their numbers. */
const salesTaxes = new Set(['VAT', 'GST', '0015', '1000', '01', '63']);

/**
 * The tax of a line: of its item, as in EN 16931, or of the line's own table of taxes, as in UBL 2.0 and its dialects.
 * Of several the one on sales: the others are in the record's table of taxes.
 */
function readLineTax(line: XmlElement, item: XmlElement | undefined): Pick<Adjustment, 'taxCategory' | 'taxRate'> {
  const classified = item?.first('cac:ClassifiedTaxCategory');
  const own = classified ? readTax(classified) : {};
  if (own.taxRate !== undefined) return own;
  const rows = line.all('cac:TaxTotal/cac:TaxSubtotal');
  const schemeOf = (row: XmlElement): string =>
    row.first('cac:TaxCategory/cac:TaxScheme/cbc:ID')?.text ??
    row.first('cac:TaxCategory/cac:TaxScheme/cbc:TaxTypeCode')?.text ??
    '';
  const taxed = (row: XmlElement): boolean => /[1-9]/.test(row.first('cbc:TaxAmount')?.text ?? '');
  const row =
    rows.find((each) => salesTaxes.has(schemeOf(each)) && taxed(each)) ??
    rows.find((each) => salesTaxes.has(schemeOf(each))) ??
    (rows.length === 1 ? rows[0] : undefined);
  if (!row) return own;
  return { ...readTax(row.first('cac:TaxCategory'), row), ...own };
}

/** `Thickness: 2 mm` reads better than its two halves under UBL's names. */
function readProperty(property: XmlElement): Extra[] {
  if (!property.first('cbc:Name')?.text || !property.first('cbc:Value')?.text) return [];
  const label = takeText(property, 'cbc:Name');
  const value = takeText(property, 'cbc:Value');
  if (label === undefined || value === undefined) return [];
  return [{ label, value, path: 'cac:Item/cac:AdditionalItemProperty' }];
}

function negated(decimal: string): string {
  return decimal.startsWith('-') ? decimal.slice(1) : `-${decimal}`;
}
