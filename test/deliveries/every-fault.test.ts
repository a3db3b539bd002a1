import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Capability } from '../../src/platform/capability.ts';
import { someRows } from '../support/at-length.ts';
import { type Ended, refusedForNow, runTable, type Trouble, unseen } from '../support/fault-table.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';

/** A row with what must come of it. */
interface Row extends Trouble {
  readonly wanted: Partial<Ended>;
}

const once = { state: 'sent', accepted: 1, drafts: 0 } as const;

/** Faults of one method, with what must come of those that are not seen. */
function rowsOf(method: string, come: (done: boolean) => Partial<Ended>): Row[] {
  return [
    ...unseen.map(({ what, effect, done }) => ({
      ...{ what: `${method}: ${what}`, faults: [{ method, effect }], wanted: come(done) },
    })),
    ...refusedForNow.map(({ what, effect }) => ({
      ...{ what: `${method}: ${what}`, faults: [{ method, effect }], wanted: once },
    })),
    { what: `${method}: slow`, faults: [{ method, effect: { kind: 'slow', ms: 300 } }], wanted: once },
  ];
}

/** Everything that can befall a look into Gmail, after an answer was lost. */
function looksOf(method: string, first: Trouble['faults'][number], come: Partial<Ended>): Row[] {
  const effects = [...unseen.filter(({ effect }) => effect.kind !== 'hang'), ...refusedForNow];
  return effects.map(({ what, effect }) => ({
    what: `${method}, looking: ${what}`,
    // More than the library's own repeats of a GET; a token that is refused for ever is another matter.
    faults: [first, { method, effect, times: effect.kind === 'unauthorized' ? 2 : 5 }],
    wanted: come,
  }));
}

const lost = (method: string, when: 'before' | 'after') => ({ method, effect: { kind: 'drop', when } }) as const;
const asked = (done: boolean) => ({ state: 'unconfirmed', accepted: done ? 1 : 0 }) as const;

const tables: readonly { capabilities: readonly Capability[]; rows: readonly Row[] }[] = [
  { capabilities: ['send'], rows: rowsOf('messages.send', asked) },
  {
    capabilities: ['send', 'safe_retry'],
    rows: [
      ...rowsOf('drafts.create', () => once),
      ...rowsOf('drafts.send', (done) => (done ? asked(done) : once)),
      ...looksOf('drafts.get', lost('drafts.send', 'before'), once),
      ...looksOf('drafts.list', lost('drafts.create', 'after'), once),
    ],
  },
  {
    capabilities: ['send', 'tracking'],
    rows: [
      ...rowsOf('messages.send', () => once),
      ...looksOf('messages.list', lost('messages.send', 'after'), once),
      ...looksOf('messages.get', lost('messages.send', 'after'), once),
    ],
  },
  {
    capabilities: ['send', 'safe_retry', 'tracking'],
    rows: [
      ...rowsOf('drafts.create', () => once),
      ...rowsOf('drafts.send', () => once),
      ...looksOf('drafts.get', lost('drafts.send', 'after'), once),
      ...looksOf('messages.list', lost('drafts.send', 'after'), once),
      ...looksOf('messages.get', lost('drafts.send', 'after'), once),
    ],
  },
];

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead();
});
afterAll(() => letterhead.close());

describe.each(tables.map((table, number) => ({ ...table, rows: someRows(table.rows, number) })))(
  'with $capabilities, an email',
  ({ capabilities, rows }) => {
    let ended: ReadonlyMap<string, Ended>;
    beforeAll(async () => {
      ended = await runTable(letterhead, capabilities, rows);
    }, 300_000);

    it.each(rows)('is neither lost nor doubled: $what', ({ what, wanted }) => {
      expect(ended.get(what)).toMatchObject({ ...wanted, struck: true });
    });
  },
);
