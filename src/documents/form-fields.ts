import { readAddressField } from '../platform/address-list.ts';
import { own } from '../platform/own.ts';
import { atOnce, type Work } from '../platform/turns.ts';
import { parseDecimalInput, type Reading } from './decimal-input.ts';

/** One thing that is wrong with a form, beside the field it is about. */
export interface FormProblem {
  /** The field's name in the form: `lines[0][unitPrice]`; empty for the form as a whole. */
  readonly field: string;
  /** A sentence for people. */
  readonly message: string;
}

/** A number that could be read in two ways, and as what it was read. */
export interface FormGuess {
  readonly field: string;
  /** A decimal string. */
  readonly value: string;
}

/** What kind of number a field holds: a bare one, money in the form's currency, or a percentage. */
export type NumberKind = 'plain' | 'money' | 'percent';

/** So many fields that nobody knows are named, of each part of a form. */
const mostStrangers = 20;

interface Shared {
  readonly problems: FormProblem[];
  readonly guesses: FormGuess[];
  readonly reading: Pick<Reading, 'locale' | 'currency'>;
  /** From a place in the content (`lines.0`) to the field that it was read from (`lines[3]`). */
  readonly places: Map<string, string>;
}

/**
 * The fields of a form, each read once. What was read is remembered, so that what nobody asked for can be named; what
 * is wrong is collected, so that all of it can be told at once.
 */
export class FormFields {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #prefix: string;
  readonly #shared: Shared;
  readonly #unread: Set<string>;
  readonly #inner: FormFields[] = [];
  #failed = false;

  constructor(
    body: unknown,
    prefix = '',
    shared: Shared = { problems: [], guesses: [], reading: {}, places: new Map() },
  ) {
    this.#fields = isFields(body) ? body : {};
    this.#prefix = prefix;
    this.#shared = shared;
    this.#unread = new Set(Object.keys(this.#fields));
    if (body !== undefined && body !== '' && !isFields(body))
      this.#problem('', 'is not what this form sends. Reload the page and try again');
  }

  /** The fields of a form whose numbers are read as this place writes them, and whose money is in this currency. */
  static reading(body: unknown, reading: Pick<Reading, 'locale' | 'currency'>): FormFields {
    return new FormFields(body, '', { problems: [], guesses: [], reading, places: new Map() });
  }

  /** The numbers that could be two, and as what they were read. */
  guesses(): readonly FormGuess[] {
    return this.#shared.guesses;
  }

  /** Whether the form has the field at all, be it empty. */
  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  /** Whether anything read from these fields was wrong. */
  failed(): boolean {
    return this.#failed;
  }

  /** A text, trimmed; `kept` where the form does not have the field, undefined where it is empty. */
  text(name: string, kept?: string): string | undefined {
    this.#unread.delete(name);
    const value = this.#fields[name];
    if (value === undefined) return kept;
    if (typeof value !== 'string') {
      this.#problem(name, 'is there more than once. Reload the page and try again');
      return undefined;
    }
    return value.trim().replace(/\r\n/g, '\n') || undefined;
  }

  /** One email address or several, as `readAddressField` writes them. */
  addresses(name: string, kept?: string): string | undefined {
    const typed = this.text(name, kept);
    // What comes back as it was stored is no work of whoever typed the rest.
    if (typed === undefined || typed === kept) return typed;
    const read = readAddressField(typed);
    if (read.ok) return read.email;
    this.#failed = true;
    this.#shared.problems.push({ field: this.#nameOf(name), message: read.message });
    return undefined;
  }

  /** A number, as a decimal string. */
  decimal(name: string, kept?: string, kind: NumberKind = 'plain'): string | undefined {
    const typed = this.text(name, kept);
    // What the form did not have, or what comes back as it was stored, needs no reading.
    if (typed === undefined || typed === kept) return typed;
    const { locale, currency } = this.#shared.reading;
    const parsed = parseDecimalInput(typed, {
      ...{ locale, percent: kind === 'percent' },
      currency: kind === 'money' ? currency : undefined,
    });
    if (parsed.ok && parsed.guessed) this.#shared.guesses.push({ field: this.#nameOf(name), value: parsed.value });
    if (parsed.ok) return parsed.value;
    this.#problem(name, parsed.message);
    return undefined;
  }

  /** One text or several, without the empty ones. */
  texts(name: string, kept: string[]): string[] {
    this.#unread.delete(name);
    const value = this.#fields[name];
    if (value === undefined) return kept;
    const values = typeof value === 'string' ? [value] : entriesOf(value).map(([, entry]) => entry);
    if (!values.every((entry) => typeof entry === 'string')) {
      this.#problem(name, 'is not a text. Reload the page and try again');
      return kept;
    }
    return values.map((entry) => entry.trim().replace(/\r\n/g, '\n')).filter((entry) => entry !== '');
  }

