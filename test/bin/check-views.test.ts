import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkViews, findUndefined, readView, type View } from '../../bin/check-views.ts';

const root = path.join(import.meta.dirname, '../..');
const views = (texts: Readonly<Record<string, string>>): Map<string, View> =>
  new Map(Object.entries(texts).map(([name, text]) => [name, readView(name, text)]));
const undefinedIn = (texts: Readonly<Record<string, string>>, ...given: string[]) =>
  findUndefined(views(texts), [{ view: 'a/page', file: 'a.ts', given: new Set(given) }]).map(
    ({ view, line, name, from }) => `${view}:${line} ${name} < ${from}`,
  );

describe('the check of views', () => {
  it.each([
    ['a misspelt name', '<p>\n<%= mailbx.email %></p>', ['a/page:2 mailbx < a.ts']],
    [
      'one that is only declared in another block',
      '<% if (mailbox) { const at = 1; } %><%= at %>',
      ['a/page:1 at < a.ts'],
    ],
    [
      'one in a default, and in what a function gives',
      '<% const f = ({ a = whom }) => a + what; %><%= f({}) %>',
      ['a/page:1 whom < a.ts', 'a/page:1 what < a.ts'],
    ],
    ['none', '<% for (const [i, x] of mailbox.list.entries()) { %><%= i + x.name %><% } %><%= locals.more ?? 0 %>', []],
    [
      'none, of functions and JavaScript’s own',
      '<% function row(n) { return Math.max(n, arguments.length); } %><%= row(1) %>',
      [],
    ],
  ])('finds %s', (_what, text, expected) => {
    expect(undefinedIn({ 'a/page': text }, 'mailbox')).toEqual(expected);
  });

  it('looks at what is included with what it is given there', () => {
    const part = '<%= label %> <%= mailbox %>';
    expect(undefinedIn({ 'a/page': "<%- include('/a/part', { label: 1 }) %>", 'a/part': part }, 'mailbox')).toEqual([]);
    expect(undefinedIn({ 'a/page': "<%- include('/a/part') %>", 'a/part': part }, 'mailbox')).toEqual([
      'a/part:1 label < a/page',
    ]);
    expect(undefinedIn({ 'a/page': "<%- include('/a/prat') %>", 'a/part': part }, 'mailbox')).toEqual([
      'a/prat:0 (no such view) < a/page',
    ]);
  });

  it('finds nothing in ours, and has looked at all of them', () => {
    const { seen, rendered, undefined: found } = checkViews(root);
    expect(found).toEqual([]);
    expect(seen).toBeGreaterThan(90);
    expect(rendered).toBeGreaterThan(50);
  });
});
