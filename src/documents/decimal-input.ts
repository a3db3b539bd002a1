import { currencyCodes } from '../platform/currencies.ts';
import { numberLocale, separatorsOf } from './locale.ts';

/** What somebody typed as a number: a decimal string, or why it is not one. */
export type DecimalInput =
  /** `guessed`: it could be two numbers, and was read as the place writes them: show what was read. */
  | { readonly ok: true; readonly value: string; readonly guessed?: true }
  | { readonly ok: false; readonly message: string };

/** What is known of the field that a number was typed into. */
export interface Reading {
  /** The place whose way of writing decides where a text could be two numbers: `en-IE`. Without it nothing is guessed. */
  readonly locale?: string | undefined;
  /** Money in this currency: its sign or code may stand beside the number. */
  readonly currency?: string | undefined;
  /** A percentage: `23%`. */
  readonly percent?: boolean | undefined;
}

/** Dashes that people, their keyboards and their spreadsheets write for a minus sign. */
const dashes = '\\-\u2010-\u2015\u2212\ufe63';
/** What stands between thousands beside points and commas: blanks of any width, apostrophes of any shape. */
const gaps = "\\s'’‘ʼ´`";
const gap = new RegExp(`[${gaps}]`, 'g');

/**
 * Reads a number as people write it: `1234.5`, `1,234.50`, `1.234,50`, `1 234,50`, `1'234.50`, `12,34,567`, `-3`, `3-`,
 * `(3)`, `1'250.–`, in full-width figures, and with `€`, `EUR` or `%` beside it where the field is of that kind. The one
 * reader of numbers that people type or that tables of theirs hold.
 *
 * What could be two numbers, such as `1,250`, is read as the place writes numbers, and said to be guessed; where that does
 * not settle it, it is refused with both ways to write it clearly: an invoice is no place for a silent guess.
 */
export function parseDecimalInput(typed: string, reading: Reading = {}): DecimalInput {
  const named = withoutUnit(plainSigns(typed), reading);
  if ('message' in named) return { ok: false, message: named.message };
  const signed = readSign(named.text);
  if (!signed) return notANumber(typed);
  const { negative, body } = signed;
  if (!new RegExp(`^[\\d.,${gaps}]+$`).test(body) || !/\d/.test(body)) return notANumber(typed);

  // Blanks and apostrophes group thousands, in front of the decimal sign only, and of one kind.
  const [front = ''] = body.split(/[.,]/);
  const gapped = gapsOf(body);
  if (gapped.length > 0 && (new Set(gapped).size > 1 || gapped.length !== gapsOf(front).length))
    return notANumber(typed);
  if (gapped.length > 0 && !/^\d{1,3}(_\d{3})+$/.test(front.replace(gap, '_'))) return notANumber(typed);
  const digits = body.replace(gap, '');
  const points = digits.split('.').length - 1;
  const commas = digits.split(',').length - 1;

  if (points === 0 && commas === 0) return number(negative, digits, '', typed);
  if (points > 0 && commas > 0) {
    const decimal = digits.lastIndexOf('.') > digits.lastIndexOf(',') ? '.' : ',';
    const [whole = '', fraction = '', ...more] = digits.split(decimal);
    if (more.length > 0 || gapped.length > 0 || !isGrouped(whole, decimal === '.' ? ',' : '.'))
      return notANumber(typed);
    return number(negative, whole.replace(/[.,]/g, ''), fraction, typed);
  }
  const separator = points > 0 ? '.' : ',';
  if (points + commas > 1) {
    if (!isGrouped(digits, separator)) return notANumber(typed);
    return number(negative, digits.split(separator).join(''), '', typed);
  }
  const [whole = '', fraction = ''] = digits.split(separator);
  if (fraction.length !== 3 || !/^[1-9]\d{0,2}$/.test(whole) || gapped.length > 0)
    return number(negative, whole, fraction, typed);
  return twoNumbers(negative, whole, fraction, separator, typed, reading.locale);
}

/** A stored decimal as a form shows it, so that {@link parseDecimalInput} reads the same number back: `1.234` → `1.2340`. */
export function decimalForForm(decimal: string): string {
  return /^-?[1-9]\d{0,2}\.\d{3}$/.test(decimal) ? `${decimal}0` : decimal;
}

