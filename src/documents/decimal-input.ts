/** What somebody typed as a number: a decimal string, or why it is not one. */
export type DecimalInput =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly message: string };

const grouped = (separator: string): RegExp => new RegExp(`^\\d{1,3}(${separator}\\d{3})+$`);
const spaces = /[\s\u00a0\u2009\u202f'’]/;
const allSpaces = new RegExp(spaces, 'g');

/**
 * Reads a number as people write it: `1234.5`, `1,234.50`, `1.234,50`, `1 234,50`, `1'234.50`, `-3`. What could be two
 * numbers, such as `1.234`, is refused with both ways to write it clearly: an invoice is no place to guess.
 */
export function parseDecimalInput(typed: string): DecimalInput {
  const text = typed.trim().replace(/^\u2212/, '-');
  const [, sign = '', body = ''] = /^([+-]?)\s*(.*)$/s.exec(text) ?? [];
  if (!/^[\d.,\s\u00a0\u2009\u202f'’]+$/.test(body) || !/\d/.test(body)) return notANumber(typed);
  const negative = sign === '-' ? '-' : '';

  const spaced = body.split(/[.,]/);
  if (spaces.test(body) && !grouped("[\\s\\u00a0\\u2009\\u202f'’]").test(spaced[0] ?? '')) return notANumber(typed);
  const digits = body.replace(allSpaces, '');
  const points = digits.split('.').length - 1;
  const commas = digits.split(',').length - 1;

  if (points === 0 && commas === 0) return number(negative, digits, '', typed);
  if (points > 0 && commas > 0) {
    const decimal = digits.lastIndexOf('.') > digits.lastIndexOf(',') ? '.' : ',';
    const [whole = '', fraction = '', ...more] = digits.split(decimal);
    const group = decimal === '.' ? ',' : '\\.';
    if (more.length > 0 || !grouped(group).test(whole) || spaced[0] !== spaced[0]?.replace(allSpaces, ''))
      return notANumber(typed);
    return number(negative, whole.replace(/[.,]/g, ''), fraction, typed);
  }
  const separator = points > 0 ? '.' : ',';
  if (points + commas > 1) {
    if (!grouped(separator === '.' ? '\\.' : ',').test(digits)) return notANumber(typed);
    return number(negative, digits.split(separator).join(''), '', typed);
  }
  const [whole = '', fraction = ''] = digits.split(separator);
  const groupedBySpaces = digits !== body;
  if (fraction.length === 3 && /^[1-9]\d{0,2}$/.test(whole) && !groupedBySpaces) {
    return {
      ok: false,
      message: `could be ${whole}${fraction} or ${whole}.${fraction}. Write ${whole}${fraction} for the first, ${whole}.${fraction}0 for the second`,
    };
  }
  return number(negative, whole, fraction, typed);
}

/** A stored decimal as a form shows it, so that {@link parseDecimalInput} reads the same number back: `1.234` → `1.2340`. */
export function decimalForForm(decimal: string): string {
  return /^-?[1-9]\d{0,2}\.\d{3}$/.test(decimal) ? `${decimal}0` : decimal;
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
