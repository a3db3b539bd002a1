import { operatorWords } from '../google/operator-trouble.ts';
import { recentTroubles, type Trouble } from '../google/troubles.ts';
import type { Config } from '../platform/config.ts';
import { withDatabases } from './with-databases.ts';

const days = 30;

/**
 * `troubles`: what ails the operator's own registration with Google, now and in the last 30 days. Works beside a running
 * Letterhead, and without one. Exits with 1 while a trouble lasts, so that a monitor can ask.
 */
export async function runTroubles(config: Config): Promise<void> {
  const since = new Date(Date.now() - days * 86_400_000);
  const troubles = await withDatabases(config, ({ system }) => recentTroubles(system, since));
  console.log(describeTroubles(troubles));
  if (troubles.some(({ endedAt }) => endedAt === null)) process.exitCode = 1;
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
