import type { Logger } from 'pino';
import type { GoogleEar, GoogleService } from '../google/app.ts';
import type { GoogleFailure } from '../google/errors.ts';
import { type OperatorTrouble, operatorTroubleOf, operatorWords } from '../google/operator-trouble.ts';
import { type Clock, every } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { addToTrouble, endTroubles, endTroublesOfOthers, openTroubles } from './operator-troubles.ts';

/** Notices the operator's troubles in what Google answers, and that they are over. */
export interface TroubleWatch {
  /** To be given to the {@link GoogleApp}. */
  readonly hear: GoogleEar;
  /** Waits for what is being written down. */
  stop(): Promise<void>;
}

/** At most so often does a process write that a trouble goes on. */
const writeEveryMs = 5_000;
/** How often a process asks what others have noticed. */
const lookEveryMs = 15_000;
/** A success so soon after a failure proves nothing yet: both were on their way together. */
const quietMs = 1_000;

const serviceOf: Readonly<Record<OperatorTrouble, GoogleService>> = {
  client_refused: 'oauth',
  api_disabled: 'gmail',
  daily_cap: 'gmail',
  project_quota: 'gmail',
};

/**
 * Keeps `operator_troubles`, which all processes share, and tells the log once when a trouble begins, once an hour
 * while it lasts, and when it is over. Of a tenant nothing is written down, not even that it was one.
 *
 * @param system the cross-tenant pool: the table belongs to no tenant
 */
export function createTroubleWatch(context: {
  readonly system: Database;
  readonly log: Logger;
  readonly clock: Clock;
  readonly clientId: string;
}): TroubleWatch {
  const { system, log, clock, clientId } = context;
  const heard = new Map<OperatorTrouble, { times: number; googleSaid: string; at: number; writtenAt: number }>();
  const open = new Set<OperatorTrouble>();
  /** Successes that came so soon after a failure that they count only when no other failure follows. */
  const waiting = new Map<OperatorTrouble, () => void>();
  let writing: Promise<void> = Promise.resolve();

  const later = (work: () => Promise<void>) => {
    writing = writing.then(work).catch((error) => log.error({ err: error }, 'the operator’s troubles'));
  };
  const look = async () => {
    await endTroublesOfOthers(system, clientId, clock());
    const found = await openTroubles(system, clientId);
    for (const { kind } of found) open.add(kind);
    // What was heard here and is not written yet is not gone.
    for (const kind of open)
      if (!found.some((each) => each.kind === kind) && (heard.get(kind)?.times ?? 0) === 0) open.delete(kind);
  };
  const stopLooking = every(clock, lookEveryMs, () => later(look));
  later(look);

  return {
    hear(service, failure) {
      if (failure === null) return open.size > 0 ? noticeSuccess(service) : undefined;
      const trouble = operatorTroubleOf(service, failure);
      if (trouble) noticeTrouble(trouble.kind, failure);
    },
    async stop() {
      stopLooking();
      for (const forget of waiting.values()) forget();
      for (const kind of heard.keys()) later(() => write(kind));
      await writing;
    },
  };

  function noticeTrouble(kind: OperatorTrouble, failure: GoogleFailure): void {
    const now = clock().getTime();
    const known = heard.get(kind) ?? { times: 0, googleSaid: '', at: now, writtenAt: 0 };
    const googleSaid = failure.kind === 'answered' ? `${failure.status} ${failure.reason}: ${failure.message}` : '';
    // News at once; that it goes on, together with what else is heard until then.
    const due = open.has(kind) ? Math.max(0, known.writtenAt + writeEveryMs - now) : 0;
    const isFirst = known.times === 0;
    heard.set(kind, { times: known.times + 1, googleSaid, at: now, writtenAt: known.writtenAt });
    open.add(kind);
    if (due === 0) later(() => write(kind));
    else if (isFirst) clock.after(due, () => later(() => write(kind)));
  }

  async function write(kind: OperatorTrouble): Promise<void> {
    const known = heard.get(kind);
    if (!known || known.times === 0) return;
    const { times, googleSaid } = known;
    known.times = 0;
    const at = clock();
    known.writtenAt = at.getTime();
    const added = await addToTrouble(system, { kind, clientId, googleSaid, times, at });
    if (!added.alert) return;
    const { what, fix } = operatorWords[kind];
    const facts = { trouble: kind, clientId, googleSaid, since: added.beganAt, times: added.times };
    log.error(facts, `${added.began ? '' : 'Still: '}${what} ${fix}`);
  }

  function noticeSuccess(service: GoogleService): void {
    const met = [...open].filter((kind) => serviceOf[kind] === service);
    const sinceFailure = (kind: OperatorTrouble) => clock().getTime() - (heard.get(kind)?.at ?? 0);
    const over = met.filter((kind) => sinceFailure(kind) > quietMs);
    if (over.length > 0) endThem(over);
    // The last success for a long time may be this one: unless a failure comes after it, it counts a moment later.
    for (const kind of met) {
      if (over.includes(kind) || waiting.has(kind)) continue;
      const failedAt = heard.get(kind)?.at;
      const count = () => {
        waiting.delete(kind);
        if (open.has(kind) && heard.get(kind)?.at === failedAt) endThem([kind]);
      };
      waiting.set(kind, clock.after(quietMs + 1 - sinceFailure(kind), count));
    }
  }

  function endThem(kinds: readonly OperatorTrouble[]): void {
    for (const kind of kinds) {
      open.delete(kind);
      // What was heard before the end must not be written after it, and begin it anew.
      later(() => write(kind));
    }
    later(async () => {
      const ended = await endTroubles(system, clientId, kinds, clock());
      for (const { kind, beganAt } of ended)
        log.warn({ trouble: kind, clientId, since: beganAt }, 'Google answers again');
    });
  }
}
