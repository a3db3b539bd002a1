import { capabilitiesOf } from '../mailboxes/capabilities.ts';
import { providerOf } from '../platform/account.ts';
import type { Database } from '../platform/database.ts';
import type { MailboxProvider } from '../platform/database-types.ts';
import type { ReadyJob } from '../platform/queue.ts';
import { wake } from '../platform/wake.ts';
import { isAllowed } from '../tenants/sending-hours.ts';
import {
  type AccountState,
  charge,
  countOutcomes,
  countSent,
  markProbe,
  markTrouble,
  noteFull,
  readAccount,
  takeBackLost,
  takePacer,
} from '../tenants/system-queue.ts';
import {
  findWaitingAccounts,
  type Released,
  release,
  type Share,
  type WaitingAccount,
} from '../tenants/system-waiting.ts';
import { limitsOf } from '../transport/transports.ts';
import type { DeliverContext } from './context.ts';
import { wakeDue } from './due.ts';
import {
  allowedNow,
  isFull,
  isOutage,
  payFor,
  priceMs,
  probeAfterMs,
  roomFor,
  unknownsBeforeTrouble,
} from './pacing.ts';
import { holdRestored } from './restored.ts';

const dayMs = 24 * 3_600_000;
/** A delivery that was given a job and lies untouched for so long has lost it. */
const lostAfterMs = 120_000;
/** How often counts over many rows are taken anew. */
const countEveryMs = 5_000;
/** More than other processes can have sent of one account since its messages were counted. */
const nearLimit = 200;

/** What the pacer needs. */
export type PacerContext = Pick<DeliverContext, 'db' | 'system' | 'database' | 'queue' | 'clock' | 'log' | 'pace'>;

/** What a round of the pacer did. */
export interface Round {
  /** How many deliveries were given a job. */
  readonly released: number;
  /** More could go than may be handed out at once: the next round is worth while as soon as some are finished. */
  readonly full: boolean;
}

const idle: Round = { released: 0, full: false };

/** Hands waiting deliveries their jobs, as fast as Google allows, and wakes those whose moment has come. */
export interface Pacer {
  /** One round. */
  tick(): Promise<Round>;
}

/**
 * One round of any number of processes at a time; the others skip theirs. What it knows between rounds is only to spare
 * queries: another process may take over at any moment.
 */
export function createPacer(ctx: PacerContext): Pacer {
  const sent = new SentCounts();
  let countedAt = 0;

  return {
    async tick() {
      if (!(await ctx.database.isKnown())) {
        await holdRestored(ctx);
        return idle;
      }
      await wakeDue(ctx);
      const due = ctx.clock().getTime() - countedAt >= countEveryMs;
      if (due) countedAt = ctx.clock().getTime();
      return ctx.system.transaction().execute(async (trx) => {
        if (!(await takePacer(trx))) return idle;
        if (due) {
          await takeBackLost(trx, new Date(ctx.clock().getTime() - lostAfterMs));
          await noticeOutage(ctx, trx);
        }
        return releaseWaiting(ctx, trx, sent);
      });
    },
  };
}

/** A waiting account with what may leave of it now, and what that costs. */
type Candidate = WaitingAccount & Sources & { readonly costs: Costs };

async function releaseWaiting(ctx: PacerContext, trx: Database, sent: SentCounts): Promise<Round> {
  const now = ctx.clock();
  const found = (await findWaitingAccounts(trx)).filter(({ blockedUntil }) => !blockedUntil || blockedUntil <= now);
  const waiting = found
    .map((account) => ({ ...account, ...sourcesNow(account, now), costs: costsOf(account) }))
    .filter(hasSources);
  const rounds: Round[] = [];
  for (const [provider, accounts] of Map.groupBy(waiting, ({ account }) => providerOf(account)))
    rounds.push(await releaseAt(ctx, trx, sent, provider, accounts));
  return { released: rounds.reduce((sum, { released }) => sum + released, 0), full: rounds.some(({ full }) => full) };
}

