import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answered } from '../../src/deliveries/answers.ts';
import type { Budget } from '../../src/deliveries/budget.ts';
import { heldReasons } from '../../src/deliveries/remedy.ts';
import { reportFilters } from '../../src/deliveries/runs/report.ts';
import { cancelForecast, countsOf, phaseOf, unsentOf } from '../../src/deliveries/runs/runs.ts';
import { csvCell, csvLine } from '../../src/web/run-csv.ts';
import {
  budgetLines,
  cancelWords,
  countWords,
  heldWords,
  leftOutLines,
  timeWords,
  usedWords,
} from '../../src/web/run-words.ts';

const at = () => '14:00';
const budget = (over: Partial<Budget> & { soon: number; later: number }): Budget => ({
  ...{ mailboxEmail: 'office@brightwater.example', used: 180, limit: 500, standsStill: null, laterFrom: null, ...over },
  forecast: { soon: over.soon, later: over.later, takesMs: over.soon * 1_210, days: 0 },
});

describe('the words of a budget', () => {
  it('say how much is used, and what goes out when', () => {
    expect(
      budgetLines(budget({ soon: 320, later: 40 }), { ofRun: 'of this run', at, opening: null, locale: 'en-IE' }),
    ).toEqual([
      '180 of 500 emails in the last 24 hours',
      '320 leave in about 7 minutes',
      '40 of this run go out tomorrow',
    ]);
    expect(
      budgetLines(budget({ soon: 30, later: 0 }), { ofRun: 'of this run', at, opening: null, locale: 'en-IE' }),
    ).toEqual(['180 of 500 emails in the last 24 hours', 'all leave in less than a minute']);
    expect(
      budgetLines(budget({ soon: 320, later: 1_600 }), { ofRun: 'of these', at, opening: null, locale: 'en-IE' })[2],
    ).toBe('1,600 of these go out over the 4 days after that');
  });

  it('say that an account stands still, and promise no time then', () => {
    const standsStill = { until: new Date(), reason: 'sending_limit', everybody: false } as const;
    expect(
      budgetLines(budget({ soon: 5, later: 0, standsStill }), {
        ofRun: 'of this run',
        at,
        opening: null,
        locale: 'en-IE',
      }),
    ).toEqual([
      '180 of 500 emails in the last 24 hours',
      'Gmail says that this account’s limit for one day is used up; it goes on at 14:00',
    ]);
  });

  it('say when the sending hours begin, instead of how long it takes', () => {
    const words = { ofRun: 'of this run', at, opening: new Date(), locale: 'en-IE' };
    expect(budgetLines(budget({ soon: 5, later: 0 }), words)[1]).toBe('your sending hours begin 14:00');
  });
});

it.each([
  [20_000, 'less than a minute'],
  [50_000, 'about a minute'],
  [12 * 60_000, 'about 12 minutes'],
  [3 * 3_600_000, 'about 3 hours'],
])('%d ms are %s', (ms, words) => {
  expect(timeWords(ms)).toBe(words);
});

it('counts are said with their kind, and reasons by their number', () => {
  expect([countWords(1, 'quote', 'en-IE'), countWords(1_200, 'credit_note', 'en-IE')]).toEqual([
    '1 quote',
    '1,200 credit notes',
  ]);
  expect(leftOutLines({ recent: 1, no_address: 12 }, 'en-IE')).toEqual([
    '12 without an email address',
    '1 sent within 24 hours before, waiting to be, or in doubt',
  ]);
});

describe('where a run stands', () => {
  const counts = (...rows: [Parameters<typeof countsOf>[0][number]['state'], number, (string | null)?][]) =>
    countsOf(rows.map(([state, count, reason = null]) => ({ state, count, reason })));
  it.each([
    ['running', 'running', counts(['queued', 2], ['sent', 1])],
    ['running', 'running', counts(['sending', 1], ['held', 4, 'operator'])],
    ['running', 'waiting', counts(['held', 4, 'operator'], ['failed', 1])],
    ['running', 'undo', counts(['held', 4, 'undo'])],
    ['running', 'waiting', counts(['held', 1, 'undo'], ['sent', 3])],
    ['running', 'scheduled', counts(['held', 4, 'scheduled'], ['sent', 1])],
    ['running', 'waiting', counts(['held', 4, 'scheduled'], ['held', 1, 'operator'])],
    ['paused', 'paused', counts(['held', 4, 'scheduled'])],
    ['cancelled', 'cancelled', counts(['cancelled', 4])],
    ['running', 'needs_you', counts(['sent', 4], ['failed', 1])],
    ['running', 'over', counts(['sent', 4], ['cancelled', 1])],
    ['paused', 'paused', counts(['held', 4, 'run_paused'])],
    ['paused', 'over', counts(['sent', 4])],
    ['cancelled', 'cancelled', counts(['sent', 4], ['cancelled', 1])],
    ['running', 'in_doubt', counts(['sent', 4], ['held', 1, 'not_found'])],
    ['paused', 'in_doubt', counts(['held', 1, 'found'], ['unconfirmed', 1])],
    ['running', 'running', counts(['queued', 1], ['held', 1, 'found'])],
    ['running', 'in_doubt', countsOf([{ state: 'sending', reason: null, count: 2 }], 2)],
    ['running', 'running', countsOf([{ state: 'sending', reason: null, count: 2 }], 1)],
  ] as const)('%s is %s', (state, phase, counted) => {
    expect(phaseOf({ state, counts: counted })).toBe(phase);
  });

  it('is counted by reason, most first, and what was sent again once', () => {
    const counted = counts(
      ...([
        ['held', 1, 'operator'],
        ['held', 5, 'run_paused'],
        ['held', 7, 'undo'],
      ] satisfies Parameters<typeof counts>),
      ...([
        ['held', 9, 'scheduled'],
        ['queued', 2],
        ['sending', 3],
      ] satisfies Parameters<typeof counts>),
    );
    expect(counted).toMatchObject({ total: 27, waiting: 5, sending: 3, held: 6, undo: 7, scheduled: 9 });
    expect(unsentOf(counted)).toBe(27);
    expect(counted.heldBy.map(({ reason }) => reason)).toEqual(['run_paused', 'operator']);
  });
});

