import { describe, expect, it } from 'vitest';
import { formFiller } from '../../src/web/fill-form.ts';

const fill = (
  inner: string,
  fields: Record<string, string | readonly string[]>,
  tag = '<form method="post" action="/a?company=x">',
) => {
  const list = Object.entries(fields).flatMap(([name, value]) => [value].flat().map((each) => ({ name, value: each })));
  const filler = formFiller('/a', list, '/here');
  const html = filler.fill(`${tag}${inner}</form>`);
  return [html.slice(tag.length, -'</form>'.length), filler.isWhole()] as const;
};

describe('a form is filled in', () => {
  it.each([
    ['a text', '<input name="a" value="old">', { a: 'new' }, '<input name="a" value="new">'],
    ['a text without a value', '<input name="a" required>', { a: 'x' }, '<input name="a" required value="x">'],
    [
      'a text that looks like markup',
      '<input name="a" value="">',
      { a: '"><b>&' },
      '<input name="a" value="&#34;&gt;&lt;b&gt;&amp;">',
    ],
    [
      'a replacement’s signs',
      '<input name="a" value="">',
      { a: "$& $1 $'" },
      '<input name="a" value="$&amp; $1 $&#39;">',
    ],
    [
      'a textarea',
      '<textarea name="a" rows="3">old</textarea>',
      { a: '\n</textarea>' },
      '<textarea name="a" rows="3">\n\n&lt;/textarea&gt;</textarea>',
    ],
    [
      'a list',
      '<select name="a"><option value="1" selected>1</option><option value="2">2</option></select>',
      { a: '2' },
      '<select name="a"><option value="1">1</option><option value="2" selected>2</option></select>',
    ],
    [
      'boxes',
      '<input type="checkbox" name="a" value="1" checked><input type="checkbox" name="a" value="2">',
      { a: ['2'] },
      '<input type="checkbox" name="a" value="1"><input type="checkbox" name="a" value="2" checked>',
    ],
    [
      'an emptied box',
      '<input type="checkbox" name="a" value="1" checked>',
      {},
      '<input type="checkbox" name="a" value="1">',
    ],
    [
      'a choice',
      '<input type="radio" name="a" value="1" checked><input type="radio" name="a" value="2">',
      { a: '2' },
      '<input type="radio" name="a" value="1"><input type="radio" name="a" value="2" checked>',
    ],
    [
      'what is hidden',
      '<input type="hidden" name="version" value="7">',
      { version: '6' },
      '<input type="hidden" name="version" value="6">',
    ],
    [
      'a nested name',
      '<input name="party[name]" value="">',
      { 'party[name]': 'Ann' },
      '<input name="party[name]" value="Ann">',
    ],
  ] as const)('with %s', (_what, inner, fields, expected) => {
    expect(fill(inner, fields)).toEqual([expected, true]);
  });

  it('and says where a field has no place', () => {
    expect(fill('<input name="a"><button name="do" value="save">', { a: '1', do: 'save' })[1]).toBe(true);
    expect(fill('<input name="a">', { a: '1', b: '2' })[1]).toBe(false);
  });

  it('and no other form of the page is', () => {
    const inner = '<input name="a" value="old">';
    for (const tag of ['<form method="post" action="/b">', '<form action="/a">', '<form method="post">'])
      expect(fill(inner, { a: 'new' }, tag)).toEqual([inner, false]);
  });
});
