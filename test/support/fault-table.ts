import { sql } from 'kysely';
import type { Capability } from '../../src/platform/capability.ts';
import { openDatabase } from '../../src/platform/database.ts';
import type { DeliveryState } from '../../src/platform/database-types.ts';
import type { FaultEffect, FaultRule } from '../../src/sandbox/faults.ts';
import { endTrouble, wholeProject } from '../../src/tenants/system-queue.ts';
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
  const begun = [];
  for (const { what, faults, meanwhile } of rows) {
    const sender = await permittedSender(letterhead, capabilities);
    const rules = faults.map((rule) => google.faults.add({ ...rule, account: sender.account }));
    begun.push({ what, sender, rules, meanwhile, id: await sender.send() });
  }
  await untilQuiet(letterhead);
  for (const { sender, id, meanwhile } of begun) await meanwhile?.(sender, id);
  await untilAllIsSaid(letterhead);

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

/** Moves the clock on, stride by stride, until no delivery waits for a time. */
export async function untilAllIsSaid(letterhead: TestLetterhead): Promise<void> {
  for (let stride = 0; stride < 60; stride += 1) {
    const { waiting } = await untilQuiet(letterhead);
    if (waiting === 0) return;
    letterhead.google.clock.forward(strideMs);
  }
  throw new Error('Something waits for ever.');
}

/** Waits until no delivery can move before the clock does; returns how many wait for that. */
async function untilQuiet(letterhead: TestLetterhead): Promise<{ busy: number; waiting: number }> {
  const owner = openDatabase(letterhead.database.urls.owner, 1, () => {});
  try {
    return await eventually(
      async () => {
        // A whole table of faults looks like an outage; that is another test's.
        await endTrouble(letterhead.database.system, wholeProject);
        const now = letterhead.context.clock();
        const { rows } = await sql<{ busy: number; waiting: number }>`
          select count(*) filter (where due or open)::int as busy,
            count(*) filter (where not due and not_before is not null)::int as waiting
          from (
            select not_before, state = 'sending' and exists (select from attempts
                where attempts.delivery_id = deliveries.id and finished_at is null) as open,
              case when state = 'queued' then coalesce(not_before <= ${now}, true)
                else coalesce(not_before <= ${now}, false) end as due
            from deliveries where state in ('queued', 'sending', 'held', 'unconfirmed')) moving`.execute(owner.db);
        return rows[0] ?? { busy: 0, waiting: 0 };
      },
      ({ busy }) => busy === 0,
      90_000,
    );
  } finally {
    await owner.close();
  }
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
