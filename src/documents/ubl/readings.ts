import { minorDigits } from '../../platform/currencies.ts';
import { Decimal, placesOf, sumOf, unsigned } from '../decimal.ts';
import type { Adjustment, DocumentContent } from '../document.ts';
import { computeTotals, sumDigits } from '../totals.ts';
import { differ } from './import-error.ts';
import type { ReadLine } from './line.ts';
import { type Statements, type SumName, taxOf } from './statements.ts';

/** How the sums of a file follow from each other. */
export interface Reading {
  /** The content with what is prepaid, rounded, owed to others and taken off as this file counts it. */
  readonly content: DocumentContent;
  /** What the taxes come to; undefined where the file states none, and ours fit. */
  readonly taxTotal: string | undefined;
  /** Whether the file's sums are what EN 16931 means by them; in some dialects they are other sums of the same name. */
  readonly lineTotalStands: boolean;
  readonly taxExclusiveStands: boolean;
  readonly taxInclusiveStands: boolean;
  readonly usesPayments: boolean;
  readonly usesWithheld: boolean;
}

/** A number that came about by adding numbers up, with how far rounding may have moved it. */
interface Sum {
  readonly value: Decimal;
  readonly slack: Decimal;
}

/**
 * Finds a way from the lines of a file to what is to pay that all of its sums are on. The ways are those of UBL's dialects,
 * the norm's first:
 *
 * | sum | EN 16931, Peppol | elsewhere |
 * |---|---|---|
 * | lines | sum of all | without those that are free of charge (SUNAT); before what is taken off on them (UBL-TR) |
 * | allowances, charges | the record's own | also those on its lines, counted there already (UBL-TR); as a sum alone |
 * | without tax | lines − allowances + charges | the tax itself (OIOUBL 2.0); the taxed part (DIAN) |
 * | with tax | without tax + tax | also rounding (UBL 2.1's sample); before allowances (DIAN) |
 * | to pay | with tax − prepaid + rounding | + third parties' claims (XRechnung), − payments listed, − tax withheld (UBL-TR) |
 *
 * Throws `totals_differ` where there is none.
 */
export function addUp(content: DocumentContent, lines: readonly ReadLine[], statements: Statements): Reading {
  const { sums } = statements;
  const wrong = (name: SumName, own: Decimal, what: string) =>
    differ(
      statements.monetary?.first(`cbc:${name}`),
      `cbc:${name}`,
      sums[name] ?? '',
      unsigned(own.toFixed(Math.max(minorDigits(content.currency), placesOf(own)))),
      what,
      content.currency,
    );
  const agrees = (name: SumName, { value, slack }: Sum): boolean => {
    const stated = sums[name];
    return stated === undefined || value.minus(stated).abs().lte(slack);
  };

  const nets = linesThatCount(content, lines, (sum) => agrees('LineExtensionAmount', sum));
  if (!nets) throw wrong('LineExtensionAmount', sumOf(computeTotals(content).lines.map(({ net }) => net)), 'the lines');
  const lineTotal: Sum =
    sums.LineExtensionAmount === undefined || !nets.all
      ? nets.sum
      : { value: new Decimal(sums.LineExtensionAmount), slack: new Decimal(0) };

  const adjusted = adjustmentsThatCount(nets.content, statements, wrong);
  const { allowances, charges } = adjusted;
  const untaxed: Sum = { ...lineTotal, value: lineTotal.value.minus(allowances).plus(charges) };
  const rounding = new Decimal(sums.PayableRoundingAmount ?? 0);

  let refusal: Error | undefined;
  for (const tax of taxesThatMayCount(adjusted.content, statements)) {
    const plus = (sum: Sum, ...more: Decimal[]): Sum => ({
      value: sumOf([sum.value, ...more]),
      slack: sum.slack.plus(roundingOf(more, sumDigits(content), tax.slack)),
    });
    const taxed = plus(untaxed, tax.value);
    const before = { ...lineTotal };
    // Sums of the same name with another meaning do not stand as the norm's.
    const exclusive = [
      { sum: untaxed, stands: true },
      { sum: { value: tax.value, slack: tax.slack }, stands: false },
      { sum: before, stands: false },
      { sum: plus(before, allowances.neg()), stands: false },
      { sum: plus(before, charges), stands: false },
      ...tax.bases.map((value) => ({ sum: { value, slack: tax.slack }, stands: false })),
    ].find(({ sum }) => agrees('TaxExclusiveAmount', sum));
    if (!exclusive) {
      refusal ??= wrong('TaxExclusiveAmount', untaxed.value, 'lines, allowances and charges');
      continue;
    }
    const inclusive = [
      { sum: taxed, stands: true },
      { sum: plus(taxed, rounding), stands: false },
      { sum: plus(before, tax.value), stands: false },
      { sum: plus(before, tax.value, allowances.neg()), stands: false },
      { sum: plus(before, tax.value, charges), stands: false },
      { sum: plus(taxed, sumOf(statements.withheld.map(({ amount }) => amount)).neg()), stands: false },
    ].find(({ sum }) => agrees('TaxInclusiveAmount', sum));
    if (!inclusive) {
      refusal ??= wrong('TaxInclusiveAmount', taxed.value, 'the amounts with tax');
      continue;
    }
    const due = waysToPay(statements).find(({ moved }) => agrees('PayableAmount', plus(taxed, ...moved)));
    if (!due) {
      const [norm] = waysToPay(statements);
      refusal ??= wrong('PayableAmount', sumOf([taxed.value, ...(norm?.moved ?? [])]), 'what is to pay');
      continue;
    }
    return {
      content: { ...adjusted.content, ...due.content },
      taxTotal: tax.stated ? unsigned(tax.value.toFixed()) : undefined,
      lineTotalStands: nets.all,
      taxExclusiveStands: exclusive.stands,
      taxInclusiveStands: inclusive.stands,
      usesPayments: due.usesPayments,
      usesWithheld: due.usesWithheld,
    };
  }
  throw refusal;
}

