import { type Ahead, type Budget, budgetOf } from '../deliveries/budget.ts';
import type { DeliveryRecord } from '../deliveries/delivery.ts';
import type { Database } from '../platform/database.ts';
import type { WebContext } from './context.ts';
import { budgetNote, standstillWords, timeWords, usedWords } from './run-words.ts';

/** What a delivery waits for besides itself: its Google account, or those before it. */
export interface Wait {
  /** A sentence instead of “It is about to leave”. */
  readonly sentence: string;
  /** How much of the day is used, where that is why. */
  readonly note: string | null;
}

/**
 * Says why a delivery that could leave does not: its account stands still, its day is used up, or others go first. Null
 * where it is about to leave, or waits for something of its own.
 */
export async function waitOf(
  trx: Database,
  { pace, clock }: Pick<WebContext, 'pace' | 'clock'>,
  tenantId: string,
  delivery: DeliveryRecord,
  writing: WaitWriting,
): Promise<Wait | null> {
  const now = clock();
  const { id, state, heldReason, notBefore, mailboxId, runId } = delivery;
  const limited = state === 'held' && heldReason === 'sending_limit';
  const ready = state === 'queued' && (notBefore === null || notBefore <= now);
  if (!limited && !ready) return null;
  // A single one goes before runs; one of a run after whatever was asked for before it.
  const ahead: Ahead = runId === null ? null : { deliveryId: id };
  const budget = await budgetOf(trx, { pace, now }, tenantId, mailboxId, 1, ahead);
  if (!budget) return null;
  if (limited && notBefore) {
    const { at, locale } = writing;
    const why = standstillWords({ reason: 'sending_limit', everybody: false });
    return { sentence: `${why}. It goes on by itself on ${at(notBefore)}.`, note: dayNote(budget, locale) };
  }
  return ready ? readyWords(budget, runId !== null, writing) : null;
}

/** How moments and numbers are written on the page that says it. */
export interface WaitWriting {
  readonly at: (date: Date) => string;
  readonly locale: string;
}

/** The same before an email is written down: what the next one would wait for. */
export async function waitOfNext(
  trx: Database,
  { pace, clock }: Pick<WebContext, 'pace' | 'clock'>,
  tenantId: string,
  mailboxId: string,
  writing: WaitWriting,
): Promise<Wait | null> {
  const budget = await budgetOf(trx, { pace, now: clock() }, tenantId, mailboxId, 1, null);
  return budget ? readyWords(budget, false, writing) : null;
}

function readyWords(budget: Budget, inLine: boolean, { at, locale }: WaitWriting): Wait | null {
  const { standsStill, forecast } = budget;
  if (standsStill) {
    const day = standsStill.reason === 'budget' || standsStill.reason === 'sending_limit';
    const sentence = `${standstillWords(standsStill)}. It goes on by itself on ${at(standsStill.until)}.`;
    return { sentence, note: day ? dayNote(budget, locale) : null };
  }
  if (!inLine) return null;
  if (forecast.later > 0) {
    const when = forecast.days <= 1 ? 'tomorrow' : `in about ${forecast.days} days`;
    return {
      sentence: `Others go first, and use up the emails of a day: it leaves ${when}.`,
      note: dayNote(budget, locale),
    };
  }
  if (forecast.takesMs < 45_000) return null;
  return { sentence: `Others go first; it leaves in ${timeWords(forecast.takesMs)}.`, note: null };
}

function dayNote({ mailboxEmail, used, limit }: Budget, locale: string): string {
  return `${usedWords(used, limit, locale)}, from here through ${mailboxEmail}. ${budgetNote}`;
}
