import { type CapRoom, capRoom } from '../deliveries/recipient-cap.ts';
import type { Database } from '../platform/database.ts';
import type { WebContext } from './context.ts';
import { number } from './run-words.ts';
import type { Viewer } from './viewer.ts';
import { atMoment } from './words.ts';

/** What the operator’s cap says of emails that somebody is about to send; null where it lets them go. */
export interface CapNotice {
  /** Without a stop: `Not today`. */
  readonly title: string;
  readonly words: string;
  /** It lets fewer go, or none. */
  readonly fewer: boolean;
}

/**
 * Says before anybody presses Send that the company would have more recipients than the operator allows it, and from when
 * on it may have them.
 *
 * @param wanted how many recipients the emails have together
 */
export async function capNotice(
  trx: Database,
  { clock, recipientsPerDay }: Pick<WebContext, 'clock' | 'recipientsPerDay'>,
  viewer: Pick<Viewer, 'tenantId' | 'locale' | 'tenant'>,
  wanted: number,
): Promise<CapNotice | null> {
  const now = clock();
  const room = await capRoom(trx, viewer.tenantId, recipientsPerDay, wanted, now);
  return room && capWords(room, wanted, { viewer, now });
}

/** The same of what is known. Pure. */
export function capWords(
  { perDay, left, from }: CapRoom,
  wanted: number,
  { viewer, now }: { readonly viewer: Pick<Viewer, 'locale' | 'tenant'>; readonly now: Date },
): CapNotice | null {
  if (wanted <= left) return null;
  const count = (some: number) => number(some, viewer.locale);
  const allowed = `Your company may write to ${count(perDay)} recipients in 24 hours`;
  if (from === null)
    return {
      title: 'Too many at once',
      words: `${allowed}, and these are ${count(wanted)}. Send them in parts.`,
      fewer: left > 0,
    };
  const at = atMoment(from, viewer.tenant.timeZone, now, viewer.locale);
  if (left === 0 && wanted === 1)
    return { title: 'Not today', words: `${allowed}, and has. You can send again ${at}.`, fewer: false };
  const has = left === 0 ? 'has' : `${count(left)} ${left === 1 ? 'is' : 'are'} left`;
  const these = wanted === 1 ? 'one more' : `these ${count(wanted)}`;
  const fewer = left === 0 ? '' : ', or send fewer now';
  return {
    title: 'Not all today',
    words: `${allowed}, and ${has}. You can send ${these} ${at}${fewer}.`,
    fewer: left > 0,
  };
}
