import type { Accepted } from './persist.ts';

export type { Accepted } from './persist.ts';

/** How one method was called: how often, and what each call was answered (`dropped`: no answer at all). */
export interface MethodCount {
  calls: number;
  answers: Record<string, number>;
}

/**
 * What really happened, for tests that must know: every message that Google accepted, in order, and every call per
 * method. Accepted messages survive a restart with the mail itself; the counters start again.
 */
export class Truth {
  #accepted: Accepted[] = [];
  #methods = new Map<string, MethodCount>();

  /** Accepted messages in the order in which they were accepted. */
  accepted(): readonly Accepted[] {
    return this.#accepted;
  }

  accept(message: Omit<Accepted, 'order'>): Accepted {
    const record = { ...message, order: this.#accepted.length + 1 };
    this.#accepted.push(record);
    return record;
  }

  restore(message: Accepted): void {
    this.#accepted.push(message);
  }

  /** Calls of one method since the start (or since {@link resetCalls}), by name: `messages.send`, `token`, … */
  calls(method: string): number {
    return this.#methods.get(method)?.calls ?? 0;
  }

  /** Every method that was called. */
  methods(): Record<string, MethodCount> {
    return Object.fromEntries(this.#methods);
  }

  resetCalls(): void {
    this.#methods.clear();
  }

  called(method: string): MethodCount {
    const count = this.#methods.get(method) ?? { calls: 0, answers: {} };
    count.calls += 1;
    this.#methods.set(method, count);
    return count;
  }
}
