import type { KeptField } from './kept-fields.ts';

/** A tag with its attributes, or what holds text: a textarea is one part with its text. */
const part = /<textarea\b((?:"[^"]*"|[^">])*)>[\s\S]*?<\/textarea>|<(\/?[a-z][a-z0-9]*)\b((?:"[^"]*"|[^">])*)>/gi;

/** Fills a form of a page, which may come in several pieces. */
export interface FormFiller {
  /** @param html the next piece, as our own views render it: attributes in double quotes. */
  fill(html: string): string;
  /** Whether every field found its place; where the form has not so many fields, it was not. */
  isWhole(): boolean;
}

/**
 * Fills a form of a rendered page with what was typed into it before.
 *
 * @param action path of the form's action, without a query
 * @param here path of the page: where a form without an action leads
 */
export function formFiller(action: string, fields: readonly KeptField[], here: string): FormFiller {
  const values = new Map<string, string[]>();
  for (const { name, value } of fields) values.set(name, [...(values.get(name) ?? []), value]);
  const placed = new Set<string>();
  let within = false;
  let select: string | null = null;

  return {
    fill: (html) => html.replaceAll(part, filled),
    isWhole: () => [...values.keys()].every((name) => placed.has(name)),
  };

  function filled(tag: string, ofTextarea: string | undefined, name = '', attributes = ''): string {
    if (ofTextarea !== undefined) return within ? textarea(tag, ofTextarea) : tag;
    switch (name.toLowerCase()) {
      case 'form':
        within =
          (attributeOf(attributes, 'action')?.split('?')[0] || here) === action && /\smethod="post"/i.test(attributes);
        return tag;
      case '/form':
        within = false;
        return tag;
      case 'select':
        select = within ? nameOf(attributes) : null;
        return tag;
      case '/select':
        select = null;
        return tag;
      case 'option':
        return select === null || !take(select)
          ? tag
          : marked(tag, 'selected', has(select, attributeOf(attributes, 'value')));
      case 'input':
        return within ? input(tag, attributes) : tag;
      // A button says what to do, and nothing that was typed.
      case 'button':
        if (within) take(nameOf(attributes));
        return tag;
      default:
        return tag;
    }
  }

  function take(name: string): string[] | undefined {
    const found = values.get(name);
    if (found) placed.add(name);
    return found;
  }
  function has(name: string, value: string | undefined): boolean {
    return values.get(name)?.includes(unescaped(value ?? '')) ?? false;
  }
  function textarea(tag: string, attributes: string): string {
    const [value] = take(nameOf(attributes)) ?? [];
    return value === undefined ? tag : `<textarea${attributes}>\n${escaped(value)}</textarea>`;
  }
  function input(tag: string, attributes: string): string {
    const name = nameOf(attributes);
    const type = attributeOf(attributes, 'type') ?? 'text';
    // A box that is not ticked sends nothing.
    if (type === 'checkbox' || type === 'radio') {
      take(name);
      return name === '' ? tag : marked(tag, 'checked', has(name, attributeOf(attributes, 'value') ?? 'on'));
    }
    const [value] = take(name) ?? [];
    if (value === undefined || type === 'file') return tag;
    const bare = tag.replace(/\svalue="[^"]*"/i, '');
    return bare.replace(/\/?>$/, () => ` value="${escaped(value)}">`);
  }
}

function marked(tag: string, mark: string, is: boolean): string {
  const bare = tag.replace(new RegExp(`\\s${mark}(?:="[^"]*")?(?=[\\s/>])`, 'i'), '');
  return is ? bare.replace(/\/?>$/, ` ${mark}>`) : bare;
}

function nameOf(attributes: string): string {
  return unescaped(attributeOf(attributes, 'name') ?? '');
}

function attributeOf(attributes: string, name: string): string | undefined {
  return new RegExp(`(?:^|\\s)${name}="([^"]*)"`, 'i').exec(attributes)?.[1];
}

const signs: readonly (readonly [sign: string, entity: string])[] = [
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&#34;'],
  ["'", '&#39;'],
];

function escaped(text: string): string {
  return signs.reduce((done, [sign, entity]) => done.replaceAll(sign, entity), text);
}

function unescaped(html: string): string {
  return signs.reduceRight((done, [sign, entity]) => done.replaceAll(entity, sign), html);
}
