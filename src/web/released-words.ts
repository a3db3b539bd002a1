import {
  addProspects,
  type Foretelling,
  type Later,
  nothingLeaves,
  type Prospect,
  prospectOf,
  type Stays,
} from '../deliveries/prospect.ts';
import type { HeldReason } from '../deliveries/state.ts';
import type { ByTime } from '../deliveries/why-it-waits.ts';
import { releaseAllowed, type WithdrawnOf } from '../deliveries/withdrawn.ts';
import type { Database } from '../platform/database.ts';
import { emailCount, heldWords, number, standstillWords, timeWords } from './run-words.ts';
import type { Viewer } from './viewer.ts';
import { moment } from './words.ts';

/** Who reads it, and when. */
export interface ReleaseReader {
  readonly viewer: Pick<Viewer, 'locale' | 'tenant'>;
  readonly now: Date;
}

/** What really became of released emails: a tone, and sentences; empty where there were none. */
export interface ReleasedWords {
  readonly tone: 'ok' | 'wait';
  readonly text: string;
}

/**
 * What really became of emails that a button let go: how many leave now, how many later, and what still holds the others.
 * Every button that lets emails go reports by these words, see `prospectOf`.
 *
 * @param single says `it` of the one email that everything is about
 */
export function releasedWords(
  { leaving, takesMs, later, stays }: Prospect,
  reader: ReleaseReader,
  { single = false }: { readonly single?: boolean } = {},
): ReleasedWords {
  const { locale } = reader.viewer;
  let told = false;
  /** `3 emails`, and after that `2`. */
  const some = (count: number): string => {
    if (single) return 'It';
    const words = told ? number(count, locale) : emailCount(count, locale);
    told = true;
    return words;
  };
  const words: string[] = [];
  const slow = takesMs >= 45_000;
  if (leaving === 1 && slow) words.push(`${some(1)} leaves in ${timeWords(takesMs)}: others go first.`);
  else if (leaving > 0) {
    const who = single ? '1 email' : some(leaving);
    const pace = slow ? `, one after the other; the last leaves in ${timeWords(takesMs)}` : '';
    words.push(`${who} ${leaving === 1 ? 'is' : 'are'} going out now${pace}.`);
  }
  for (const each of later) {
    const verb = each.count === 1 ? 'leaves' : 'leave';
    const first = each.count === 1 ? '' : 'from ';
    const at = moment(each.until, reader.viewer.tenant.timeZone, reader.now, locale);
    words.push(`${some(each.count)} ${verb} ${first}${at}: ${small(laterReason(each))}`);
  }
  for (const each of stays)
    words.push(`${some(each.count)} still ${each.count === 1 ? 'waits' : 'wait'}: ${stayReason(each)}`);
  const waits = later.length + stays.length > 0 || (leaving === 1 && slow);
  return { tone: waits ? 'wait' : 'ok', text: words.join(' ') };
}

/**
 * The same of what a request has just let go.
 *
 * @param trx the transaction that lets them go: with its commit workers take them, and a look after that would tell what
 *   those had come to by then
 */
export async function tellReleased(
  trx: Database,
  ctx: Foretelling,
  viewer: Viewer,
  deliveryIds: readonly string[],
): Promise<ReleasedWords> {
  const prospect = await prospectOf(trx, ctx, viewer.tenantId, deliveryIds);
  return releasedWords(prospect, { viewer, now: ctx.clock() });
}

/** Lets go of what was held because somebody was not allowed to send it, and now is; the same of that. */
export async function releaseAllowedAndTell(
  ctx: Foretelling & { readonly db: Database },
  viewer: Viewer,
  of: WithdrawnOf,
): Promise<ReleasedWords> {
  const { tenantId } = viewer;
  let prospect = nothingLeaves;
  await releaseAllowed(ctx, tenantId, of, async (trx, released) => {
    prospect = addProspects(prospect, await prospectOf(trx, ctx, tenantId, released));
  });
  return releasedWords(prospect, { viewer, now: ctx.clock() });
}

/** Why something leaves later: a sentence. */
export function laterWords({ why }: Pick<ByTime, 'why'>): string {
  switch (why) {
    case 'hours':
    case 'outside_hours':
      return 'It waits for your sending hours.';
    case 'retry':
      return 'Gmail did not take it just now. It is tried again.';
    case 'scheduled':
      return 'That time was chosen for it.';
    case 'undo':
      return 'Until then it can be undone.';
    case 'rate':
    case 'trouble':
    case 'budget':
    case 'sending_limit':
      return `${standstillWords({ reason: why, everybody: false })}.`;
    default:
      return `${heldWords(why, null, true).text}.`;
  }
}

/** The same of any number. */
function laterReason({ why, count }: Later): string {
  const they = count === 1 ? 'it' : 'they';
  switch (why) {
    case 'hours':
    case 'outside_hours':
      return `${they} ${count === 1 ? 'waits' : 'wait'} for your sending hours.`;
    case 'retry':
      return `Gmail did not take ${count === 1 ? 'it' : 'them'} just now.`;
    case 'undo':
      return `until then ${they} can be undone.`;
    case 'rate':
    case 'trouble':
    case 'budget':
    case 'sending_limit':
      return `${standstillWords({ reason: why, everybody: false })}.`;
    default:
      return `${heldWords(why).text}.`;
  }
}

function stayReason({ why, words, count }: Stays): string {
  if (words !== null) return words;
  const own = count === 1 ? 'its run' : 'their run';
  if (why === 'run_paused') return `${own} is paused.`;
  if (why === 'run_cancelled') return `${own} was cancelled, so ${count === 1 ? 'it does' : 'they do'} not leave.`;
  if (why === 'free')
    return `what ${count === 1 ? 'it' : 'they'} waited for is over; somebody has to send ${count === 1 ? 'it' : 'them'}.`;
  if (why === 'record_over')
    return count === 1
      ? 'its record was cancelled, so it does not leave.'
      : 'their records were cancelled, so they do not leave.';
  return `${small(heldWords(why satisfies HeldReason).text)}.`;
}

/** Within a sentence. */
export function small(sentence: string): string {
  return /^(Gmail|Google)/.test(sentence) ? sentence : sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
