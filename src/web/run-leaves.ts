import type { Budget } from '../deliveries/budget.ts';
import type { SenderResolution } from '../mailboxes/sender.ts';
import { number, standstillWords, timeWords } from './run-words.ts';

/** When the emails of a run leave that somebody is about to start. */
export interface Leaves {
  /** In a few words: `Now.` */
  readonly when: string;
  /** Why not before, and what can be done until then. */
  readonly more: string;
}

/** What decides it. */
export interface LeavesFacts {
  /** The time that somebody chose, in words; null for now. */
  readonly chosen: string | null;
  readonly resolution: Extract<SenderResolution, { ok: true }>;
  /** When the sending hours begin, where that is later than now. */
  readonly opening: Date | null;
  /** Undefined where nobody knows of its mailbox. */
  readonly budget: Budget | undefined;
  readonly undoSeconds: number;
}

const untilThen = 'Until then you can cancel it.';

/**
 * Says when a run leaves, by everything that may stand in its way, the longest first: what the run page and a single email
 * say afterwards. Pure.
 *
 * @param at says an instant on the company's clock
 */
export function leavesWords(
  { chosen, resolution, opening, budget, undoSeconds }: LeavesFacts,
  at: (date: Date) => string,
  locale: string,
): Leaves {
  const { trouble, paused, sender } = resolution;
  const waits = trouble ? trouble.until : paused ? 'is resumed' : null;
  if (chosen) {
    const then = waits ? ` Should ${sender.mailboxEmail} not work by then, it waits until it ${waits}.` : '';
    return { when: `On ${chosen}.`, more: `${untilThen}${then}` };
  }
  if (waits)
    return { when: `When ${sender.mailboxEmail} ${waits}.`, more: 'Until then it waits, and you can cancel it.' };
  if (opening) return { when: `When your sending hours begin, ${at(opening)}.`, more: untilThen };
  if (budget?.standsStill) {
    const { until } = budget.standsStill;
    return { when: `From ${at(until)} on.`, more: `${standstillWords(budget.standsStill)}. ${untilThen}` };
  }
  const { soon = 1, later = 0, takesMs = 0 } = budget?.forecast ?? {};
  if (soon === 0 && budget?.laterFrom)
    return { when: `From ${at(budget.laterFrom)} on.`, more: `The emails of this day are used up. ${untilThen}` };
  const undo =
    undoSeconds > 0
      ? `For ${undoSeconds} seconds you can undo it; after that you can stop what has not left.`
      : 'You can stop what has not left.';
  if (later > 0 && budget?.laterFrom) {
    const rest = `${number(later, locale)} leave from ${at(budget.laterFrom)} on: the emails of this day are used up then.`;
    return { when: `${number(soon, locale)} now.`, more: `${rest} ${undo}` };
  }
  const slow = takesMs >= 45_000 ? `One after the other; the last leaves in ${timeWords(takesMs)}. ` : '';
  return { when: 'Now.', more: `${slow}${undo}` };
}
