import { sql } from 'kysely';
import type { FaultEffect, FaultRule } from 'local-google';
import type { Capability } from '../../src/platform/capability.ts';
import type { Database } from '../../src/platform/database.ts';
import type { DeliveryState } from '../../src/platform/database-types.ts';
import { endTrouble } from '../../src/tenants/system-queue.ts';
import type { Sender } from './company.ts';
import { eventually } from './eventually.ts';
import type { TestLetterhead } from './letterhead.ts';
import { permittedSender } from './permitted.ts';

/** One row: what goes wrong on one mailbox. */
export interface Trouble {
  readonly what: string;
  /** Each strikes that mailbox alone. */
  readonly faults: readonly FaultRule[];
  /** What somebody does meanwhile; called once everything waits for a moment in time. */
  readonly meanwhile?: (sender: Sender, deliveryId: string) => Promise<unknown> | unknown;
}

/** How it ended. */
export interface Ended {
  readonly state: DeliveryState;
  readonly heldReason: string | null;
  /** How often Google accepted it. */
  readonly accepted: number;
  /** Whether every fault of the row struck. */
  readonly struck: boolean;
  /** Drafts that are left in the mailbox. */
  readonly drafts: number;
  readonly sender: Sender;
  readonly id: string;
}

/** How far the clock is moved at once: past any deadline with its settle time, any probe, any retry. */
const strideMs = 200_000;

/** So many rows are begun at the same time: about as many as there are connections to the database. */
const atOnce = 8;

/**
 * Sends one email through a mailbox of its own for each row, all at once, and moves Local Google's clock on whenever
 * everything waits, until nothing moves by itself any more.
 *
 * @returns by the row's `what`
 */
export async function runTable(
  letterhead: TestLetterhead,
  capabilities: readonly Capability[],
  rows: readonly Trouble[],
): Promise<ReadonlyMap<string, Ended>> {
  const { google } = letterhead;
  const begin = async ({ what, faults, meanwhile }: Trouble) => {
    const sender = await permittedSender(letterhead, capabilities);
    const rules = faults.map((rule) => google.faults.add({ ...rule, account: sender.account }));
    return { what, sender, rules, meanwhile, id: await sender.send() };
  };
  const begun: Awaited<ReturnType<typeof begin>>[] = [];
  for (let next = 0; next < rows.length; next += atOnce)
    begun.push(...(await Promise.all(rows.slice(next, next + atOnce).map(begin))));
  const hung = () =>
    begun.flatMap(({ id, rules }) =>
      rules.some(({ effect, fired }) => effect.kind === 'hang' && fired > 0) ? [id] : [],
    );
  await untilQuiet(letterhead, hung);
  for (const { sender, id, meanwhile } of begun) await meanwhile?.(sender, id);
  await untilAllIsSaid(letterhead, hung);

  const ended = new Map<string, Ended>();
  for (const { what, sender, rules, id } of begun) {
    const { state, heldReason } = await sender.delivery(id);
    ended.set(what, {
      ...{ state, heldReason, sender, id },
      accepted: sender.accepted(id).length,
      struck: rules.every(({ fired }) => fired > 0),
      drafts: google.drafts.ids(sender.account).length,
    });
  }
  return ended;
}

/**
 * Moves the clock on, stride by stride, until no delivery waits for a time.
 *
 * @param hung deliveries whose first attempt waits for an answer that never comes, until its deadline
 */
export async function untilAllIsSaid(
  letterhead: TestLetterhead,
  hung: () => readonly string[] = () => [],
): Promise<void> {
  for (let stride = 0; stride < 60; stride += 1) {
    const { waiting, hanging } = await untilQuiet(letterhead, hung);
    if (waiting + hanging === 0) return;
    letterhead.google.clock.forward(hanging > 0 ? letterhead.config.sendDeadlineMs : strideMs);
  }
  throw new Error('Something waits for ever.');
}

/** How many deliveries are in hand, wait for a time, and wait for an answer that never comes. */
interface Moving {
  readonly busy: number;
  readonly waiting: number;
  readonly hanging: number;
}

