import { type HeldUp, heldUpBy } from '../deliveries/held-up.ts';
import type { Database } from '../platform/database.ts';
import type { WebContext } from './context.ts';
import { standstillWords } from './run-words.ts';
import { onlookerOf, type Viewer } from './viewer.ts';
import { atMoment } from './words.ts';

/** What Gmail's trouble holds up, a sentence for each mailbox: for Home, Activity and the email settings. */
export async function heldUpNotices(
  trx: Database,
  { clock }: Pick<WebContext, 'clock'>,
  viewer: Viewer,
): Promise<string[]> {
  const now = clock();
  const held = await heldUpBy(trx, viewer.tenantId, onlookerOf(viewer), now);
  return held.map((each) => heldUpWords(each, (date) => atMoment(date, viewer.tenant.timeZone, now, viewer.locale)));
}

/** `at` says a moment within a sentence: `at 20:03`, `on 1 Dec 20:03`. */
export function heldUpWords(
  { mailboxEmail, count, until, why, everybody }: HeldUp,
  at: (date: Date) => string,
): string {
  const emails = count === 1 ? '1 email' : `${count} emails`;
  const wait = `${emails} from ${mailboxEmail} ${count === 1 ? 'waits' : 'wait'}`;
  if (why === 'google') return `Google does not let Letterhead in. ${wait}; it is tried again ${at(until)}.`;
  const goes = count === 1 ? 'It goes on' : 'They go on';
  return `${standstillWords({ reason: why, everybody })}. ${wait}. ${goes} by ${count === 1 ? 'itself' : 'themselves'} ${at(until)}.`;
}
