import { type HeldUp, heldUpBy } from '../deliveries/held-up.ts';
import type { Database } from '../platform/database.ts';
import type { WebContext } from './context.ts';
import { emailCount, standstillWords } from './run-words.ts';
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
  const { locale, tenant } = viewer;
  return held.map((each) => heldUpWords(each, (date) => atMoment(date, tenant.timeZone, now, locale), locale));
}

/** `at` says a moment within a sentence: `at 20:03`, `on 1 Dec 20:03`. */
export function heldUpWords(
  { mailboxEmail, count, until, why, everybody }: HeldUp,
  at: (date: Date) => string,
  locale: string,
): string {
  const emails = emailCount(count, locale);
  const wait = `${emails} from ${mailboxEmail} ${count === 1 ? 'waits' : 'wait'}`;
  if (why === 'google') return `Google does not let Letterhead in. ${wait}; it is tried again ${at(until)}.`;
  if (why === 'retry')
    return `Gmail did not take ${emails} from ${mailboxEmail} just now. ${count === 1 ? 'It is' : 'They are'} tried again ${at(until)}.`;
  const goes = count === 1 ? 'It goes on' : 'They go on';
  return `${standstillWords({ reason: why, everybody })}. ${wait}. ${goes} by ${count === 1 ? 'itself' : 'themselves'} ${at(until)}.`;
}
