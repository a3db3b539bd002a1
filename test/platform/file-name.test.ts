import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distinctNames, endingOf, safeFileName } from '../../src/platform/file-name.ts';

describe('a file’s name', () => {
  it.each([
    ['Plan für Ærø – 請求書.pdf', 'Plan für Ærø – 請求書.pdf'],
    ['../../etc/passwd', '-..-etc-passwd'],
    ['C:\\temp\\plan.pdf', 'C-temp-plan.pdf'],
    ['exe.\u202Egpj.exe', 'exe.gpj.exe'],
    ['a\r\nBcc: b@c.example.pdf', 'a Bcc- b@c.example.pdf'],
    ['.hidden', 'hidden'],
    ['plan.pdf. . ', 'plan.pdf'],
    ['CON.txt', '_CON.txt'],
    ['console.txt', 'console.txt'],
    ['=?utf-8?Q?a?=', '=-utf-8-Q-a-='],
    ['', 'file'],
    [' \u200B.', 'file'],
    ['\u202E.pdf', 'pdf'],
    [`${'ä'.repeat(200)}.pdf`, `${'ä'.repeat(88)}.pdf`],
    ['👩‍👩‍👧'.repeat(40), '👩‍👩‍👧'.repeat(10)],
  ])('%j is %j', (given, name) => {
    expect(safeFileName(given)).toBe(name);
  });

  it('is safe to save whatever it was, stays what it is when it is made safe again, and stays itself in any list', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('a.b', 'A.B'),
    );
    fc.assert(
      fc.property(fc.array(name, { maxLength: 8 }), (given) => {
        const names = distinctNames(given.map(safeFileName));
        expect(new Set(names.map((each) => each.normalize('NFC').toLowerCase())).size).toBe(given.length);
        for (const each of names) {
          expect(each).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069/\\:*?"<>|]|^[ .]|[ .]$|^$/u);
          expect(Buffer.byteLength(each)).toBeLessThanOrEqual(200);
          expect(safeFileName(each)).toBe(each);
        }
      }),
    );
  });

  it('of a second file is numbered before the ending', () => {
    expect(distinctNames(['a.pdf', 'A.PDF', 'a (2).pdf', 'a.pdf', 'b', 'b'])).toEqual([
      ...['a.pdf', 'A (2).PDF', 'a (2) (2).pdf', 'a (3).pdf', 'b', 'b (2)'],
    ]);
  });

  it.each([
    ['setup.EXE', '.exe'],
    ['a.tar.gz', '.gz'],
    ['none', ''],
    ['v1. of the plan', ''],
  ])('%j ends in %j', (given, ending) => {
    expect(endingOf(given)).toBe(ending);
  });
});
