import type { Accepted } from './persist.ts';

export type { Accepted } from './persist.ts';

/**
 * How one method was called: how often, and what each call was answered (`dropped`: no answer at all; `unheard`: the
 * caller had gone before the answer was there).
 */
export interface MethodCount {
  calls: number;
  answers: Record<string, number>;
}

/** What Google accepted under one delivery header or subject: more than one time is a duplicate, none is a loss. */
export interface Tally {
  times: number;
  /** The places of these messages among all that were accepted, the first being 1. */
  orders: number[];
  /** The SENT copies. */
  ids: string[];
}

/** Which accepted messages are meant; what is left out does not matter. */
export interface AcceptedFilter {
  deliveryId?: string;
  subject?: string;
  account?: string;
  /** Only messages accepted later than the one in this place. */
  after?: number;
}

/**
 * What really happened, for tests that must know: every message that Google accepted, in order, and every call per
 * method. Accepted messages survive a restart with the mail itself; the counters start again.
 */
export class Truth {
  #accepted: Accepted[] = [];
  #methods = new Map<string, MethodCount>();
  #ofAccounts = new Map<string, number>();

  /** Accepted messages in the order in which they were accepted. */
  accepted(): readonly Accepted[] {
    return this.#accepted;
  }

  /** The accepted messages that fit, in their order. */
  matching({ deliveryId, subject, account, after = 0 }: AcceptedFilter): Accepted[] {
    return this.#accepted.filter(
      (message) =>
        message.order > after &&
        (deliveryId === undefined || message.deliveryId === deliveryId) &&
        (subject === undefined || message.subject === subject) &&
        (account === undefined || message.account === account.toLowerCase()),
    );
  }

  /** How often each delivery (by its X- header) or each subject was accepted. Messages without the header are left out. */
  tally(by: 'deliveryId' | 'subject'): Record<string, Tally> {
    const tallies = new Map<string, Tally>();
    for (const message of this.#accepted) {
      const name = message[by];
      if (name === null) continue;
      const tally = tallies.get(name) ?? { times: 0, orders: [], ids: [] };
      tally.times += 1;
      tally.orders.push(message.order);
      tally.ids.push(message.id);
      tallies.set(name, tally);
    }
    return Object.fromEntries(tallies);
  }

  accept(message: Omit<Accepted, 'order'>): Accepted {
    const record = { ...message, order: this.#accepted.length + 1 };
    this.#accepted.push(record);
    return record;
  }

  restore(message: Accepted): void {
    this.#accepted.push(message);
  }

  /**
   * Calls of one method since the start (or since {@link resetCalls}), by name: `messages.send`, `token`, …
   *
   * @param account only calls on behalf of this account
   */
  calls(method: string, account?: string): number {
    if (account !== undefined) return this.#ofAccounts.get(accountKey(method, account)) ?? 0;
    return this.#methods.get(method)?.calls ?? 0;
  }

  /** Every method that was called. */
  methods(): Record<string, MethodCount> {
    return Object.fromEntries(this.#methods);
  }

  resetCalls(): void {
    this.#methods.clear();
    this.#ofAccounts.clear();
  }

  called(method: string): MethodCount {
    const count = this.#methods.get(method) ?? { calls: 0, answers: {} };
    count.calls += 1;
    this.#methods.set(method, count);
    return count;
  }

  /** Whose call that was, once it is known. */
  calledFor(method: string, account: string): void {
    const key = accountKey(method, account);
    this.#ofAccounts.set(key, (this.#ofAccounts.get(key) ?? 0) + 1);
  }
}

function accountKey(method: string, account: string): string {
  return `${method} ${account.toLowerCase()}`;
}
