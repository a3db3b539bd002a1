import { z } from 'zod';
import { type FaultEffect, faultEffect, seededRandom } from './fault-effects.ts';

export type { FaultEffect } from './fault-effects.ts';

/**
 * One rule: what happens to calls of `method` (`*`: any) by `account` (left out: anybody). The first `skip` matching
 * calls pass unharmed; then every `every`-th call, and of these the given `share`, is struck, at most `times` times and
 * for `forMs` of the server's clock. Without `times` a rule strikes once, or, with `share`, `every` or `forMs`, for ever.
 */
const faultRule = z.object({
  method: z.string().min(1),
  account: z.string().optional(),
  times: z.number().int().min(1).optional(),
  skip: z.number().int().min(0).default(0),
  every: z.number().int().min(1).optional(),
  share: z.number().gt(0).max(1).optional(),
  /** Of the share and of a latency: the same seed strikes the same calls. */
  seed: z.number().int().default(1),
  forMs: z.number().int().min(1).optional(),
  effect: faultEffect,
});

export type FaultRule = z.input<typeof faultRule>;

/** A rule at work: how often it has fired, and how many calls it still waits for. */
export interface Fault {
  readonly id: number;
  readonly method: string;
  readonly account: string | null;
  readonly effect: FaultEffect;
  /** Infinity (in JSON: null) when only time or {@link Faults.clear} ends it. */
  readonly times: number;
  readonly every: number;
  readonly share: number;
  /** Unix milliseconds of the server's clock; null: no end in time. */
  readonly until: number | null;
  skip: number;
  /** Matching calls since the skipped ones. */
  seen: number;
  fired: number;
}

/** What befalls a call. */
export interface Strike {
  readonly effect: FaultEffect;
  /** Draws its latency. */
  readonly random: () => number;
  /** Aborted when the rule is taken away. */
  readonly taken: AbortSignal;
}

interface Rule extends Pick<Strike, 'random'> {
  readonly fault: Fault;
  readonly taken: AbortController;
}

/** The faults of one Local Google. Rules are tried in the order in which they were added; the first that fits fires. */
export class Faults {
  #rules: Rule[] = [];
  #lastId = 0;
  #fired: Record<string, number> = {};
  #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Adds a rule. Throws a ZodError when it makes no sense. The answer keeps counting `fired`. */
  add(rule: FaultRule): Fault {
    const { method, account, times, skip, every, share, seed, forMs, effect } = faultRule.parse(rule);
    const lasting = share !== undefined || every !== undefined || forMs !== undefined;
    this.#lastId += 1;
    const fault: Fault = {
      ...{ id: this.#lastId, method, account: account?.toLowerCase() ?? null, effect },
      ...{ times: times ?? (lasting ? Infinity : 1), every: every ?? 1, share: share ?? 1 },
      ...{ until: forMs === undefined ? null : this.#now() + forMs, skip, seen: 0, fired: 0 },
    };
    this.#rules.push({ fault, random: seededRandom(seed), taken: new AbortController() });
    return fault;
  }

  /** Every rule since the last {@link clear}, the spent ones too. */
  list(): readonly Fault[] {
    return this.#rules.map(({ fault }) => fault);
  }

  /** Rules that may still strike. */
  waiting(): readonly Fault[] {
    return this.list().filter((fault) => !this.#isSpent(fault));
  }

  /** Fired faults by kind since the start, those of cleared rules too. */
  fired(): Readonly<Record<string, number>> {
    return this.#fired;
  }

  /** Takes all rules away. A call that a slow one holds up goes on at once. */
  clear(): void {
    for (const { fault } of this.#rules) this.remove(fault.id);
  }

  /** Takes one rule away. A call that it holds up, where it is a slow one, goes on at once. */
  remove(id: number): void {
    for (const { fault, taken } of this.#rules) if (fault.id === id) taken.abort();
    this.#rules = this.#rules.filter(({ fault }) => fault.id !== id);
  }

  /** The fault that befalls this call, counted as fired; undefined when it goes well. */
  strike(method: string, account: string | null): Strike | undefined {
    const rule = this.#rules.find(
      ({ fault }) =>
        !this.#isSpent(fault) &&
        (fault.method === '*' || fault.method === method) &&
        (fault.account === null || fault.account === account),
    );
    if (!rule) return undefined;
    const { fault, random, taken } = rule;
    if (fault.skip > 0) {
      fault.skip -= 1;
      return undefined;
    }
    fault.seen += 1;
    if (fault.seen % fault.every !== 0 || (fault.share < 1 && random() >= fault.share)) return undefined;
    fault.fired += 1;
    this.#fired[fault.effect.kind] = (this.#fired[fault.effect.kind] ?? 0) + 1;
    return { effect: fault.effect, random, taken: taken.signal };
  }

  #isSpent(fault: Fault): boolean {
    return fault.fired >= fault.times || (fault.until !== null && this.#now() >= fault.until);
  }
}