/** How far rounding may have moved a sum of these numbers: half of the last digit for each that has more digits. */
function roundingOf(terms: readonly (Decimal | string)[], digits: number, least: Decimal): Decimal {
  const cut = terms.filter((term) => placesOf(term) > digits).length;
  return new Decimal(10).pow(-digits).div(2).times(cut).plus(least);
}

/** The lines whose amounts are in the sum of the lines: all, or those that are not free of charge. */
function linesThatCount(content: DocumentContent, lines: readonly ReadLine[], fits: (sum: Sum) => boolean) {
  const digits = sumDigits(content);
  const sumIn = (each: DocumentContent): Sum => {
    // What the file states is added up as it stands; an amount of ours as it is rounded.
    const nets = computeTotals(each).lines.map(({ net }) => net);
    // Half of the last digit for each line: some round each, others add up first and round once.
    const perLine = new Decimal(10)
      .pow(-digits)
      .div(2)
      .times(nets.length > 1 ? nets.length : 0);
    return { value: sumOf(nets), slack: roundingOf(nets, digits, perLine) };
  };
  const all = sumIn(content);
  if (fits(all)) return { content, sum: all, all: true };
  // UBL-TR's sum of the lines is before what is taken off on them.
  const onLines = computeTotals(content).lines.map(({ allowances, charges }) => new Decimal(allowances).minus(charges));
  if (fits({ ...all, value: all.value.plus(sumOf(onLines)) })) return { content, sum: all, all: false };
  const charged: DocumentContent = {
    ...content,
    lines: content.lines.map((line, index) => (lines[index]?.free ? { ...line, statedNet: '0' } : line)),
  };
  const sum = sumIn(charged);
  return fits(sum) ? { content: charged, sum, all: true } : undefined;
}

/** The record's allowances and charges: its own, or as its sums alone say. */
function adjustmentsThatCount(
  content: DocumentContent,
  { sums }: Statements,
  wrong: (name: SumName, own: Decimal, what: string) => Error,
) {
  const digits = sumDigits(content);
  const listed = (type: Adjustment['type']): string[] =>
    content.adjustments.filter((each) => each.type === type).map(({ amount }) => amount ?? '0');
  const onLines = (type: Adjustment['type']): string[] =>
    content.lines
      .flatMap((line) => line.adjustments.filter((each) => each.type === type))
      .map((each) => each.amount ?? '0');
  const added: Adjustment[] = [];
  const settle = (type: Adjustment['type'], name: SumName, what: string): Decimal => {
    const stated = sums[name];
    const own = sumOf(listed(type));
    const near = (sum: Decimal, terms: readonly string[]): boolean =>
      stated === undefined ||
      sum
        .minus(stated)
        .abs()
        .lte(roundingOf(terms, digits, new Decimal(0)));
    const lineTerms = onLines(type);
    if (near(own, listed(type)) || near(sumOf(lineTerms), lineTerms)) return own;
    if (near(own.plus(sumOf(lineTerms)), [...listed(type), ...lineTerms])) return own;
    // A sum without anything that it is the sum of is one allowance or charge.
    if (stated !== undefined && own.eq(0)) {
      added.push({ type, amount: stated });
      return new Decimal(stated);
    }
    throw wrong(name, own, what);
  };
  const allowances = settle('allowance', 'AllowanceTotalAmount', 'the allowances');
  const charges = settle('charge', 'ChargeTotalAmount', 'the charges');
  return {
    content: added.length > 0 ? { ...content, adjustments: [...content.adjustments, ...added] } : content,
    allowances,
    charges,
  };
}

