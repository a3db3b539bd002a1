import { dateSchema, decimalSchema } from '../document.ts';
import { ImportError } from './import-error.ts';
import type { XmlElement } from './xml.ts';

/** Reads the first text at a path and notes that it has a place in the record; an empty one is as none. */
export function takeText(from: XmlElement | undefined, path: string): string | undefined {
  const element = from?.all(path).find((candidate) => candidate.text !== '');
  if (!element) return undefined;
  element.taken = true;
  return element.text;
}

/** Like {@link takeText}, for what a record cannot be without. Throws `missing`. */
export function takeRequired(from: XmlElement, path: string, what: string): string {
  const text = takeText(from, path);
  if (text !== undefined) return text;
  throw new ImportError('missing', `The file does not say ${what} (${path}). Add it, or ask whoever made the file.`, {
    line: from.line,
  });
}

/** Reads every text at a path. */
export function takeAll(from: XmlElement, path: string): string[] {
  return from.all(path).flatMap((element) => {
    if (element.text === '') return [];
    element.taken = true;
    return [element.text];
  });
}

/** Reads the first text at a path if it fits; otherwise leaves it where it will become an extra. */
export function takeIf(from: XmlElement | undefined, path: string, fits: RegExp): string | undefined {
  const text = from?.first(path)?.text;
  return text !== undefined && fits.test(text) ? takeText(from, path) : undefined;
}

/** Reads an attribute of an element. */
export function takeAttribute(element: XmlElement | undefined, name: string): string | undefined {
  const value = element?.attributes.get(name)?.trim();
  if (!element || !value) return undefined;
  element.takenAttributes.add(name);
  return value;
}

/** Reads an xsd:date as `YYYY-MM-DD`. A time zone has no place in the record, so with one the text also stays an extra. */
export function takeDate(from: XmlElement | undefined, path: string): string | undefined {
  const element = from?.first(path);
  if (!element || element.text === '') return undefined;
  const [, date, zone] = /^(.{10})(Z|[+-]\d\d:\d\d)?$/.exec(element.text) ?? [];
  if (date === undefined || !dateSchema.safeParse(date).success) {
    throw new ImportError(
      'invalid_value',
      `“${shortened(element.text)}” in ${path} is not a date such as 2026-11-21. Correct it and import the file again.`,
      { line: element.line },
    );
  }
  element.taken = zone === undefined;
  return date;
}

/** Reads a number as a decimal string in its shortest form. Throws `invalid_value`. */
export function takeDecimal(from: XmlElement | undefined, path: string): string | undefined {
  const element = from?.first(path);
  if (!element || element.text === '') return undefined;
  const value = canonical(element.text);
  if (!decimalSchema.safeParse(value).success) {
    throw new ImportError(
      'invalid_value',
      `“${shortened(element.text)}” in ${path} is not a number such as 1234.50 (at most 15 digits before the point and 10 after). Correct it and import the file again.`,
      { line: element.line },
    );
  }
  element.taken = true;
  return value;
}

/** Reads an amount of money, which must be in the document's currency. Throws `mixed_currencies`. */
export function takeAmount(from: XmlElement | undefined, path: string, currency: string): string | undefined {
  const amount = takeDecimal(from, path);
  const element = from?.first(path);
  const own = takeAttribute(element, 'currencyID');
  if (amount !== undefined && own !== undefined && own !== currency) {
    throw new ImportError(
      'mixed_currencies',
      `${path} is in ${own}, but the document is in ${currency}. A document has one currency; correct the file and import it again.`,
      { line: element?.line },
    );
  }
  return amount;
}

/** xsd:decimal allows `+1`, `.5`, `5.` and zeros in front; the record has one way to write a number. */
function canonical(text: string): string {
  const [, sign, whole = '', fraction = ''] = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === '' && fraction === '') return text;
  const digits = whole.replace(/^0+(?=\d)/, '') || '0';
  const places = fraction.replace(/0+$/, '');
  return `${sign === '-' ? '-' : ''}${digits}${places === '' ? '' : `.${places}`}`;
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
