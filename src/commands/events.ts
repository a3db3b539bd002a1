import type { Config } from '../platform/config.ts';
import { recentEvents } from '../tenants/system-events.ts';
import { withDatabases } from './with-databases.ts';

/** The table is kept for half a year; a terminal shows so many. */
const most = 50;

/** `events`: the last security events from Google and what came of them. Works beside a running Letterhead. */
export async function runEvents(config: Config): Promise<void> {
  const events = await withDatabases(config, ({ system }) => recentEvents(system, most));
  if (events.length === 0) {
    console.log('Google has sent no security events yet. docs/operating.md says how to have it send them.');
    return;
  }
  console.log(events.map(describe).join('\n'));
}

type Event = Awaited<ReturnType<typeof recentEvents>>[number];

function describe(event: Event): string {
  const { type, sub, detail, receivedAt, handledAt } = event;
  const about = [sub && `account ${sub}`, detail && `“${detail}”`].filter(Boolean).join(', ');
  return `${receivedAt.toISOString()}  ${type}${about && ` (${about})`}: ${handledAt ? outcome(event) : 'not dealt with; Google sends it again'}`;
}

function outcome({ grantsEnded, grantsChecked, sessionsEnded }: Event): string {
  const parts = [
    count(grantsEnded, 'mailbox needs', 'mailboxes need', ' reconnecting'),
    count(grantsChecked, 'mailbox was', 'mailboxes were', ' asked about at Google'),
    count(sessionsEnded, 'session', 'sessions', ' ended'),
  ];
  return parts.filter((part) => part !== '').join(', ') || 'noted';
}

function count(number: number, one: string, many: string, rest: string): string {
  return number === 0 ? '' : `${number} ${number === 1 ? one : many}${rest}`;
}