  /** The fields under a name: `party[…]`. */
  inside(name: string): FormFields {
    this.#unread.delete(name);
    const inner = new FormFields(this.#fields[name], this.#nameOf(name), this.#shared);
    this.#inner.push(inner);
    return inner;
  }

  /** A list, in the order of its indices. `express` gives an object instead of an array when there are many. */
  list<T>(name: string, read: (fields: FormFields) => T | undefined): T[] {
    return atOnce(this.longList(name, read));
  }

  /** As {@link list}, a few entries at a time. */
  *longList<T>(name: string, read: (fields: FormFields) => T | undefined): Work<T[]> {
    this.#unread.delete(name);
    const found: T[] = [];
    for (const [key, value] of entriesOf(this.#fields[name])) {
      const field = `${this.#nameOf(name)}[${key}]`;
      const inner = new FormFields(value, field, this.#shared);
      const entry = read(inner);
      this.#inner.push(inner);
      this.#failed ||= inner.failed();
      if (entry === undefined) continue;
      if (this.#prefix === '') this.#shared.places.set(`${name}.${found.length}`, field);
      found.push(entry);
      if (found.length % 10 === 0) yield;
    }
    return found;
  }

  /** Fields that somebody else reads. */
  ignore(names: readonly string[]): void {
    for (const name of names) this.#unread.delete(name);
  }

  /** Rules that hold for what is typed here, and not for what a file may say. */
  check(index: number, line: { discountPercent?: string | undefined; taxRate?: string | undefined }): void {
    for (const name of ['discountPercent', 'taxRate'] as const) {
      const value = Number(line[name] ?? 0);
      if (value >= 0 && value <= 100) continue;
      const field = `${this.#shared.places.get(`lines.${index}`) ?? `lines[${index}]`}[${name}]`;
      this.#shared.problems.push({ field, message: `${wordOf(name)} must be between 0 and 100.` });
    }
  }

  /** Everything that is wrong, with the fields that nobody has read. */
  *problems(): Work<FormProblem[]> {
    const found = [...this.#shared.problems];
    yield* this.#strangers(found);
    return found;
  }

  /** What the schema says about a place in the content, beside the field that it came from. */
  problemOf(path: readonly PropertyKey[], message: string): FormProblem {
    const names = path.map(String);
    for (let length = names.length; length > 0; length -= 1) {
      const field = this.#shared.places.get(names.slice(0, length).join('.'));
      if (field !== undefined)
        return { field: field + bracketed(names.slice(length)), message: sentence(names, message) };
    }
    const [first = '', ...rest] = names;
    return { field: first + bracketed(rest), message: sentence(names, message) };
  }

  /** Names some that nobody knows: whoever sends tens of thousands of them need not read of each. */
  *#strangers(found: FormProblem[]): Work<void> {
    for (const name of [...this.#unread].slice(0, mostStrangers)) {
      const field = this.#nameOf(name);
      const message = `The field “${field.slice(0, 80)}” is not known here. Reload the page and try again.`;
      found.push({ field, message });
    }
    for (const inner of this.#inner) yield* inner.#strangers(found);
    yield;
  }

  #nameOf(name: string): string {
    if (this.#prefix === '') return name;
    return name === '' ? this.#prefix : `${this.#prefix}[${name}]`;
  }

  #problem(name: string, message: string): void {
    this.#failed = true;
    this.#shared.problems.push({ field: this.#nameOf(name), message: sentence([name], message) });
  }
}

const words: Record<string, string> = {
  kind: 'Kind',
  issueDate: 'Date',
  dueDate: 'Due date',
  validUntil: 'Valid until',
  deliveryDate: 'Delivery date',
  orderReference: 'Order reference',
  invoiceReference: 'Corrected invoice',
  contactName: 'Contact',
  taxId: 'Tax number',
  extraStreet: 'Second address line',
  postalCode: 'Postal code',
  itemId: 'Item number',
  unitPrice: 'Price',
  priceBaseQuantity: 'Price is for',
  discountPercent: 'Discount',
  taxCategory: 'Tax category',
  taxRate: 'Tax rate',
  prepaid: 'Already paid',
  paymentTerms: 'Payment terms',
  paymentDetails: 'Payment details',
  lines: 'The record',
};

function wordOf(name: string): string {
  return own(words, name) ?? (name === '' ? 'This' : name.charAt(0).toUpperCase() + name.slice(1));
}

function sentence(path: readonly string[], message: string): string {
  const name = [...path].reverse().find((part) => !/^\d+$/.test(part)) ?? '';
  // What zod says of a missing value is written for programmers.
  const said = /expected|received|^Invalid/.test(message) ? 'is missing' : message;
  return `${wordOf(name)} ${said}${/[.?!]$/.test(said) ? '' : '.'}`;
}

function bracketed(names: readonly string[]): string {
  return names.map((name) => `[${name}]`).join('');
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function entriesOf(value: unknown): [string, unknown][] {
  if (Array.isArray(value)) return value.map((entry, index) => [String(index), entry]);
  if (!isFields(value)) return value === undefined || value === '' ? [] : [['0', value]];
  return Object.entries(value).sort(([a], [b]) => Number(a) - Number(b));
}
