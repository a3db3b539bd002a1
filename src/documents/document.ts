import { z } from 'zod';
import { isCurrency } from '../platform/currencies.ts';
import { oneLine } from '../platform/plain-text.ts';

/** The business records Letterhead knows. */
export const documentKinds = ['invoice', 'credit_note', 'quote', 'purchase_order'] as const;
/** One of {@link documentKinds}. */
export type DocumentKind = (typeof documentKinds)[number];

/** Where a record stands in the business, which is not whether it was sent: that is the delivery's state. */
export const documentStatuses = ['draft', 'open', 'accepted', 'paid', 'cancelled'] as const;
/** One of {@link documentStatuses}. */
export type DocumentStatus = (typeof documentStatuses)[number];

/** What stands in the place of a draft's number: it gets one when it is finalised. */
export const unnumbered = 'Draft';

/** The most lines a record may have. */
export const maxLines = 5_000;

// PostgreSQL's jsonb cannot hold U+0000, and no other control character belongs in a printed record.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controlCharacter = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max, `is longer than ${max} characters`)
    .refine((value) => !controlCharacter.test(value), 'holds a control character');

/**
 * A number as text, so that it is never rounded by floating point. At most 15 digits before the point and 10 after:
 * room for any business amount, and too little for a number that takes minutes to multiply.
 */
export const decimalSchema = z.string().regex(/^-?\d{1,15}(\.\d{1,10})?$/, 'is not a number such as 1234.50');

/** A day on a calendar, `YYYY-MM-DD`, that exists. */
export const dateSchema = z.iso.date('is not a date such as 2026-11-21');

/** An ISO 4217 code, such as `EUR`. */
export const currencySchema = z.string().refine((code) => isCurrency(code), 'is not a currency code such as EUR');

/** UNCL5305: S standard, Z zero rated, E exempt, AE reverse charge, K intra-community, G export, O not subject, … */
const taxCategorySchema = z.string().regex(/^[A-Z]{1,3}$/, 'is not a tax category code such as S');
const percentSchema = decimalSchema;

/** What an imported file says that the model has no place for. */
export const extraSchema = z.strictObject({
  /** For people: `Delivery › Delivery location › ID`. */
  label: text(1_000),
  value: z.string(),
  /** Where it stood in the file: `cac:Delivery/cac:DeliveryLocation/cbc:ID`. */
  path: text(1_000),
  /** The element's own attributes that mean something, such as `schemeID`. */
  attributes: z.record(z.string(), z.string()).optional(),
});
/** See {@link extraSchema}. */
export type Extra = z.infer<typeof extraSchema>;

/** One line, without what nobody can see: such as names and numbers, which stand in emails, too. */
const line = (most: number) => z.string().transform(oneLine).pipe(text(most));
const nameText = line(300);

/** The customer or supplier as it is printed on this record; a later change of the party leaves it alone. */
export const partyDetailsSchema = z.strictObject({
  name: nameText,
  contactName: nameText.optional(),
  /** One address or several, as `readAddressField` writes them. */
  email: text(5_000).optional(),
  /** Where e-invoices reach it: scheme and identifier, `0088:7300010000001`. */
  endpoint: text(300).optional(),
  phone: line(100).optional(),
  taxId: line(100).optional(),
  street: line(300).optional(),
  extraStreet: text(600).optional(),
  city: line(200).optional(),
  postalCode: line(50).optional(),
  region: line(200).optional(),
  /** ISO 3166-1 alpha-2. */
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'is not a country code such as IE')
    .optional(),
});
/** See {@link partyDetailsSchema}. */
export type PartyDetails = z.infer<typeof partyDetailsSchema>;

const adjustmentShape = {
  type: z.enum(['allowance', 'charge']),
  reason: text(1_000).optional(),
  /** What is taken off or added, positive. Where it is missing, `percent` of `base`. */
  amount: decimalSchema.optional(),
  percent: percentSchema.optional(),
  /** What `percent` is of; where missing, the line's price × quantity, or the sum of the lines. */
  base: decimalSchema.optional(),
};
const saysHowMuch = (adjustment: { amount?: string | undefined; percent?: string | undefined }) =>
  adjustment.amount !== undefined || adjustment.percent !== undefined;
const howMuch = { message: 'needs an amount or a percentage', path: ['amount'] };

/** An allowance or charge on one line; taxed as its line is. */
const lineAdjustmentSchema = z.strictObject(adjustmentShape).refine(saysHowMuch, howMuch);
/** See {@link lineAdjustmentSchema}. */
export type LineAdjustment = z.infer<typeof lineAdjustmentSchema>;

/** An allowance or charge on the whole record, with its own tax. */
const adjustmentSchema = z
  .strictObject({ ...adjustmentShape, taxCategory: taxCategorySchema.optional(), taxRate: percentSchema.optional() })
  .refine(saysHowMuch, howMuch);
/** See {@link adjustmentSchema}. */
export type Adjustment = z.infer<typeof adjustmentSchema>;