/** Full-width signs as the usual ones, without what nobody can see. */
function plainSigns(typed: string): string {
  return typed
    .replaceAll(/[\uff01-\uff5e]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
    .replaceAll(/[￥￡￦]/g, (sign) => ({ '￥': '¥', '￡': '£', '￦': '₩' })[sign] ?? sign)
    .replaceAll(/[٪﹪]/g, '%')
    .trim();
}

/** The text without the unit of its field; words where another unit stands there. */
function withoutUnit(
  text: string,
  { currency, percent }: Reading,
): { readonly text: string } | { readonly message: string } {
  if (percent) return { text: text.replace(/\s*(%|\bpct\.?|\bper cent)$/i, '') };
  if (currency === undefined) return { text };
  // The unit stands at one end, outside or inside a sign: `€ -5`, `-€5`, `5 €`, `(€5)`.
  const unit = `((?:[^\\d\\s.,()+${dashes}'’]+\\.?)?)`;
  const parts = new RegExp(`^([(${dashes}+]?)\\s*${unit}\\s*(.*?)\\s*${unit}([)${dashes}]?)$`, 's').exec(text);
  const [, open = '', before = '', middle = '', after = '', close = ''] = parts ?? [];
  const name = before || after;
  if (!parts || name === '' || (before !== '' && after !== '') || !/[\p{L}\p{Sc}]/u.test(name)) return { text };
  const bare = `${open}${middle}${close}`;
  if (signsOf(currency).has(fold(name))) return { text: bare };
  if (!isMoneySign(name)) return { text };
  return {
    message: `is in ${name}, and the record is in ${currency}. Write the amount in ${currency}, or choose another currency`,
  };
}

const known = new Map<string, ReadonlySet<string>>();

/** How a currency is written beside an amount: its code and its signs, here and where it is at home, in small letters. */
function signsOf(currency: string): ReadonlySet<string> {
  const already = known.get(currency);
  if (already) return already;
  const signs = new Set([fold(currency), ...(homeSigns[currency] ?? []).map(fold)]);
  for (const currencyDisplay of ['symbol', 'narrowSymbol'] as const) {
    for (const locale of ['en', 'en-001', numberLocale(`en-${currency.slice(0, 2)}`)]) {
      const parts = new Intl.NumberFormat(locale, { style: 'currency', currency, currencyDisplay }).formatToParts(1);
      signs.add(fold(parts.find(({ type }) => type === 'currency')?.value ?? currency));
    }
  }
  known.set(currency, signs);
  return signs;
}

/** Signs that Intl does not write. */
const homeSigns: Readonly<Record<string, readonly string[]>> = {
  CHF: ['Fr.', 'Fr', 'SFr.'],
  EUR: ['Euro'],
  DKK: ['kr.'],
  SEK: ['kr.', ':-'],
  NOK: ['kr.'],
};

function isMoneySign(name: string): boolean {
  return (
    /\p{Sc}/u.test(name) ||
    currencyCodes.includes(name.toUpperCase()) ||
    /^(kr|fr|z\u0142|k\u010d|ft|lei)\.?$/i.test(name)
  );
}

function fold(name: string): string {
  return name.trim().toLowerCase();
}

/** `-3`, `3-`, `(3)`, and `3.–` or `3,-`, which say that there are no cents. */
function readSign(text: string): { readonly negative: string; readonly body: string } | undefined {
  const inside = /^\((.*)\)$/s.exec(text)?.[1]?.trim();
  const whole = new RegExp(`^(.*\\d)[.,]\\s?[${dashes}]{1,2}$`, 's').exec(inside ?? text)?.[1];
  const [, sign = '', body = '', trailing = ''] =
    new RegExp(`^([+${dashes}]?)\\s*(.*?)\\s*([${dashes}]?)$`, 's').exec(whole ?? inside ?? text) ?? [];
  const signs = [sign, trailing, inside].filter(Boolean);
  if (signs.length > 1) return undefined;
  return { negative: signs.length === 1 && sign !== '+' ? '-' : '', body };
}

/** The gaps of a text; all blanks count as one kind, as do all apostrophes. */
function gapsOf(text: string): string[] {
  return (text.match(gap) ?? []).map((sign) => (/\s/.test(sign) ? ' ' : "'"));
}

/** Thousands (`1,234,567`), or the lakhs of India (`12,34,567`). */
function isGrouped(digits: string, separator: string): boolean {
  const groups = digits.split(separator);
  const [first = '', ...others] = groups;
  if (others.length === 0) return /^\d+$/.test(first);
  const last = others.pop() ?? '';
  if (!/^\d{1,3}$/.test(first) || !/^\d{3}$/.test(last)) return false;
  return (
    others.every((group) => /^\d{3}$/.test(group)) ||
    (first.length < 3 && others.every((group) => /^\d{2}$/.test(group)))
  );
}

function twoNumbers(
  negative: string,
  whole: string,
  fraction: string,
  separator: string,
  typed: string,
  locale: string | undefined,
): DecimalInput {
  const { decimal, group } = locale === undefined ? { decimal: '', group: '' } : separatorsOf(locale);
  const read =
    separator === decimal
      ? number(negative, whole, fraction, typed)
      : separator === group
        ? number(negative, whole + fraction, '', typed)
        : undefined;
  if (read?.ok) return { ...read, guessed: true };
  return {
    ok: false,
    message: `could be ${whole}${fraction} or ${whole}.${fraction}. Write ${whole}${fraction} for the first, ${whole}.${fraction}0 for the second`,
  };
}

function number(negative: string, whole: string, fraction: string, typed: string): DecimalInput {
  const digits = whole.replace(/^0+(?=\d)/, '') || '0';
  if (digits.length > 15 || fraction.length > 10) {
    return { ok: false, message: 'has more than 15 digits before the point or 10 after it' };
  }
  if (!/^\d+$/.test(digits) || !/^\d*$/.test(fraction)) return notANumber(typed);
  const value = fraction === '' ? digits : `${digits}.${fraction}`;
  return { ok: true, value: /^[0.]+$/.test(value) ? value : negative + value };
}

function notANumber(typed: string): DecimalInput {
  return { ok: false, message: `is not a number: “${typed.trim().slice(0, 40)}”. Write it like 1234.50` };
}
