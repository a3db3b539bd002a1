import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { atMoment, fullMoment, moment, when } from '../../src/web/words.ts';

const root = path.join(import.meta.dirname, '../..');

/** Where numbers, dates and times may be written; anything else asks these. */
const writers: Readonly<Record<string, string>> = {
  'src/documents/format.ts': 'numbers, money, percent and days, by the locale of a page or paper',
  'src/documents/locale.ts': 'which that is',
  'src/documents/decimal-input.ts': 'the signs of currencies, to read them',
  'src/web/words.ts': 'moments on pages, by the locale of whoever looks',
  'src/platform/date-format.ts': 'makes what they write dates with, once each',
  'src/platform/zoned-time.ts': 'moments in full; and what the clock on a wall shows',
  'src/web/run-csv.ts': 'for programs, in a form of its own',
  'src/tenants/tenants.ts': 'only whether a time zone is one',
  'public/attached.js': 'what files weigh together, by the locale of the page',
  'public/unsaved.js': 'what the browser keeps, by the locale of the page',
};
const byHand =
  /toLocale\w*\(|new Intl\.(?:NumberFormat|DateTimeFormat)|Intl\.(?:NumberFormat|DateTimeFormat)\(|\bdateFormat\(|\\B\(\?=\(/;

describe('numbers, dates and times', () => {
  it('are written by the shared formatter alone: no Intl, toLocale… or grouping by hand elsewhere', () => {
    const files = ['src/**/*.ts', 'public/*.js', 'views/**/*.ejs'].flatMap((pattern) =>
      globSync(pattern, { cwd: root }),
    );
    expect(files.length).toBeGreaterThan(400);
    const others = files
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => !Object.hasOwn(writers, file) && byHand.test(readFileSync(path.join(root, file), 'utf8')));
    expect(others).toEqual([]);
    // Each of the list does so still.
    for (const file of Object.keys(writers))
      expect(readFileSync(path.join(root, file), 'utf8'), file).toMatch(/Intl\.|toLocale/);
  });

  it('count nothing that may be many without it: “10,000 emails”, never “10000 emails”', () => {
    // At most so many that there is nothing to group.
    const few: Readonly<Record<string, RegExp>> = {
      'src/web/limits.ts': /sameRecipient\.points/,
      'src/web/record-emails.ts': /changeable\.length/,
      'src/deliveries/recipients.ts': /maxRecipients/,
      'src/deliveries/recipient-cap.ts': /perDay/,
    };
    const uncounted =
      /(?:\$\{|<%= )(?!number\(|formatNumber\(|count\(|at\()[^{}%]*?(?:\}| %>) (?:(?:waiting|open|queued|held|other|failed) )?(?:emails|members|records|deliveries|recipients)\b/g;
    const files = ['src/**/*.ts', 'views/**/*.ejs'].flatMap((pattern) => globSync(pattern, { cwd: root }));
    const found = files.flatMap((file) =>
      (readFileSync(path.join(root, file), 'utf8').match(uncounted) ?? [])
        .filter((words) => !few[file]?.test(words))
        .map((words) => `${file}: ${words}`),
    );
    expect(found).toEqual([]);
    // The rule itself looks at something.
    const inserted = (expression: string) => `\`$\{${expression}} emails\``;
    for (const words of [inserted('count'), inserted('held.length'), '<%= waiting %> open records'])
      expect(words.match(uncounted), words).toHaveLength(1);
    expect(inserted('number(count, locale)').match(uncounted)).toBeNull();
  });

  it('group no digits in sentences of ours: a page does, as its reader writes them', () => {
    const files = ['src/**/*.ts', 'views/**/*.ejs'].flatMap((pattern) => globSync(pattern, { cwd: root }));
    const grouped = /(?:longer|more) than \d{1,3},\d{3}/;
    expect(files.filter((file) => grouped.test(readFileSync(path.join(root, file), 'utf8')))).toEqual([]);
  });
});

describe('a moment', () => {
  const zone = 'Europe/Dublin';
  const now = new Date('2026-12-01T10:00:00Z');
  const soon = new Date('2026-12-04T09:05:00Z');
  const next = new Date('2027-02-14T20:03:00Z');

  it.each(['en-GB', 'en-IE', 'en-DE', 'en-IN', 'en-AU', 'en-US', 'en-CA'])(
    'has one form of weekday and time, whoever reads it: %s',
    (locale) => {
      expect(when(soon, zone, now, locale)).toBe('Fri 09:05');
    },
  );

  it('has day and month in the order of whoever reads it', () => {
    expect(moment(soon, zone, now, 'en-IE')).toBe('4 Dec 09:05');
    expect(moment(soon, zone, now, 'en-US')).toBe('Dec 4 09:05');
    expect(moment(now, zone, now, 'en-US')).toBe('10:00');
    expect(moment(next, zone, now, 'en-GB')).toBe('14 Feb 2027 20:03');
    expect([atMoment(now, zone, now, 'en-DE'), atMoment(soon, zone, now, 'en-DE')]).toEqual([
      'at 10:00',
      'on 4 Dec 09:05',
    ]);
    expect(fullMoment(soon, zone, 'en-IE')).toBe('Friday 4 December 2026, 09:05');
    expect(fullMoment(soon, zone, 'en-US')).toBe('Friday December 4, 2026, 09:05');
  });
});
