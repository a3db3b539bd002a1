import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { cpuSeconds, type World } from './world.ts';

/** What a drained queue showed. */
export interface Drained {
  readonly perSecond: number;
  /** CPU milliseconds a message, of the product's own processes with their children, and of PostgreSQL and Google. */
  readonly cpuMs: { readonly product: number; readonly google: number };
  /** Resident memory of the product's processes and their children, at its highest, in MB. */
  readonly peakMb: number;
  /** The same, when all was done. */
  readonly afterMb: number;
}

/** No rate and no limit in flight: what the machine can do, rather than what Google allows. */
export const unpaced = { GMAIL_UNITS_PER_MINUTE: '0', GMAIL_PROJECT_UNITS_PER_MINUTE: '0', GMAIL_IN_FLIGHT: '0' };

/** How to drain. */
export interface DrainOptions {
  /** How many worker processes. Default 1. */
  readonly workers?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Enough when so many were sent; else all. */
  readonly until?: number;
}

/**
 * Starts workers and waits until nothing waits any more. Timed from the first message that was sent to the last, so that
 * starting a process is not part of it.
 *
 * @throws when deliveries fail, or nothing moves for half a minute
 */
export async function drain(world: World, { workers = 1, env = {}, until }: DrainOptions = {}): Promise<Drained> {
  const started = await Promise.all(Array.from({ length: workers }, () => world.start('work', { ...unpaced, ...env })));
  const pids = started.map(({ pid }) => pid);
  const before = { product: treeCpu(pids), google: cpuSeconds([world.googlePid]) };
  let peakMb = 0;
  let last = { done: -1, at: performance.now() };
  while (true) {
    peakMb = Math.max(peakMb, treeMb(pids));
    const { waiting, sent: done, failed } = await count(world, until !== undefined);
    if (failed > 0) throw new Error(`${failed} deliveries failed.`);
    if (waiting === 0 || (until !== undefined && done >= until)) break;
    if (done !== last.done) last = { done, at: performance.now() };
    if (performance.now() - last.at > 30_000)
      throw new Error(`${waiting} deliveries have not moved for half a minute.`);
    await wait(100);
  }
  const { sent, seconds } = await timeSpan(world);
  const cpuMs = {
    product: ((treeCpu(pids) - before.product) * 1_000) / sent,
    google: ((cpuSeconds([world.googlePid]) - before.google) * 1_000) / sent,
  };
  const afterMb = treeMb(pids);
  await Promise.all(started.map((each) => each.stop()));
  return { perSecond: sent / seconds, cpuMs, peakMb, afterMb };
}

/** Counted by the index of what was sent, so that a long backlog does not make the counting a load of its own. */
async function count({ owner }: World, onlySent: boolean) {
  const { rows } = await sql<{ sent: number; failed: number }>`
    select (select count(*)::int from deliveries where sent_at is not null) as sent,
      (select count(*)::int from attempts where outcome in ('refused', 'unknown')) as failed`.execute(owner);
  const [row = { sent: 0, failed: 0 }] = rows;
  if (onlySent) return { ...row, waiting: 1 };
  const waiting = await sql<{ yes: boolean }>`
    select exists (select from deliveries where state in ('queued', 'sending')) as yes`.execute(owner);
  return { ...row, waiting: waiting.rows[0]?.yes ? 1 : 0 };
}

async function timeSpan({ owner }: World): Promise<{ sent: number; seconds: number }> {
  const { rows } = await sql<{ sent: number; seconds: number }>`
    select count(*)::int as sent, extract(epoch from max(sent_at) - (select min(started_at) from attempts))::float8 as seconds
    from deliveries where state = 'sent'`.execute(owner);
  const [row] = rows;
  if (!row || row.sent === 0) throw new Error('Nothing was sent.');
  return row;
}

/** A process and everything below it. */
function tree(pids: readonly number[]): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const all = new Set(pids);
  for (let found = true; found; ) {
    found = false;
    for (const [pid, parent] of parents) {
      if (all.has(parent) && !all.has(pid)) {
        all.add(pid);
        found = true;
      }
    }
  }
  return [...all];
}

/** CPU seconds of processes, with those of their children that live and (as the system adds them up) that ended. */
function treeCpu(pids: readonly number[]): number {
  return tree(pids).reduce((sum, pid) => sum + safely(() => cpuSeconds([pid], true)), 0);
}

/** Resident memory of processes and their children, in MB. */
export function treeMb(pids: readonly number[]): number {
  return tree(pids).reduce((sum, pid) => sum + safely(() => rss(pid)), 0);
}

function rss(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

function safely(read: () => number): number {
  try {
    return read();
  } catch {
    return 0;
  }
}
