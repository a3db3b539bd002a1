import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { payableWord, sumWords, taxWordOf } from '../../src/documents/sum-words.ts';

const root = path.join(import.meta.dirname, '../..');

describe('the words of a record’s sums', () => {
  it('are those of one module, on pages and on paper: none of the older names stands anywhere', () => {
    const files = ['views/**/*.ejs', 'src/documents/**/*.ts', 'src/web/*.ts'].flatMap((each) =>
      globSync(each, { cwd: root }),
    );
    expect(files.length).toBeGreaterThan(200);
    const older =
      /Sum of lines|Total with(?:out)? \$|>To pay<|'To pay'|<dt>(?:Lines|Net|Total|Tax|Rounding)\b|Paid already|'Allowance'|>Allowances</;
    expect(files.filter((file) => older.test(readFileSync(path.join(root, file), 'utf8')))).toEqual([]);
  });

  it('say of the last one what it asks for', () => {
    expect(payableWord('invoice', 'due', 'your')).toBe('Amount due');
    expect(payableWord('invoice', 'nothing', 'your')).toBe('Nothing to pay');
    expect(payableWord('invoice', 'in_favour', 'your')).toBe('Amount in your favour');
    expect(payableWord('invoice', 'in_favour', 'the customer’s')).toBe('Amount in the customer’s favour');
    expect(payableWord('credit_note', null, 'your')).toBe('Total credit');
    expect(payableWord('quote', null, 'your')).toBe(sumWords.total);
    expect([taxWordOf('IE'), taxWordOf('US'), taxWordOf('AU'), taxWordOf(undefined)]).toEqual([
      'VAT',
      'Tax',
      'GST',
      'Tax',
    ]);
  });
});