interface PossibleTax extends Sum {
  readonly stated: boolean;
  /** What the taxes are on: all of it, and what is taxed at all. */
  readonly bases: readonly Decimal[];
}

/** What the taxes may come to, most likely first: all tables, or one of several; where there is none, ours, or no tax. */
function taxesThatMayCount(content: DocumentContent, { taxes }: Statements): PossibleTax[] {
  if (taxes.length === 0) {
    const own = new Decimal(computeTotals(content).taxTotal);
    return [own, new Decimal(0)].map((value, index) => ({
      ...{ value, slack: new Decimal(0), bases: [], stated: index === 1 },
    }));
  }
  const digits = sumDigits(content);
  const byRows = taxes.map((table) => (table.rows.length > 0 ? { ...table, amount: undefined } : table));
  const ways = [taxes, byRows, ...(taxes.length > 1 ? taxes.map((tax) => [tax]) : [])];
  const stated = ways.map((tables) => {
    const rows = tables.flatMap((table) => table.rows);
    const taxable = (some: typeof rows): Decimal => sumOf(some.map((row) => row.taxable ?? '0'));
    return {
      value: taxOf(tables),
      slack: roundingOf(
        rows.map(({ amount }) => amount),
        digits,
        new Decimal(0),
      ),
      bases: [
        taxable(rows),
        taxable(rows.filter(({ taxRate }) => taxRate !== undefined && new Decimal(taxRate).gt(0))),
      ],
      stated: true,
    };
  });
  // What an order anticipates as tax need not be in what it expects to pay.
  const none = { value: new Decimal(0), slack: new Decimal(0), bases: [], stated: true };
  return content.kind === 'purchase_order' ? [...stated, none] : stated;
}

interface WayToPay {
  readonly moved: readonly Decimal[];
  readonly content: Partial<DocumentContent>;
  readonly usesPayments: boolean;
  readonly usesWithheld: boolean;
}

/** How what is to pay may follow from the sum with tax, the norm's way first. */
function waysToPay({ sums, payments, withheld }: Statements): WayToPay[] {
  const prepaid = sums.PrepaidAmount;
  const rounding = sums.PayableRoundingAmount;
  const base = {
    ...(prepaid === undefined ? {} : { prepaid }),
    ...(rounding === undefined ? {} : { rounding }),
  };
  const moved = [new Decimal(prepaid ?? 0).neg(), new Decimal(rounding ?? 0)];
  const owed = payments.map(({ label, amount }) => ({ label: label ?? 'Third party', amount }));
  const kept = withheld.map(({ label, amount }) => ({
    label: label ? `${label} withheld` : 'Tax withheld',
    amount: new Decimal(amount).neg().toFixed(),
  }));
  const further = (amounts: typeof owed) => ({
    moved: [...moved, ...amounts.map(({ amount }) => new Decimal(amount))],
    content: { ...base, furtherAmounts: amounts },
  });
  const unused = { usesPayments: false, usesWithheld: false };
  const paid = sumOf(payments.map(({ amount }) => amount));
  return [
    { moved, content: base, ...unused },
    ...(owed.length > 0 ? [{ ...further(owed), usesPayments: true, usesWithheld: false }] : []),
    ...(payments.length > 0 && prepaid === undefined
      ? [
          {
            moved: [...moved, paid.neg()],
            content: { ...base, prepaid: paid.toFixed() },
            usesPayments: true,
            usesWithheld: false,
          },
        ]
      : []),
    ...(kept.length > 0 ? [{ ...further(kept), usesPayments: false, usesWithheld: true }] : []),
  ];
}
