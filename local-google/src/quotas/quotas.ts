import type { Account } from '../accounts.ts';
import { type Answer, Refusal } from '../answers.ts';
import { quotaExceeded, tooMany } from '../gmail/errors.ts';
import type { Accepted } from '../mail/log.ts';
import { RollingSum } from './rolling-sum.ts';
import { type QuotaSettings, quotaSettings } from './settings.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** What an account sent within the last 24 hours. */
interface Sent {
  messages: RollingSum;
  recipients: RollingSum;
  external: RollingSum;
}

/** Counts what users and projects spend, by the clock of this Local Google, and refuses in Google's words. */
export class Quotas {
  #settings: QuotaSettings;
  #now: () => number;
  #changed: () => void;
  #spent = new Map<string, RollingSum>();
  #sent = new Map<string, Sent>();
  #running = new Map<string, number>();

  /**
   * @param saved the limits as they were kept; nothing is limited without
   * @param changed told whenever they are others
   */
  constructor(now: () => number, saved: QuotaSettings = quotaSettings.parse({}), changed: () => void = () => {}) {
    this.#now = now;
    this.#settings = saved;
    this.#changed = changed;
  }

  get settings(): Readonly<QuotaSettings> {
    return this.#settings;
  }

  /** Changes some limits; null lifts one. What was spent before still counts. Throws a ZodError for nonsense. */
  set(change: Partial<QuotaSettings>): Readonly<QuotaSettings> {
    this.#settings = quotaSettings.parse({ ...this.#settings, ...change });
    this.#changed();
    return this.#settings;
  }

  /** Lifts every limit and forgets what was spent. */
  clear(): void {
    this.#settings = quotaSettings.parse({});
    this.#changed();
    this.#spent.clear();
    this.#sent.clear();
  }

  /** Notes a request of a user that has begun; the answer ends it. false: one too many at the same time. */
  begin(email: string): { fits: boolean; end: () => void } {
    const { concurrentPerUser } = this.#settings;
    const running = (this.#running.get(email) ?? 0) + 1;
    this.#running.set(email, running);
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      const left = (this.#running.get(email) ?? 1) - 1;
      if (left > 0) this.#running.set(email, left);
      else this.#running.delete(email);
    };
    return { fits: concurrentPerUser === null || running <= concurrentPerUser, end };
  }

  /** Spends units of a user with a project. Throws Refusal, and spends nothing, when there are too few. */
  spend(email: string, project: string, units: number): void {
    const { userUnitsPerMinute, projectUnitsPerMinute, projectUnitsPerDay, refusedCallsCount } = this.#settings;
    const now = this.#now();
    const spent: RollingSum[] = [];
    const take = (key: string, windowMs: number, limit: number | null, refuse: (at: number) => Answer) => {
      if (limit === null) return;
      const sum = this.#spent.get(key) ?? new RollingSum(windowMs);
      this.#spent.set(key, sum);
      const at = sum.fitsAt(now, units, limit);
      if (at > now) {
        if (refusedCallsCount) sum.add(now, units);
        throw new Refusal(refuse(at));
      }
      spent.push(sum);
    };
    take(`${email} ${project}`, MINUTE_MS, userUnitsPerMinute, (at) => this.#userRefusal(at));
    take(project, MINUTE_MS, projectUnitsPerMinute, () => quotaExceeded('project', this.#settings.projectAnswer));
    take(`${project} day`, DAY_MS, projectUnitsPerDay, () => quotaExceeded('day', '403'));
    for (const sum of spent) sum.add(now, units);
  }

  /**
   * Whether an account may send to these recipients today. `'over'`: yes, but it will bounce. Throws Refusal, 429
   * ` (Mail sending)`, when over the limit means refused.
   */
  checkSending(account: Account, recipients: readonly string[]): 'fits' | 'over' {
    const { messagesPerDay, recipientsPerDay, externalRecipientsPerDay, overSendingLimit } = this.#settings;
    const now = this.#now();
    const { messages, recipients: all, external } = this.#sentBy(account.email);
    const fitsAt = Math.max(
      messages.fitsAt(now, 1, messagesPerDay ?? Number.POSITIVE_INFINITY),
      all.fitsAt(now, recipients.length, recipientsPerDay ?? Number.POSITIVE_INFINITY),
      external.fitsAt(now, externals(account, recipients), externalRecipientsPerDay ?? Number.POSITIVE_INFINITY),
    );
    if (fitsAt <= now) return 'fits';
    if (overSendingLimit === 'bounce') return 'over';
    throw new Refusal(
      tooMany({ kind: 'tooMany', limit: 'sending', retryAt: new Date(fitsAt).toISOString() }, this.#now()),
    );
  }

  /** Counts a message that was accepted and left. */
  countSent(account: Account, { at, recipients }: Pick<Accepted, 'at' | 'recipients'>): void {
    if (at <= this.#now() - DAY_MS) return;
    const sent = this.#sentBy(account.email);
    sent.messages.add(at, 1);
    sent.recipients.add(at, recipients.length);
    sent.external.add(at, externals(account, recipients));
  }

  #sentBy(email: string): Sent {
    const known = this.#sent.get(email);
    if (known) return known;
    const sent = {
      messages: new RollingSum(DAY_MS),
      recipients: new RollingSum(DAY_MS),
      external: new RollingSum(DAY_MS),
    };
    this.#sent.set(email, sent);
    return sent;
  }

  #userRefusal(at: number): Answer {
    const { userAnswer } = this.#settings;
    if (userAnswer !== 'retryAfter') return quotaExceeded('user', userAnswer);
    return tooMany({ kind: 'tooMany', limit: 'rate', retryAt: new Date(at).toISOString() }, this.#now());
  }
}

function externals(account: Account, recipients: readonly string[]): number {
  return recipients.filter((address) => !address.endsWith(`@${account.hd}`)).length;
}