/** The same of one provider: its outage stops no other's. */
async function releaseAt(
  ctx: PacerContext,
  trx: Database,
  sent: SentCounts,
  provider: MailboxProvider,
  waiting: readonly Candidate[],
): Promise<Round> {
  const { pace } = ctx;
  const now = ctx.clock();
  const project = await readAccount(trx, provider);
  if (project.blockedUntil && project.blockedUntil > now) return idle;
  let projectPaid = project.paidUntil;
  // While the whole provider is in trouble, one tries whether that is over.
  let probes = project.blockedReason === 'trouble' ? 1 : Number.POSITIVE_INFINITY;
  const limits = waiting.map(({ account, email, dailyLimit, underWay }) => ({
    account,
    room: (dailyLimit ?? limitsOf(providerOf(account)).dailyLimit(email)) - underWay,
  }));
  await sent.refresh(trx, limits, now);

  let full = false;
  const shares: Share[] = [];
  for (const account of fairly(waiting)) {
    const { email, dailyLimit, costs, fullUntil } = account;
    const facts = {
      ...{ ...account, sentToday: sent.of(account.account) },
      dailyLimit: dailyLimit ?? limitsOf(providerOf(account.account)).dailyLimit(email),
    };
    const over = facts.sentToday - facts.dailyLimit;
    if (over >= 0 !== (fullUntil !== null && fullUntil > now))
      await noteFull(trx, { account: account.account, over: over >= 0 ? over : null }, now);
    // Which mailboxes' it will be is not known yet.
    const cost = costs.highest;
    const ofProject = allowedNow(projectPaid, pace.projectUnitsPerMinute, cost, now);
    const count = Math.min(probes, ofProject, roomFor(facts, pace, cost, now));
    full ||= isFull(facts, pace, cost, count);
    if (count <= 0) continue;
    shares.push({ account: account.account, count, tenants: account.open, anyTimeOf: account.anyTimeOf });
    projectPaid = payFor(projectPaid, pace.projectUnitsPerMinute, cost, count, now);
    probes -= count;
    if (probes === 0) break;
  }
  const released = await release(trx, shares, now);
  if (released.length === 0) return { released: 0, full };

  await ctx.queue.add(trx, 'deliver', neighboursTogether(released) satisfies readonly ReadyJob[]);
  sent.add(released);
  await pay(ctx, trx, waiting, project, released, now);
  await wake(trx, 'ready');
  return { released: released.length, full };
}

/** What of an account may leave now, by its tenants' sending hours: a tenant outside them costs nothing more than this. */
interface Sources {
  /** Tenants that send now. */
  readonly open: readonly string[];
  /** Tenants that do not, with something that leaves all the same. */
  readonly anyTimeOf: readonly string[];
  /** Whether somebody waits for one of these, rather than it being one of many. */
  readonly single: boolean;
}

function sourcesNow({ tenants }: WaitingAccount, now: Date): Sources {
  const { open = [], closed = [] } = Object.groupBy(tenants, ({ sending }) =>
    sending.hours === null || isAllowed(now, sending.hours, sending.timeZone) ? 'open' : 'closed',
  );
  const anyTime = closed.filter(({ anyTimeLane }) => anyTimeLane !== null);
  const lanes = [...open.map(({ lane }) => lane), ...anyTime.map(({ anyTimeLane }) => anyTimeLane)];
  return {
    open: open.map(({ tenantId }) => tenantId),
    anyTimeOf: anyTime.map(({ tenantId }) => tenantId),
    single: lanes.includes(0),
  };
}

function hasSources({ open, anyTimeOf }: Sources): boolean {
  return open.length + anyTimeOf.length > 0;
}

/** Those whom somebody waits for, then those who used their rate least: nobody's long run stands before another's. */
function fairly<Account extends WaitingAccount & Sources>(waiting: readonly Account[]): Account[] {
  return [...waiting].sort(
    (a, b) => Number(b.single) - Number(a.single) || a.paidUntil.getTime() - b.paidUntil.getTime(),
  );
}

/** What a delivery of each mailbox of an account costs. */
interface Costs {
  readonly highest: number;
  of(mailboxId: string): number;
}