const states = ['queued', 'sending', 'sent', 'failed', 'unconfirmed', 'cancelled'] as const;
const someCounts = fc
  .tuple(
    fc.uniqueArray(
      fc.record({
        state: fc.oneof(fc.constantFrom(...states), fc.constant('held' as const)),
        reason: fc.constantFrom(...heldReasons),
        count: fc.integer({ min: 1, max: 9 }),
      }),
      { maxLength: 8, selector: ({ state, reason }) => (state === 'held' ? reason : state) },
    ),
    fc.integer({ min: 0, max: 9 }),
  )
  .map(([rows, doubts]) => {
    const sending = rows.find(({ state }) => state === 'sending')?.count ?? 0;
    const told = rows.map((row) => (row.state === 'held' ? row : { ...row, reason: null }));
    return { rows: told, counts: countsOf(told, Math.min(doubts, sending)) };
  });

describe('the counts of a run', () => {
  it('are of its emails, each in one part', () => {
    fc.assert(
      fc.property(someCounts, ({ rows, counts }) => {
        expect(counts.total).toBe(rows.reduce((sum, { count }) => sum + count, 0));
        expect(reportFilters.reduce((sum, part) => sum + counts[part], 0)).toBe(counts.total);
      }),
    );
  });

  it('say of nothing in doubt that it has not left, and of nothing that it is stopped which is not', () => {
    fc.assert(
      fc.property(someCounts, ({ rows, counts }) => {
        const { stopped, restored, inDoubt, sending } = cancelForecast(counts);
        const ended = counts.sent + counts.failed + counts.cancelled;
        expect(stopped + restored + inDoubt + sending + ended).toBe(counts.total);
        const certain = rows.filter(
          ({ state, reason }) =>
            state === 'queued' || (state === 'held' && !['restored', ...answered].includes(reason ?? '')),
        );
        expect(stopped).toBe(certain.reduce((sum, { count }) => sum + count, 0));
        const words = cancelWords({ stopped, restored, inDoubt, sending }, 'en-IE').join(' ');
        expect(words.includes('never will')).toBe(stopped > 0);
        expect(words.includes('nobody knows')).toBe(inDoubt > 0);
      }),
    );
  });

  it('call no run sending of which all that is open is in doubt', () => {
    fc.assert(
      fc.property(someCounts, ({ counts }) => {
        const phase = phaseOf({ state: 'running', counts });
        if (phase === 'running') expect(counts.waiting).toBeGreaterThan(0);
        if (phase === 'needs_you' || phase === 'over') expect(counts.inDoubt + counts.answered).toBe(0);
      }),
    );
  });
});

describe('how much of a day is used', () => {
  it('never says so many of fewer', () => {
    expect(usedWords(2, 9, 'en-IE')).toBe('2 of 9 emails in the last 24 hours');
    expect(usedWords(9, 2, 'en-IE')).toBe('9 emails sent in the last 24 hours, more than the 2 of a day');
    fc.assert(
      fc.property(fc.nat(3_000), fc.nat(3_000), (used, limit) => {
        const [, most, all] = /^([\d,]+) of ([\d,]+)/.exec(usedWords(used, limit, 'en-IE')) ?? [];
        if (most && all) expect(Number(most.replace(',', ''))).toBeLessThanOrEqual(Number(all.replace(',', '')));
      }),
    );
  });
});

describe('a cell for Excel', () => {
  it.each([
    ['=1+1', `"'=1+1"`],
    ['@SUM(A1)', `"'@SUM(A1)"`],
    ['-2', `"'-2"`],
    ['+49 30', `"'+49 30"`],
    ['\t=1', `"'\t=1"`],
    ['say "hello", Ann\nand Bo', '"say ""hello"", Ann\nand Bo"'],
    ['Café', '"Café"'],
  ])('%j becomes %s', (text, cell) => {
    expect(csvCell(text)).toBe(cell);
  });

  it('never begins a formula, and holds what it was given', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const cell = csvCell(text);
        expect(cell).not.toMatch(/^"[=+\-@\t\r\n]/);
        const held = cell.slice(1, -1).replaceAll('""', '"');
        expect([text, `'${text}`]).toContain(held);
        expect(csvLine([text, text])).toBe(`${cell},${cell}\r\n`);
      }),
    );
  });
});

describe('why emails of a run are held', () => {
  it.each([
    ['restored', '/activity?show=attention&why=restored'],
    ['not_sent', '/activity?show=attention&why=held'],
    ['stuck', '/activity?show=attention&why=held'],
  ])('leads to where somebody decides about many at once: %s', (reason, href) => {
    expect(heldWords(reason)).toMatchObject({ href, label: 'Decide' });
  });

  it('leads nowhere where they go out by themselves', () => {
    for (const reason of ['outside_hours', 'sending_limit', 'operator']) expect(heldWords(reason).href).toBeNull();
  });
});
