import fc from 'fast-check';
import { expect, it } from 'vitest';
import { headerLine, oneLine } from '../../src/platform/plain-text.ts';
import { anyText } from '../support/any-text.ts';

it.each([
  ['a bell', 'Invoice\u0007 7', 'Invoice 7'],
  ['a mark that turns text round', 'Invoice \u202E7\u202C', 'Invoice 7'],
  ['isolates and directions', '\u2066a\u2069\u200F\u061C b', 'a b'],
  ['zero-width characters', 'Inv\u200Boi\u2060ce\uFEFF\u00AD 7', 'Invoice 7'],
  ['fillers', 'a\u3164\u115F b', 'a b'],
  ['a joiner in a word', 'a\u200Db\u200Cc', 'abc'],
  ['tags', 'a\u{E0041}', 'a'],
  ['line breaks', 'a\r\nBcc: b@x.example\u2028c\u0085d', 'a Bcc: b@x.example c d'],
  ['half a sign', 'a\uD83D', 'a'],
])('takes %s out of a line', (_what, text, line) => expect(oneLine(text)).toBe(line));

it.each(['👩‍👧 👍🏽 ❤️', 'می‌خواهم', 'क्‍ष', '葛󠄀城', 'Ærø – 請求書', 'Mira ☎'])('leaves what people see: %s', (text) =>
  expect(oneLine(text)).toBe(text),
);

it('keeps a header from being decoded into something that nobody wrote', () => {
  expect(headerLine('=?utf-8?Q?a=40b.example?=')).toBe('= ?utf-8?Q?a=40b.example?=');
});

it('changes nothing the second time', () => {
  fc.assert(
    fc.property(anyText(), (text) => {
      expect(oneLine(oneLine(text))).toBe(oneLine(text));
    }),
  );
});
