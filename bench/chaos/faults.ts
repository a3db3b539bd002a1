import { type FaultEffect, type FaultRule, seededRandom } from 'local-google';
import { z } from 'zod';
import type { SetName } from './senders.ts';
import { control, type World } from './world.ts';

/** What can go wrong with a call of Gmail's. */
const effects: readonly FaultEffect[] = [
  ...(['accessNotConfigured', 'dailyLimitExceeded', 'insufficientPermissions', 'domainPolicy'] as const).map(
    (reason) => ({ kind: 'forbidden', reason }) as const,
  ),
  ...(['before', 'after'] as const).flatMap((when): FaultEffect[] => [
    { kind: 'drop', when },
    { kind: 'reset', when },
    { kind: 'hang', when },
    ...([500, 502, 503, 504] as const).map((status) => ({ kind: 'serverError', status, when }) as const),
    ...(['cut', 'html'] as const).map((as) => ({ kind: 'malformed', when, as }) as const),
  ]),
  { kind: 'drop', when: 'middle' },
  { kind: 'slow', ms: { min: 100, max: 600 } },
  { kind: 'unauthorized' },
  { kind: 'forbidden', reason: 'rateLimitExceeded' },
  { kind: 'forbidden', reason: 'userRateLimitExceeded' },
  { kind: 'tooMany', limit: 'rate' },
  { kind: 'tooMany', limit: 'sending' },
  { kind: 'tooMany', limit: 'concurrent' },
  { kind: 'tooMany', limit: 'rateLimitExceeded' },
  { kind: 'mailNotEnabled' },
  { kind: 'invalidTo' },
  { kind: 'notFound' },
];

/** The methods that bring the email on its way, by set: each of them meets everything. */
const sending: Record<SetName, readonly string[]> = {
  send: ['messages.send'],
  '+tracking': ['messages.send'],
  '+safe_retry': ['drafts.create', 'drafts.send'],
  all: ['drafts.create', 'drafts.send'],
};

/** Methods that are called only where something else went wrong, or afterwards, and what each of them meets. */
const asking: Record<SetName, readonly string[]> = {
  send: [],
  '+tracking': ['messages.list', 'messages.get'],
  '+safe_retry': ['drafts.get', 'drafts.list'],
  all: ['messages.list', 'messages.get', 'drafts.get', 'drafts.list'],
};
const askingEffects: readonly FaultEffect[] = [
  { kind: 'drop', when: 'before' },
  { kind: 'serverError', status: 503, when: 'before' },
  { kind: 'malformed', when: 'after', as: 'cut' },
  { kind: 'malformed', when: 'after', as: 'html' },
  { kind: 'unauthorized' },
];
const renewing: readonly FaultEffect[] = [
  { kind: 'drop', when: 'after' },
  { kind: 'serverError', status: 503, when: 'before' },
  { kind: 'invalidGrant', description: 'Token has been expired or revoked.' },
];

const faultShape = z.object({
  id: z.number(),
  method: z.string(),
  account: z.string().nullable(),
  effect: z.custom<FaultEffect>(),
  times: z.number(),
  every: z.number(),
  seen: z.number(),
  fired: z.number(),
});
type Fault = z.infer<typeof faultShape>;

/**
 * Deals every fault of every set out among the set's mailboxes, so that what befalls one set can be counted for it.
 *
 * @param times how often each is to strike
 * @param every how many calls of a method there are for each that is struck
 */
export async function dealFaults(world: World, seed: number, times: number, every: number): Promise<void> {
  const random = seededRandom(seed);
  const add = (rule: FaultRule) => control(world, 'faults', 'POST', rule);
  const names = new Set(world.senders.map(({ set }) => set));
  for (const name of names) {
    const senders = world.senders.filter(({ set }) => set === name);
    const deal = async (method: string, dealt: readonly FaultEffect[], often: { times: number; every: number }) => {
      for (const [index, effect] of shuffle(dealt, random).entries())
        await add({ method, account: senders[index % senders.length]?.email, effect: timed(effect, world), ...often });
    };
    for (const method of sending[name]) await deal(method, effects, { times, every });
    await deal('token', renewing, { times: 1, every: 1 });
  }
  // Which mailbox looks for what depends on what befell it, so these strike anybody.
  const often = { times: Math.ceil(times / 4), every: 2 };
  for (const method of new Set([...names].flatMap((name) => asking[name])))
    for (const effect of shuffle(askingEffects, random)) await add({ method, effect, ...often });
}

/** The day's limit names its end: a few minutes from now, so that what waits for it is seen to go on. */
function timed(effect: FaultEffect, { context }: World): FaultEffect {
  if (effect.kind !== 'tooMany' || effect.limit !== 'sending') return effect;
  return { ...effect, retryAt: new Date(context.clock().getTime() + 240_000).toISOString() };
}

function shuffle<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((each) => ({ each, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ each }) => each);
}

/** A fault that did not strike as often as it was to. */
export interface Never {
  readonly words: string;
  /** Whose mailbox it waited for; null for anybody's. */
  readonly set: SetName | null;
  /** So many more calls it would have taken; none where there were enough. */
  readonly callsMissing: number;
}

/** What struck, in the end. */
export interface Struck {
  readonly all: number;
  /** Those that did not, or not as often as they were to. */
  readonly never: readonly Never[];
  /** By set: answers to a send that were lost or spoilt at once, though Google had the request. One that hangs has its deadline. */
  readonly spoilt: ReadonlyMap<SetName, number>;
  /** By set: emails that Gmail refused for good. */
  readonly refused: ReadonlyMap<SetName, number>;
}

/** Reads from Local Google which faults struck. */
export async function readStruck(world: World): Promise<Struck> {
  const faults = z.object({ faults: z.array(faultShape) }).parse(await control(world, 'faults')).faults;
  const setOf = new Map(world.senders.map(({ email, set }) => [email, set]));
  const count = (which: (fault: Fault) => boolean) => {
    const counts = new Map<SetName, number>();
    for (const fault of faults) {
      const set = setOf.get(fault.account ?? '');
      if (set && which(fault)) counts.set(set, (counts.get(set) ?? 0) + fault.fired);
    }
    return counts;
  };
  return {
    all: faults.reduce((sum, { fired }) => sum + fired, 0),
    never: faults
      .filter(({ fired, times }) => fired < times)
      .map(({ method, account, effect, fired, times, every, seen }) => ({
        words: `${method} of ${account}: ${JSON.stringify(effect)} ${fired}/${times}`,
        set: setOf.get(account ?? '') ?? null,
        callsMissing: Math.max(0, times * every - seen),
      })),
    spoilt: count(({ method, effect }) => isSend(method) && spoilsTheAnswer(effect)),
    refused: count(({ method, effect }) => refusesForGood(method, effect)),
  };
}

function isSend(method: string): boolean {
  return method === 'messages.send' || method === 'drafts.send';
}

function spoilsTheAnswer({ kind }: FaultEffect): boolean {
  return ['drop', 'reset', 'serverError', 'malformed'].includes(kind);
}

/** `notFound` of a draft's send is no refusal: it says that the draft is gone, and it is looked for. */
function refusesForGood(method: string, { kind }: FaultEffect): boolean {
  if (kind === 'invalidTo') return isSend(method) || method === 'drafts.create';
  return kind === 'notFound' && (method === 'messages.send' || method === 'drafts.create');
}