/** Waits until no delivery can move before the clock does; returns how many wait for that. */
async function untilQuiet(letterhead: TestLetterhead, hung: () => readonly string[]): Promise<Moving> {
  const { database, owner, time } = letterhead;
  await time.quiet();
  return eventually(
    async () => {
      // A whole table of faults looks like an outage; that is another test's.
      await endTrouble(database.system, 'gmail');
      return countMoving(owner, letterhead.context.clock(), hung());
    },
    ({ busy }) => busy === 0,
    time,
  );
}

async function countMoving(owner: Database, now: Date, hung: readonly string[]): Promise<Moving> {
  const { rows } = await sql<Moving>`
    select count(*) filter (where (due or open) and not hangs)::int as busy,
      count(*) filter (where not due and not_before is not null)::int as waiting,
      count(*) filter (where hangs)::int as hanging
    from (
      select not_before, state = 'sending' and exists (select from attempts
          where attempts.delivery_id = deliveries.id and finished_at is null) as open,
        id = any (${hung}::uuid[]) and exists (select from attempts
          where attempts.delivery_id = deliveries.id and finished_at is null and number = 1) as hangs,
        case when state = 'queued' then coalesce(not_before <= ${now}, true)
          else coalesce(not_before <= ${now}, false) end as due
      from deliveries where state in ('queued', 'sending', 'held', 'unconfirmed')) moving`.execute(owner);
  return rows[0] ?? { busy: 0, waiting: 0, hanging: 0 };
}

/** Everything that can go wrong with one call so that its outcome is not seen; `done`: Google did the work. */
export const unseen: readonly { what: string; effect: FaultEffect; done: boolean }[] = [
  { what: 'cut before it is read', effect: { kind: 'drop', when: 'before' }, done: false },
  { what: 'cut once it is done', effect: { kind: 'drop', when: 'after' }, done: true },
  { what: 'cut in mid-answer', effect: { kind: 'drop', when: 'middle' }, done: true },
  { what: 'reset before', effect: { kind: 'reset', when: 'before' }, done: false },
  { what: 'reset after', effect: { kind: 'reset', when: 'after' }, done: true },
  { what: 'hangs, not done', effect: { kind: 'hang', when: 'before' }, done: false },
  { what: 'hangs, done', effect: { kind: 'hang', when: 'after' }, done: true },
  ...([500, 502, 503, 504] as const).flatMap((status) => [
    { what: `${status}, not done`, effect: { kind: 'serverError', status, when: 'before' } as const, done: false },
    { what: `${status}, done`, effect: { kind: 'serverError', status, when: 'after' } as const, done: true },
  ]),
  ...(['cut', 'html'] as const).flatMap((as) => [
    { what: `no JSON (${as}), not done`, effect: { kind: 'malformed', when: 'before', as } as const, done: false },
    { what: `no JSON (${as}), done`, effect: { kind: 'malformed', when: 'after', as } as const, done: true },
  ]),
];

/** Refusals that pass by themselves. */
export const refusedForNow: readonly { what: string; effect: FaultEffect }[] = [
  { what: '401', effect: { kind: 'unauthorized' } },
  { what: '403 rateLimitExceeded', effect: { kind: 'forbidden', reason: 'rateLimitExceeded' } },
  { what: '403 userRateLimitExceeded', effect: { kind: 'forbidden', reason: 'userRateLimitExceeded' } },
  { what: '403 accessNotConfigured', effect: { kind: 'forbidden', reason: 'accessNotConfigured' } },
  { what: '403 dailyLimitExceeded', effect: { kind: 'forbidden', reason: 'dailyLimitExceeded' } },
  { what: '429 with a time', effect: { kind: 'tooMany', limit: 'rate' } },
  { what: '429 too many at once', effect: { kind: 'tooMany', limit: 'concurrent' } },
  { what: '429 without a time', effect: { kind: 'tooMany', limit: 'rateLimitExceeded' } },
];
