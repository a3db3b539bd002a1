import { formatNumber } from '../documents/format.ts';
import { operatorWords } from '../google/operator-trouble.ts';
import { recentTroubles, type Trouble } from '../mailboxes/operator-troubles.ts';
import type { Config } from '../platform/config.ts';
import { countStuck, type FailingJob, findFailingJobs } from '../tenants/system-jobs.ts';
import { withDatabases } from './with-databases.ts';

const days = 30;

/** What fails less often than this may be an accident. */
const failuresToTell = 3;
const mostJobs = 20;

/**
 * `troubles`: what only the operator can end, now and in the last 30 days: what ails the registration with Google, and
 * work that fails again and again. Works beside a running Letterhead, and without one. Exits with 1 while a trouble
 * lasts, so that a monitor can ask.
 */
export async function runTroubles(config: Config): Promise<void> {
  const since = new Date(Date.now() - days * 86_400_000);
  const { troubles, jobs, stuck } = await withDatabases(config, async ({ system }) => ({
    troubles: await recentTroubles(system, since),
    jobs: await findFailingJobs(system, failuresToTell, mostJobs),
    stuck: await countStuck(system),
  }));
  console.log([describeTroubles(troubles), ...describeWork(jobs, stuck)].join('\n'));
  if (troubles.some(({ endedAt }) => endedAt === null) || jobs.length + stuck.count > 0) process.exitCode = 1;
}

/** The same of Letterhead's own work. */
function describeWork(jobs: readonly FailingJob[], stuck: Awaited<ReturnType<typeof countStuck>>): string[] {
  if (jobs.length + stuck.count === 0) return ['Its own work goes on: nothing fails again and again.'];
  const lines: string[] = [];
  if (stuck.since) {
    const what = stuck.count === 1 ? '1 delivery is' : `${formatNumber(String(stuck.count), 'en-GB')} deliveries are`;
    lines.push(
      '',
      `NOW  ${what} held because working on it failed again and again, since ${stuck.since.toISOString()}.`,
    );
    lines.push(
      '     What to do: look in the log of “work” for “a delivery is stuck”. Once the cause is mended, “Send now” in',
    );
    lines.push('     the company’s Activity → Needs you lets it go. It was not sent.');
  }
  if (jobs.length > 0)
    lines.push('', `NOW  Jobs that fail each time${jobs.length === mostJobs ? ', the worst of them' : ''}:`);
  for (const { queue, deliveryId, failures, error, since } of jobs)
    lines.push(
      `     ${queue}, delivery ${deliveryId}: ${failures} times since ${since.toISOString()} (${error ?? 'its worker died'})`,
    );
  return lines;
}

/** The list as text, for a terminal. */
function describeTroubles(troubles: readonly Trouble[]): string {
  const lasting = troubles.filter(({ endedAt }) => endedAt === null);
  const over = troubles.filter(({ endedAt }) => endedAt !== null);
  const lines: string[] = [];
  if (lasting.length === 0) lines.push('Google takes this installation’s requests: no trouble now.');
  for (const trouble of lasting) {
    const { what, fix } = operatorWords[trouble.kind];
    lines.push(`NOW  ${what}`, ...details(trouble), `     What to do: ${fix}`, '');
  }
  if (over.length > 0) lines.push(`Over, within the last ${days} days:`);
  for (const trouble of over) lines.push(`     ${operatorWords[trouble.kind].what}`, ...details(trouble));
  return lines.join('\n').trimEnd();
}

function details({ kind, clientId, googleSaid, times, beganAt, lastAt, endedAt }: Trouble): string[] {
  const until = endedAt ? `until ${endedAt.toISOString()}` : `last seen ${lastAt.toISOString()}`;
  return [
    `     ${kind}, client ${clientId}: since ${beganAt.toISOString()}, ${until}, ${times === 1 ? 'once' : `${times} times`}`,
    `     Google said: ${googleSaid}`,
  ];
}
