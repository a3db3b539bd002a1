import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Capability } from '../../src/platform/capability.ts';
import type { DeliveryState } from '../../src/platform/database-types.ts';
import type { Sender } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { untilAllIsSaid } from '../support/fault-table.ts';
import { anotherWorker } from '../support/hand-delivery.ts';
import { type HeldGmail, heldGmail } from '../support/held-gmail.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';
import { startWorker } from '../support/worker-process.ts';

/** One row: a worker with these permissions in its hands is killed at this step. */
interface Row {
  readonly step: string;
  readonly capabilities: readonly Capability[];
  /** How the delivery ends without anybody's help, and how often Gmail accepted it. */
  readonly state: DeliveryState;
  readonly accepted: number;
  /** What stood in the database when the worker died. */
  readonly attempts: number;
}

const alone = ['send'] as const;
const drafts = ['send', 'safe_retry'] as const;
const tracking = ['send', 'tracking'] as const;
const both = ['send', 'safe_retry', 'tracking'] as const;

const steps = {
  'the claim is committed, and Gmail has not been asked': (via: string) =>
    ({ path: `/${via}`, when: 'asked' }) as const,
  'the draft is stored, and nobody has heard of it': () => ({ path: '/drafts', when: 'answered' }) as const,
  'the send of the draft is written down, and Gmail has not been asked': () =>
    ({ path: '/drafts/send', when: 'asked' }) as const,
  'Gmail accepted it, and nobody has heard of it': (via: string) =>
    ({ path: via === 'drafts' ? '/drafts/send' : '/messages/send', when: 'answered' }) as const,
};
type Step = keyof typeof steps;

const table: readonly [Step, readonly Capability[], DeliveryState, number][] = [
  ['the claim is committed, and Gmail has not been asked', alone, 'unconfirmed', 0],
  ['the claim is committed, and Gmail has not been asked', drafts, 'sent', 1],
  ['the claim is committed, and Gmail has not been asked', tracking, 'sent', 1],
  ['the claim is committed, and Gmail has not been asked', both, 'sent', 1],
  ['the draft is stored, and nobody has heard of it', drafts, 'sent', 1],
  ['the draft is stored, and nobody has heard of it', both, 'sent', 1],
  ['the send of the draft is written down, and Gmail has not been asked', drafts, 'sent', 1],
  ['the send of the draft is written down, and Gmail has not been asked', both, 'sent', 1],
  ['Gmail accepted it, and nobody has heard of it', alone, 'unconfirmed', 1],
  ['Gmail accepted it, and nobody has heard of it', drafts, 'unconfirmed', 1],
  ['Gmail accepted it, and nobody has heard of it', tracking, 'sent', 1],
  ['Gmail accepted it, and nobody has heard of it', both, 'sent', 1],
];

/** The last step has its own way: what Gmail said arrived, and the database does not take it. */
const beforeSettling: readonly [readonly Capability[], DeliveryState][] = [
  [alone, 'unconfirmed'],
  [drafts, 'unconfirmed'],
  [tracking, 'sent'],
  [both, 'sent'],
];

let letterhead: TestLetterhead;
let gmail: HeldGmail;
const ended = new Map<string, Row>();
const keyOf = (step: string, capabilities: readonly Capability[]) => `${step}: ${capabilities.join(' ')}`;

/** All of them at once: one worker dies with all of them in its hands, each at its step; then another one works. */
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, sendDeadlineMs: 120_000, settleMs: 1_000 });
  gmail = await heldGmail(letterhead.google.url);
  const begun: { step: string; capabilities: readonly Capability[]; sender: Sender; id: string }[] = [];
  for (const [step, capabilities] of table) {
    const sender = await permittedSender(letterhead, capabilities);
    const { token } = await anotherWorker(letterhead).tokens.of(sender.tenantId, sender.mailboxId);
    gmail.hold(token, steps[step](capabilities.includes('safe_retry') ? 'drafts' : 'messages/send'));
    begun.push({ step, capabilities, sender, id: await sender.send() });
  }
  const waiting = [];
  for (const [capabilities] of beforeSettling) {
    const sender = await permittedSender(letterhead, capabilities);
    waiting.push({ step: 'settling', capabilities, sender, id: await sender.send() });
  }
  // Whoever writes down that these were sent waits for us. Only then: claims come first, and insert no attempt a second time.
  const owner = new pg.Client({ connectionString: letterhead.database.urls.owner });
  await owner.connect();
  await owner.query(`create function wait_for_the_test() returns trigger language plpgsql as $$
    begin if new.state = 'sent' then perform pg_advisory_xact_lock(4711); end if; return new; end $$`);
  await owner.query(`create trigger wait_for_the_test before update on deliveries
    for each row execute function wait_for_the_test()`);
  await owner.query('select pg_advisory_lock(4711)');

  const victim = await startWorker(letterhead, { GMAIL_ROOT_URL: gmail.url, GOOGLE_TIMEOUT_SECONDS: '60' });
  await eventually(
    () => gmail.held(),
    (held) => held === table.length,
  );
  await eventually(
    async () => {
      const { rows } = await owner.query(`select count(*)::int as count from pg_locks
        where locktype = 'advisory' and objid = 4711 and not granted`);
      return rows[0].count;
    },
    (count) => count === beforeSettling.length,
  );
  await victim.kill();
  await owner.query('select pg_advisory_unlock(4711)');
  await owner.query('drop trigger wait_for_the_test on deliveries');
  await owner.end();
  const attempts = await eventually(readAttempts, (rows) => rows.length === table.length + beforeSettling.length);
  expect(attempts.every(({ outcome }) => outcome === null)).toBe(true);

  await letterhead.startWorker();
  await untilAllIsSaid(letterhead);
  for (const { step, capabilities, sender, id } of [...begun, ...waiting]) {
    const { state, attempts: tries } = await sender.delivery(id);
    const row = { step, capabilities, state, accepted: sender.accepted(id).length, attempts: tries.length };
    ended.set(keyOf(step, capabilities), row);
  }
});
afterAll(async () => {
  await letterhead.close();
  await gmail.close();
});

async function readAttempts() {
  const { rows } = await sql<{ outcome: string | null }>`select outcome from attempts`.execute(
    letterhead.database.system,
  );
  return rows;
}

describe('a worker that is killed', () => {
  it.each(table)('when %s (%s): the email is never lost, never doubled', (step, capabilities, state, accepted) => {
    expect(ended.get(keyOf(step, capabilities))).toMatchObject({ state, accepted });
  });

  it.each(beforeSettling)(
    'when it has Gmail’s answer, and the database not yet (%s): the email is never lost, never doubled',
    (capabilities, state) => {
      expect(ended.get(keyOf('settling', capabilities))).toMatchObject({ state, accepted: 1, attempts: 1 });
    },
  );

  it('is one of which every row was killed at its step', () => {
    expect(ended.size).toBe(table.length + beforeSettling.length);
  });
});
