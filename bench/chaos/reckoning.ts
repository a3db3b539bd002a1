import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { z } from 'zod';
import type { Struck } from './faults.ts';
import { whenever } from './feed.ts';
import { type SetName, sets } from './senders.ts';
import { control, type World } from './world.ts';

/** How the deliveries of one set ended: what Google says beside what the product says. */
export interface Account {
  readonly set: SetName;
  readonly fed: number;
  /** Google accepted it, once or more often. */
  readonly accepted: number;
  /** The product says that it was sent, and Google has never seen it; or the product has forgotten it. */
  readonly lost: number;
  /** Times that Google accepted it beyond the first. */
  readonly duplicated: number;
  /** A person was asked. */
  readonly unconfirmed: number;
  /** Neither sent, nor refused, nor asked about. */
  readonly stuck: number;
  /** Gmail refused it for good. */
  readonly failed: number;
  /** The product says that it was not sent, and Google accepted it. */
  readonly denied: number;
  /** Refusals for good that Google gave. */
  readonly refused: number;
  /** Attempts whose whole deadline went by without an answer: their worker was killed, Google hung, or the machine was late. */
  readonly overdue: number;
  /** Those, and answers that were spoilt: more questions than these nobody may be asked. */
  readonly mayBeAsked: number;
}

interface Row {
  readonly id: string;
  readonly mailboxId: string;
  readonly state: string;
  readonly messageId: string | null;
}

/** Waits until nothing moves any more, and gives up when nothing has moved for so long. @returns how many still should */
export async function untilSettled(world: World, fed: number, patienceMs: number): Promise<number> {
  let before = '';
  let since = Date.now();
  for (;;) {
    const { rows } = await whenever(() =>
      sql<{ moving: number; written: number; print: string }>`
        select count(*) filter (where deliveries.state in ('queued', 'sending', 'held')
            or (deliveries.state = 'unconfirmed' and not_before is not null)
            or (deliveries.state = 'sent' and proven_at is null and provider_message_id is not null and 'tracking' = any(wanted)))::int
            as moving,
          count(*)::int as written, concat(count(*), ' ', sum(extract(epoch from deliveries.state_at))::text) as print
        from deliveries join mailboxes on mailboxes.id = mailbox_id`.execute(world.owner),
    );
    const [now = { moving: fed, written: 0, print: '' }] = rows;
    if (now.moving === 0 && now.written === fed) return 0;
    if (now.print !== before) {
      before = now.print;
      since = Date.now();
    }
    if (Date.now() - since > patienceMs) return now.moving;
    await wait(250);
  }
}

const tallyAnswer = z.object({
  accepted: z.number(),
  tally: z.record(z.string(), z.object({ times: z.number(), ids: z.array(z.string()) })),
});
const acceptedAnswer = z.object({
  accepted: z.array(z.object({ deliveryId: z.string().nullable(), messageId: z.string() })),
});

/**
 * Attempts of each set that nobody could have had an answer to in time, as their rows prove: at the end of their deadline
 * they were not finished. Nobody is told sooner that an answer is lost but by a fault; and three seconds of a machine, as
 * fast as time goes here, are too short for a machine that has too much to do.
 */
async function countOverdue(world: World): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ mailboxId: string; count: number }>`
    select mailbox_id as "mailboxId", count(*)::int as count from attempts
    join deliveries on deliveries.id = attempts.delivery_id
    -- Timers of a fast clock are rounded to a millisecond of the machine's.
    -- What was under way when a copy was made that was restored has no answer either.
    where outcome = 'unknown' and (finished_at >= deadline - interval '1 second' or restored_at is not null) group by mailbox_id`.execute(
    world.owner,
  );
  const setOf = new Map(world.senders.map(({ mailboxId, set }) => [mailboxId, set]));
  const counts = new Map<string, number>();
  for (const { mailboxId, count } of rows) {
    const set = setOf.get(mailboxId) ?? '';
    counts.set(set, (counts.get(set) ?? 0) + count);
  }
  return counts;
}

/**
 * Asks Google what it accepted, and the database what the product believes.
 *
 * @param forgotten by set: refusals for good that a restore took back
 */
