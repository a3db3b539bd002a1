import { z } from 'zod';

const when = z.enum(['before', 'after']);

/** What a fault does to a call. `after` means: the work was done, and only the answer goes wrong. */
const faultEffect = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('drop'), when }),
  z.object({ kind: z.literal('hang'), when }),
  z.object({ kind: z.literal('slow'), ms: z.number().int().min(0).max(600_000) }),
  z.object({
    kind: z.literal('serverError'),
    status: z.union([z.literal(500), z.literal(502), z.literal(503), z.literal(504)]),
    when,
  }),
  z.object({ kind: z.literal('unauthorized') }),
  z.object({
    kind: z.literal('forbidden'),
    reason: z.enum([
      'insufficientPermissions',
      'domainPolicy',
      'accessNotConfigured',
      'dailyLimitExceeded',
      'rateLimitExceeded',
      'userRateLimitExceeded',
    ]),
  }),
  z.object({
    kind: z.literal('tooMany'),
    limit: z.enum(['rate', 'sending', 'concurrent', 'rateLimitExceeded']),
    /** ISO time named in the message of `rate` and `sending`; left out, a minute or a day from now. */
    retryAt: z.iso.datetime().optional(),
  }),
  z.object({ kind: z.literal('mailNotEnabled') }),
  z.object({ kind: z.literal('notFound') }),
  z.object({ kind: z.literal('invalidGrant'), description: z.string().default('Token has been expired or revoked.') }),
  z.object({ kind: z.literal('invalidClient') }),
]);

/**
 * One rule: what happens to the next `times` calls of `method` (`*`: any) by `account` (left out: anybody), after the
 * first `skip` matching calls passed unharmed.
 */
const faultRule = z.object({
  method: z.string().min(1),
  account: z.string().optional(),
  times: z.number().int().min(1).default(1),
  skip: z.number().int().min(0).default(0),
  effect: faultEffect,
});

export type FaultEffect = z.output<typeof faultEffect>;
export type FaultRule = z.input<typeof faultRule>;

/** A rule at work: how often it has fired, and how many calls it still waits for. */
export interface Fault {
  readonly id: number;
  readonly method: string;
  readonly account: string | null;
  readonly effect: FaultEffect;
  times: number;
  skip: number;
  fired: number;
}

/** The faults of one Local Google. Rules are tried in the order in which they were added; the first that fits fires. */
export class Faults {
  #rules: Fault[] = [];
  #lastId = 0;

  /** Adds a rule. Throws a ZodError when it makes no sense. The answer keeps counting `fired`. */
  add(rule: FaultRule): Fault {
    const { method, account, times, skip, effect } = faultRule.parse(rule);
    this.#lastId += 1;
    const fault = { id: this.#lastId, method, account: account?.toLowerCase() ?? null, effect, times, skip, fired: 0 };
    this.#rules.push(fault);
    return fault;
  }

  /** Every rule since the last {@link clear}, the spent ones too. */
  list(): readonly Fault[] {
    return this.#rules;
  }

  clear(): void {
    this.#rules = [];
  }

  /** The fault that befalls this call, counted as fired; undefined when it goes well. */
  strike(method: string, account: string | null): Fault | undefined {
    const rule = this.#rules.find(
      (fault) =>
        fault.fired < fault.times &&
        (fault.method === '*' || fault.method === method) &&
        (fault.account === null || fault.account === account),
    );
    if (!rule) return undefined;
    if (rule.skip > 0) {
      rule.skip -= 1;
      return undefined;
    }
    rule.fired += 1;
    return rule;
  }
}
