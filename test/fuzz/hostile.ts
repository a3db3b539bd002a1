import fc from 'fast-check';
import { anyText } from '../support/any-text.ts';

/** How many inputs each form and each parser gets: a few in the suite, `npm run fuzz` for all. */
export const runs = Number(process.env['FUZZ_RUNS'] ?? 300);

/** Texts that broke something somewhere: in a parser, a query, a header, a page, a number, a clock. */
const known = [
  ...[
    '',
    ' ',
    '\t',
    '\r\n',
    '\u0000',
    '\u0007',
    '\u001b[31m',
    '\u202eevil',
    '\u2066x',
    '\u200b',
    '\ufeff',
    '\ud800',
    '\u0301'.repeat(400),
  ],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', 'undefined', 'NaN', 'true', '[object Object]'],
  ...[
    '0',
    '-0',
    '-1',
    '1e309',
    '1e-400',
    '0x10',
    '00',
    '.',
    ',',
    '1.234',
    '1,234.50',
    '1.234,50',
    '9'.repeat(400),
    '0.'.padEnd(300, '0'),
  ],
  ...[
    '0000-00-00',
    '0026-11-30',
    '9999-12-31',
    '2026-02-30',
    '+275760-09-13',
    '2026-11-30T25:61',
    '24:00',
    '-271821-04-20',
  ],
  ...[
    "'",
    '"',
    "' or 1=1 --",
    '%',
    '_',
    '\\',
    '%00',
    '%%5B%',
    '$\u007b1+1}',
    '{{ number }}',
    '{% for a in (1..9999999) %}x{% endfor %}',
    '{{',
  ],
  ...['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', '</textarea>', '<!--', ']]>', '&#0;', '&lt;'],
  ...[
    'a@x.example',
    'a@x.example b@y.example',
    'a@x, b@y.example;',
    '<a@x.example> <b@y.example>',
    '"a@x" <b@y.example>',
    'a@@x',
    '@',
    'a@',
    '@x',
  ],
  ...[
    'a@x.example\r\nBcc: b@y.example',
    'Ann <a@x.example',
    `${'a'.repeat(65)}@x.example`,
    `a@${'x.'.repeat(200)}example`,
    'ä@ü.example',
    'a@[127.0.0.1]',
  ],
  ...[
    '//evil.example',
    'https://evil.example',
    'javascript:alert(1)',
    '/\\evil.example',
    '../../etc/passwd',
    'file:///etc/passwd',
  ],
  ...['00000000-0000-0000-0000-000000000000', 'not-a-uuid', '株式会社 青空', 'שלום', '🧾', 'ﷺ', 'İ', 'ß'],
  ...[
    'a'.repeat(5_000),
    '('.repeat(3_000),
    'a,'.repeat(3_000),
    '<'.repeat(3_000),
    ' '.repeat(5_000),
    '['.repeat(2_000),
  ],
] as const;

/** Any text at all, most of it of the kind that breaks things. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...known) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...known), fc.constantFrom(...known)).map((parts) => parts.join('')),
  },
  { weight: 2, arbitrary: anyText(60) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
);