export async function reckon(
  world: World,
  fed: number,
  struck: Struck,
  forgotten: ReadonlyMap<SetName, number>,
): Promise<{ accounts: Account[]; problems: string[]; suspects: string[] }> {
  const { tally, accepted: acceptedInAll } = tallyAnswer.parse(await control(world, 'tally?by=deliveryId'));
  const { accepted } = acceptedAnswer.parse(await control(world, 'accepted?limit=100000'));
  const { rows } = await sql<Row>`
    select id, mailbox_id as "mailboxId", state, sent_message_id as "messageId" from deliveries`.execute(world.owner);
  const problems: string[] = [];
  const overdueOf = await countOverdue(world);
  const setOf = new Map(world.senders.map(({ mailboxId, set }) => [mailboxId, set]));
  const share = fed / world.senders.length;

  const accounts = [...new Set(world.senders.map(({ set }) => set))].map((set): Account => {
    const mine = rows.filter(({ mailboxId }) => setOf.get(mailboxId) === set);
    const timesOf = ({ id }: Row) => tally[id]?.times ?? 0;
    const count = (fits: (row: Row) => boolean) => mine.filter(fits).length;
    const expected = Math.round(share * world.senders.filter((sender) => sender.set === set).length);
    const overdue = overdueOf.get(set) ?? 0;
    return {
      set,
      fed: expected,
      accepted: count((row) => timesOf(row) > 0),
      lost: count((row) => row.state === 'sent' && timesOf(row) === 0) + Math.max(0, expected - mine.length),
      duplicated: mine.reduce((sum, row) => sum + Math.max(0, timesOf(row) - 1), 0),
      unconfirmed: count(({ state }) => state === 'unconfirmed'),
      stuck: count(({ state }) => !['sent', 'failed', 'unconfirmed'].includes(state)),
      failed: count(({ state }) => state === 'failed'),
      denied: count((row) => ['failed', 'cancelled'].includes(row.state) && timesOf(row) > 0),
      refused: struck.refused.get(set) ?? 0,
      overdue: overdue + (forgotten.get(set) ?? 0),
      mayBeAsked: asksNobody(set) ? 0 : (struck.spoilt.get(set) ?? 0) + overdue,
    };
  });

  for (const account of accounts) problems.push(...problemsOf(account));
  const times = accounts.reduce((sum, each) => sum + each.accepted + each.duplicated, 0);
  if (times !== acceptedInAll)
    problems.push(`Google accepted ${acceptedInAll} messages, and ${times} of them are ours`);
  const messageIds = new Map(accepted.map(({ deliveryId, messageId }) => [deliveryId, messageId]));
  const misread = rows.filter(({ id, messageId }) => messageId !== null && messageIds.get(id) !== messageId).length;
  if (misread > 0) problems.push(`${misread} proofs name another message than Google's`);
  const suspects = rows.filter(({ id, state }) => {
    const accepted = tally[id]?.times ?? 0;
    if (state === 'sent') return accepted !== 1;
    return accepted > 1 || (state !== 'unconfirmed' && (state !== 'failed' || accepted > 0));
  });
  return { accounts, problems, suspects: suspects.map(({ id }) => id) };
}

/** With tracking the product looks for itself: nobody is asked. */
function asksNobody(set: SetName): boolean {
  return sets[set].some((capability) => capability === 'tracking');
}

function problemsOf(account: Account): string[] {
  const { set, fed, accepted, lost, duplicated, unconfirmed, stuck, failed, denied, mayBeAsked, refused, overdue } =
    account;
  const problems: string[] = [];
  const never = (count: number, what: string) => {
    if (count > 0) problems.push(`${set}: ${count} ${what}`);
  };
  never(lost, 'lost');
  never(duplicated, 'duplicated');
  never(stuck, 'stuck');
  never(denied, 'said not to be sent, though Google accepted them');
  never(unconfirmed - mayBeAsked, `more unconfirmed than the ${mayBeAsked} whose answer could not be known`);
  // A refusal in answer to a worker that was killed meanwhile, or was late, is one that nobody heard.
  if (failed > refused || failed < refused - overdue)
    problems.push(`${set}: ${failed} failed, though Google refused ${refused} for good`);
  // Every one is accounted for: Google has it, or refused it, or a person is asked about it, or it never was accepted.
  if (accepted + failed > fed) problems.push(`${set}: ${accepted} accepted and ${failed} refused are more than ${fed}`);
  if (fed - accepted > failed + unconfirmed + stuck + lost)
    problems.push(`${set}: ${fed - accepted} never reached Google, and only ${failed + unconfirmed} are accounted for`);
  return problems;
}
