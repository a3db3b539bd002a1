import { describe, expect, it } from 'vitest';
import { breakAddresses } from '../../src/web/addresses.ts';

describe('an address in a page', () => {
  it.each([
    ['office@brightwater.example', 'office<wbr>@brightwater.example'],
    [
      'accounts.receivable.department@brightwater-joinery.example',
      'accounts.<wbr>receivable.<wbr>department<wbr>@brightwater-<wbr>joinery.<wbr>example',
    ],
    ['Write to Zoë &lt;zoë+2@café.example&gt;, or call.', 'Write to Zoë &lt;zoë+2<wbr>@café.example&gt;, or call.'],
    ['It is office@brightwater.example.', 'It is office<wbr>@brightwater.example.'],
    ['a@b, c@d', 'a<wbr>@b, c<wbr>@d'],
    ['@ alone, 3 @ €4, none', '@ alone, 3 @ €4, none'],
  ])('breaks before its @, and a long part at its dots and hyphens: %s', (text, broken) => {
    expect(breakAddresses(`<p>${text}</p>`)).toBe(`<p>${broken}</p>`);
  });

  it.each([
    '<input value="a@b.example" title="x > a@b.example">',
    "<a href='mailto:a@b.example'>Write</a>",
    '<textarea>a@b.example</textarea>',
    '<select><option value="1">a@b.example</option></select>',
    '<title>a@b.example</title>',
    '<!-- a@b.example -->',
  ])('is left alone where no tag may stand: %s', (html) => {
    expect(breakAddresses(html)).toBe(html);
  });

  it('is looked for in no more time than a long text takes', () => {
    const begun = performance.now();
    for (const text of ['a'.repeat(100_000), 'a.'.repeat(50_000), `a@${'a'.repeat(100_000)}`, '<'.repeat(100_000)])
      breakAddresses(`${text} b@c`);
    // Some 30 ms; looked through anew from each letter on, more than a minute.
    expect(performance.now() - begun).toBeLessThan(20_000);
  });
});