function costsOf({ account, mailboxes }: WaitingAccount): Costs {
  const { costOf } = limitsOf(providerOf(account));
  const known = new Map(mailboxes.map(({ id, scopes, wanted }) => [id, costOf(capabilitiesOf(scopes, wanted))]));
  // One without a permission asks Google for nothing: it will be held.
  const least = costOf([]);
  return { highest: Math.max(least, ...known.values()), of: (mailboxId) => known.get(mailboxId) ?? least };
}

/**
 * Those of a tenant one after the other: jobs that are added together are fetched about in that order, and what is
 * fetched of one tenant is claimed and settled in one transaction. All of them leave in this moment, so nobody waits
 * longer for it.
 */
function neighboursTogether<Job extends { readonly tenantId: string }>(released: readonly Job[]): Job[] {
  return [...Map.groupBy(released, ({ tenantId }) => tenantId).values()].flat();
}

/** Charges what was released, and names the probes of those who were in trouble. */
async function pay(
  { pace }: PacerContext,
  trx: Database,
  waiting: readonly Candidate[],
  project: AccountState,
  released: readonly Released[],
  now: Date,
): Promise<void> {
  const counts = Map.groupBy(released, ({ account }) => account);
  const states = waiting.filter(({ account }) => counts.has(account));
  const spent = states.map(({ account, costs }) => ({
    account,
    units: (counts.get(account) ?? []).reduce((sum, { mailboxId }) => sum + costs.of(mailboxId), 0),
  }));
  const all = spent.reduce((sum, { units }) => sum + units, 0);
  await charge(
    trx,
    [
      ...spent.map(({ account, units }) => ({ account, ms: priceMs(pace.unitsPerMinute, units) })),
      { account: project.account, ms: priceMs(pace.projectUnitsPerMinute, all) },
    ],
    now,
  );
  const troubled = [...states, project].filter(({ blockedReason }) => blockedReason === 'trouble');
  for (const { account, unknownInARow } of troubled) {
    const probe = account === project.account ? released[0] : counts.get(account)?.[0];
    const next = new Date(now.getTime() + probeAfterMs(unknownInARow));
    if (probe) await markProbe(trx, account, probe.deliveryId, next);
  }
}

/** 20 % of a minute's outcomes unknown, over all accounts of a provider: it is in trouble, and all of them wait for a probe. */
async function noticeOutage(ctx: PacerContext, trx: Database): Promise<void> {
  const now = ctx.clock();
  for (const { provider, ...outcomes } of await countOutcomes(trx, new Date(now.getTime() - 60_000))) {
    if (!isOutage(outcomes)) continue;
    const project = await readAccount(trx, provider);
    if (project.blockedReason === 'trouble') continue;
    ctx.log.error(
      { provider },
      'many answers were lost within a minute: everything waits, and one delivery at a time tries',
    );
    await markTrouble(trx, provider, new Date(now.getTime() + probeAfterMs(unknownsBeforeTrouble)));
  }
}

/** How many messages each account sent in the last 24 hours: counted now and then, and kept up in between. */
class SentCounts {
  readonly #counts = new Map<string, { count: number; at: number }>();

  /**
   * Counts those anew that were not counted lately; and those that are near their day's limit each time, because what
   * another process has released meanwhile is in none of our counts.
   *
   * @param accounts with how many may have been sent in 24 hours
   */
  async refresh(
    trx: Database,
    accounts: readonly { readonly account: string; readonly room: number }[],
    now: Date,
  ): Promise<void> {
    const old = accounts
      .filter(({ account, room }) => {
        const known = this.#counts.get(account);
        return !known || now.getTime() - known.at >= countEveryMs || room - known.count < nearLimit;
      })
      .map(({ account }) => account);
    const counted = await countSent(trx, old, new Date(now.getTime() - dayMs));
    for (const account of old) this.#counts.set(account, { count: counted.get(account) ?? 0, at: now.getTime() });
    if (this.#counts.size > 50_000) this.#counts.clear();
  }

  /** What was released since it was counted may have been sent by now. */
  add(released: readonly { readonly account: string }[]): void {
    for (const { account } of released) {
      const known = this.#counts.get(account);
      if (known) known.count += 1;
    }
  }

  of(account: string): number {
    return this.#counts.get(account)?.count ?? 0;
  }
}