/** A file that was embedded in an imported one. */
const fileSchema = z.strictObject({
  name: text(300),
  mediaType: text(100),
  size: z.int().min(0),
  description: text(1_000).optional(),
});

/** One line of a record. */
export const lineSchema = z.strictObject({
  /** The line's own number or id, as the file gave it. */
  id: text(100).optional(),
  /** The seller's number for the article. */
  itemId: text(200).optional(),
  name: text(1_000),
  description: text(10_000).optional(),
  note: text(10_000).optional(),
  quantity: decimalSchema,
  /** A word (`hours`) or a UN/ECE Recommendation 20 code (`HUR`); `unitName` in format.ts turns codes into words. */
  unit: text(50).optional(),
  /** Net of tax, for `priceBaseQuantity` units (1 where missing). */
  unitPrice: decimalSchema,
  priceBaseQuantity: decimalSchema.refine((value) => Number(value) > 0, 'must be more than zero').optional(),
  /** Per cent off price × quantity. */
  discountPercent: percentSchema.optional(),
  adjustments: z.array(lineAdjustmentSchema).max(50).default([]),
  taxCategory: taxCategorySchema.optional(),
  /** Per cent. Missing: no tax is stated, none is added. */
  taxRate: percentSchema.optional(),
  /** The net amount that an imported file states, where quantity and price come to another. It counts. */
  statedNet: decimalSchema.optional(),
  extras: z.array(extraSchema).default([]),
});
/** See {@link lineSchema}. */
export type DocumentLine = z.infer<typeof lineSchema>;

/**
 * The tax that an imported file states for one category and rate, where it differs from ours. With what it is on (or the
 * name of the tax) it is a row of the file's own table, which then stands whole in place of ours.
 */
const statedTaxSchema = z.strictObject({
  name: text(100).optional(),
  taxCategory: taxCategorySchema.optional(),
  taxRate: percentSchema.optional(),
  taxable: decimalSchema.optional(),
  amount: decimalSchema,
});

/** The sums that an imported file states where ours come to others. They count. */
const statedSumsSchema = z.strictObject({
  lineTotal: decimalSchema.optional(),
  taxExclusive: decimalSchema.optional(),
  taxTotal: decimalSchema.optional(),
  taxInclusive: decimalSchema.optional(),
  payable: decimalSchema.optional(),
});
/** See {@link statedSumsSchema}. */
export type StatedSums = z.infer<typeof statedSumsSchema>;

/** What is added to what is to pay beside the sale, or taken off where negative: a third party's claim, a tax withheld. */
const furtherAmountSchema = z.strictObject({ label: text(300), amount: decimalSchema });

/**
 * The whole of a business record: read, written and snapshotted at once, kept as jsonb. Amounts are decimal strings
 * in `currency`, net of tax. What can be computed (totals, taxes) is not in it: `computeTotals` says it.
 */
export const documentContentSchema = z.strictObject({
  kind: z.enum(documentKinds),
  /** UNTDID 1001, as an imported file gives it: see `type-codes.ts`. */
  typeCode: z
    .string()
    .regex(/^\d{2,3}$/)
    .optional(),
  number: line(100),
  issueDate: dateSchema,
  dueDate: dateSchema.optional(),
  validUntil: dateSchema.optional(),
  deliveryDate: dateSchema.optional(),
  currency: currencySchema,
  /** The other side's reference, printed as "Your reference". */
  reference: line(300).optional(),
  /** The purchase order that an invoice belongs to. */
  orderReference: line(300).optional(),
  /** The invoice that a credit note corrects. */
  invoiceReference: line(300).optional(),
  party: partyDetailsSchema,
  lines: z.array(lineSchema).min(1, 'needs at least one line').max(maxLines, `has more than ${maxLines} lines`),
  adjustments: z.array(adjustmentSchema).max(200).default([]),
  statedTaxes: z.array(statedTaxSchema).max(500).optional(),
  statedSums: statedSumsSchema.optional(),
  /** How many digits its sums have, where an imported file has more than the currency. */
  digits: z.int().min(0).max(10).optional(),
  prepaid: decimalSchema.optional(),
  /** Added to what is to pay, to reach a round amount. */
  rounding: decimalSchema.optional(),
  furtherAmounts: z.array(furtherAmountSchema).max(100).optional(),
  paymentTerms: text(10_000).optional(),
  /** Where to pay, as free lines; where missing, the company's own are printed on invoices. */
  paymentDetails: text(10_000).optional(),
  notes: z.array(text(20_000)).max(100).default([]),
  /** What was embedded in an imported file; its bytes are kept beside the record, in this order. */
  files: z.array(fileSchema).max(50).optional(),
  extras: z.array(extraSchema).default([]),
});
/** See {@link documentContentSchema}. */
export type DocumentContent = z.infer<typeof documentContentSchema>;

/** What may be given where a {@link DocumentContent} is made: lists may be left out. */
export type DocumentContentInput = z.input<typeof documentContentSchema>;
