import { describe, expect, it, vi } from 'vitest';
import { type MergeValues, parseTemplate, TemplateError } from '../../src/deliveries/merge.ts';

const said: Partial<Record<string, string>> = {
  number: 'INV-7',
  kind: 'invoice',
  contact: 'Mira Okafor',
  due_date: '5 December 2026',
};
const values: MergeValues = (field) => said[field] ?? null;
const late: MergeValues = (field) => (field === 'due_date' ? null : values(field));

function troubleIn(text: string, from = values): string {
  try {
    parseTemplate(text).merge(from);
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
  return 'nothing';
}

describe('a text with fields', () => {
  it.each([
    ['Hello {{ contact }}, {{kind}} {{ number }}', 'Hello Mira Okafor, invoice INV-7'],
    ['{{ contact | first_word }} {{ kind | upcase }} {{ "AB" | downcase }}', 'Mira INVOICE ab'],
    ['{% if due_date %}due {{ due_date }}{% else %}due soon{% endif %}', 'due 5 December 2026'],
    ['{% case kind %}{% when "invoice" %}Please pay{% else %}Look{% endcase %}', 'Please pay'],
    ['100 % of { this } is < plain & stays', '100 % of { this } is < plain & stays'],
    ['{{ reference | default: "none" }}', 'none'],
  ])('%s', (text, merged) => {
    expect(parseTemplate(text).merge(values)).toEqual({ kind: 'text', text: merged });
  });

  it('serves one record after the other', () => {
    const template = parseTemplate('{% if due_date %}due {{ due_date }}{% endif %}.');
    expect(template.merge(values)).toEqual({ kind: 'text', text: 'due 5 December 2026.' });
    expect(template.merge(late)).toEqual({ kind: 'text', text: '.' });
    expect(template.merge(values)).toEqual({ kind: 'text', text: 'due 5 December 2026.' });
  });

  it('says which field a record lacks, instead of leaving a hole', () => {
    const missing = { kind: 'missing', field: 'due_date' };
    expect(parseTemplate('due on {{ due_date }}.').merge(late)).toEqual(missing);
    expect(parseTemplate('{{ reference | default: "" }}{{ due_date | upcase }}').merge(late)).toEqual(missing);
    expect(parseTemplate('{% unless due_date %}soon{% endunless %}').merge(late)).toMatchObject({ text: 'soon' });
  });

  it.each([
    ['Hello {{ contcat }}', /no “contcat”.*contact/],
    ['{% if false %}{{ contcat }}{% endif %}', /no “contcat”/],
    ['{{ number.constructor }}', /number\.constructor/],
    ['{{ __proto__ }}', /__proto__/],
    ['one\n{{ number | money }}', /Line 2 .*“money”.*upcase/],
    ['{% for i in (1..3) %}{% endfor %}', /“for”/],
    ['{% assign number = "x" %}', /“assign”/],
    ['{% include "/etc/passwd" %}{% render "x" %}', /“include”/],
    ['Hello {{ contact', /does not close/],
    ['{% if number %}', /does not close/],
    ['{{ }}', /cannot be understood/],
  ])('%j is an error in words', (text, words) => {
    expect(troubleIn(text)).toMatch(words);
  });

  it('is put together however long a busy machine, or one that slept, takes for it', () => {
    const template = parseTemplate('{{ number }} {% if due_date %}due{% endif %} {{ amount }}');
    const late = vi.spyOn(performance, 'now');
    const values = (field: string) => {
      late.mockReturnValue(1e12);
      return field;
    };
    expect(template.merge(values)).toEqual({ kind: 'text', text: 'number due amount' });
    late.mockRestore();
  });

  it.each([
    ['ranges', '{% if (1..200000) contains 3 %}{% endif %}'.repeat(460)],
    ['fields through filters', '{{number|upcase|downcase|first_word}}'.repeat(530)],
    ['one field through filters', `{{number${'|upcase|first_word'.repeat(1_100)}}}`],
    ['blocks within blocks', '{%if number%}'.repeat(800) + '{%endif%}'.repeat(800)],
  ])('takes no longer than it is long, made of %s', (_words, text) => {
    const { user: before } = process.cpuUsage();
    troubleIn(text, () => 'x '.repeat(500));
    expect(process.cpuUsage().user - before).toBeLessThan(3_000_000);
  });

  it('cannot be made to work for long', () => {
    const begun = performance.now();
    expect(troubleIn('{% if (1..999999999) contains 3 %}{% endif %}')).toMatch(/too much work/);
    expect(troubleIn('x'.repeat(100_001))).toMatch(/too much work/);
    // Without a limit the first would take hours.
    expect(performance.now() - begun).toBeLessThan(30_000);
  });
});
