import { Liquid, type Template } from 'liquidjs';

/** What a message may take from the record that it is sent with, and what that is. All of it is text for people. */
export const mergeFields = {
  attached:
    'what it is, its number, its amount and the date that counts: “invoice 17 for €92.25, due on 5 December 2026”',
  number: 'its number',
  kind: 'what it is, such as “invoice”',
  amount: 'what is to pay, with its currency',
  date: 'its date',
  due_date: 'when it is due',
  valid_until: 'until when it is valid',
  delivery_date: 'when it is to be delivered',
  reference: 'their reference',
  name: 'the customer or supplier',
  contact: 'the contact person, or else the customer or supplier',
  company: 'your company',
  sender: 'your name',
} as const;

/** One of {@link mergeFields}. */
export type MergeField = keyof typeof mergeFields;

/** A record's own words for a field; null where it has none. Asked only for those that the text names. */
export type MergeValues = (field: MergeField) => string | null;

/** What came of putting a record into a text. */
export type Merged =
  | { readonly kind: 'text'; readonly text: string }
  /** The text names something that this record does not have: better not sent than “due on .” */
  | { readonly kind: 'missing'; readonly field: MergeField };

/** A text that was understood. */
export interface MergeTemplate {
  /** @throws {TemplateError} where it makes too much or asks for something that is not there */
  merge(values: MergeValues): Merged;
}

/** A text that nothing can be put into, in words for who wrote it. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  readonly code = 'template';
}

/** Blocks that choose between words. Loops are not among them: a text takes no longer than it is long. */
const allowedTags = ['if', 'unless', 'case', 'comment', 'raw'];

/**
 * In characters: of the text, and of what comes to be on the way for one record. With these and without loops it is over soon
 * whatever it says. Not in time: a machine that is busy, or slept, would refuse a harmless one.
 */
const limits = { parseLimit: 100_000, memoryLimit: 1_000_000 };

/**
 * Understands a text with fields in it: `Hello {{ contact }}`, in Liquid as LiquidJS reads it. It is a stranger's
 * program, so it gets as little as it can: strings, a few filters of our own, no files, no loops, limits on what it
 * makes. A field that does not exist is an error wherever it stands, also where no record would come to it.
 *
 * @throws {TemplateError}
 */
export function parseTemplate(text: string): MergeTemplate {
  const scope = new Scope();
  const liquid = strictLiquid(scope);
  let parsed: Template[];
  try {
    parsed = liquid.parse(text);
    assertKnown(liquid.globalVariableSegmentsSync(parsed, { partials: false }).map(([root]) => String(root)));
  } catch (error) {
    throw inWords(error);
  }
  return {
    merge(values) {
      scope.begin(values);
      let merged: unknown;
      try {
        merged = liquid.renderSync(parsed, scope.fields);
      } catch (error) {
        throw inWords(error);
      }
      const { missing } = scope;
      return missing === null ? { kind: 'text', text: String(merged) } : { kind: 'missing', field: missing };
    },
  };
}

/** What Liquid reads from; it notices which empty field was asked for last, since printing that one is a mistake. */
class Scope {
  readonly fields: Record<string, unknown> = {};
  #values: MergeValues | undefined;
  #lastEmpty: MergeField | null = null;
  missing: MergeField | null = null;

  constructor() {
    for (const name of Object.keys(mergeFields).filter(isField)) {
      Object.defineProperty(this.fields, name, { enumerable: true, get: () => this.#read(name) });
    }
  }

  begin(values: MergeValues): void {
    this.#values = values;
    this.#lastEmpty = null;
    this.missing = null;
  }

  noticeEmpty(): void {
    this.missing ??= this.#lastEmpty;
  }

  #read(name: MergeField): string | null {
    const value = this.#values?.(name) ?? null;
    if (value === null) this.#lastEmpty = name;
    return value;
  }
}

function strictLiquid(scope: Scope): Liquid {
  const liquid = new Liquid({
    ...limits,
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    dynamicPartials: false,
    templates: {},
    outputEscape: (value: unknown) => {
      if (value === null || value === undefined) scope.noticeEmpty();
      // Liquid's own things (nil, empty, ranges) are nothing to read.
      return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : '';
    },
  });
  for (const tag of Object.keys(liquid.tags)) if (!allowedTags.includes(tag)) delete liquid.tags[tag];
  for (const filter of Object.keys(liquid.filters)) delete liquid.filters[filter];
  for (const [name, filter] of Object.entries(filters)) liquid.registerFilter(name, filter);
  return liquid;
}

const onText = (change: (text: string) => string) => (value: unknown) =>
  value === null || value === undefined ? null : change(String(value));

const filters = {
  default: (value: unknown, instead: unknown) =>
    value === null || value === undefined || value === '' ? String(instead ?? '') : value,
  upcase: onText((text) => text.toUpperCase()),
  downcase: onText((text) => text.toLowerCase()),
  capitalize: onText((text) => text.charAt(0).toUpperCase() + text.slice(1)),
  first_word: onText((text) => text.trim().split(/\s+/)[0] ?? ''),
};

function isField(name: string): name is MergeField {
  return Object.hasOwn(mergeFields, name);
}

function assertKnown(names: readonly string[]): void {
  const unknown = names.find((name) => !isField(name));
  if (unknown === undefined) return;
  throw new TemplateError(
    `There is no “${unknown}” to put into the text. There are: ${Object.keys(mergeFields).join(', ')}.`,
  );
}

/** Liquid's own errors, for somebody who has never heard of it. */
function inWords(error: unknown): TemplateError {
  if (error instanceof TemplateError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const line = /, line:(\d+)/.exec(message)?.[1];
  const where = line === undefined ? 'The text' : `Line ${line}`;
  const say = (words: string) => new TemplateError(words, { cause: error });
  const tag = /tag "([^"]*)" not found/.exec(message)?.[1];
  if (tag !== undefined)
    return say(`${where} asks for “${tag}”, which there is not. There are: ${allowedTags.slice(0, 3).join(', ')}.`);
  const filter = /undefined filter: (\S+?)(?:,|$)/.exec(message)?.[1];
  if (filter !== undefined)
    return say(`${where} asks for “${filter}”, which there is not. There are: ${Object.keys(filters).join(', ')}.`);
  const variable = /undefined variable: (\S+?)(?:,|$)/.exec(message)?.[1];
  if (variable !== undefined) return say(`${where} asks for “${variable}”, which there is not.`);
  if (/limit exceeded/.test(message)) return say(`${where} is too much work to put together. Make it simpler.`);
  const open = /(?:output|tag) "?(.+?)"? not closed/s.exec(message)?.[1];
  if (open !== undefined)
    return say(`${where} opens “${open.slice(0, 30).trim()}” and does not close it. Write it like {{ number }}.`);
  return say(`${where} cannot be understood: check what stands between {{ and }}, or between {% and %}.`);
}
