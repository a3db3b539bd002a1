import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { Change } from './mail/history.ts';
import type { Watch } from './mail/log.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { SigningKeys } from './oauth/keys.ts';

/** At most one notification a second for each user; what comes sooner is dropped, as Gmail does (docs/google.md, E). */
const INTERVAL_MS = 1000;

const TIMEOUT_MS = 10_000;
const ATTEMPTS = 6;

/** A push subscription, as somebody sets one up in the Cloud console. */
const subscriptionShape = z.object({
  topic: z.string().regex(/^projects\/[^/]+\/topics\/[^/]+$/),
  /** Where notifications are posted: an address on this computer. */
  endpoint: z.url({ hostname: /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])$/ }),
  /** `aud` of the bearer; left out, the endpoint. */
  audience: z.string().optional(),
  serviceAccount: z.string().default('push@local-google.example'),
  /** How often each notification is delivered: at least once, and sometimes more. */
  times: z.number().int().min(1).max(5).default(1),
  /** Loses the first so many notifications. */
  lose: z.number().int().min(0).default(0),
  /** How long after a refusal it is tried again the first time; then twice as long each time. Real milliseconds. */
  retryMs: z.number().int().min(1).default(1000),
});

type Subscription = z.output<typeof subscriptionShape>;

/** One notification as it was posted. `status` null: not answered. */
export interface Notification {
  messageId: string;
  topic: string;
  emailAddress: string;
  historyId: number;
  attempt: number;
  status: number | null;
}

/** Tells the topics that watch a mailbox that something changed, by Pub/Sub's push. */
export class Push {
  #context: { url: string; keys: SigningKeys; mail: Mailboxes; now: () => number; closing: AbortSignal };
  #subscriptions: Subscription[] = [];
  #lastAt = new Map<string, number>();
  #posted: Notification[] = [];
  #dropped = 0;
  #count = 0;
  #underWay = new Set<Promise<void>>();

  constructor(context: { url: string; keys: SigningKeys; mail: Mailboxes; now: () => number; closing: AbortSignal }) {
    this.#context = context;
    context.mail.onChange((change) => this.#tell(change));
  }

  /** Posts what a topic is told to an address on this computer. Throws a ZodError for any other. */
  subscribe(subscription: z.input<typeof subscriptionShape>): void {
    this.#subscriptions.push(subscriptionShape.parse(subscription));
  }

  /** Posts nothing any more. */
  unsubscribe(): void {
    this.#subscriptions = [];
  }

  /** Every post so far, the last thousand, repeats included. */
  posted(): readonly Notification[] {
    return this.#posted;
  }

  /** How many notifications fell to the rate of one a second. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Resolves when nothing is under way, repeats after refusals included. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #tell({ id, message }: Change): void {
    if (this.#subscriptions.length === 0) return;
    const { mailbox } = message;
    const now = this.#context.now();
    const watches = [...this.#context.mail.watches(mailbox).values()].filter(
      (watch) => watch.expiresAt > now && concerns(watch, message.labels),
    );
    if (watches.length === 0) return;
    if (now - (this.#lastAt.get(mailbox) ?? Number.NEGATIVE_INFINITY) < INTERVAL_MS) {
      this.#dropped += 1;
      return;
    }
    this.#lastAt.set(mailbox, now);
    for (const { topic } of watches) {
      for (const subscription of this.#subscriptions) {
        if (subscription.topic === topic) this.#begin(subscription, mailbox, id);
      }
    }
  }

  #begin(subscription: Subscription, emailAddress: string, historyId: number): void {
    if (subscription.lose > 0) {
      subscription.lose -= 1;
      return;
    }
    this.#count += 1;
    const messageId = `${this.#count}${randomInt(10 ** 9)}`;
    // As a number and as a string in turn: Google does both (docs/google.md, E).
    const told = this.#count % 2 === 1 ? historyId : String(historyId);
    const data = Buffer.from(JSON.stringify({ emailAddress, historyId: told })).toString('base64');
    const publishTime = new Date(this.#context.now()).toISOString();
    const body = JSON.stringify({
      message: { data, messageId, message_id: messageId, publishTime, publish_time: publishTime },
      subscription: `${subscription.topic.replace('/topics/', '/subscriptions/')}-push`,
    });
    for (let n = 0; n < subscription.times; n += 1) {
      const posting = this.#deliver(subscription, body, { messageId, emailAddress, historyId }).finally(() =>
        this.#underWay.delete(posting),
      );
      this.#underWay.add(posting);
    }
  }

  /** Until it is acknowledged with 2xx, or given up. */
  async #deliver(
    subscription: Subscription,
    body: string,
    about: Pick<Notification, 'messageId' | 'emailAddress' | 'historyId'>,
  ): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const status = await this.#post(subscription, body);
      const { topic } = subscription;
      this.#posted = [...this.#posted, { ...about, topic, attempt, status }].slice(-1000);
      if (this.#context.closing.aborted || (status !== null && status >= 200 && status < 300)) return;
      const pause = subscription.retryMs * 2 ** (attempt - 1);
      await wait(pause, undefined, { signal: this.#context.closing }).catch(() => undefined);
    }
  }

  async #post({ endpoint, audience, serviceAccount }: Subscription, body: string): Promise<number | null> {
    const { url, keys, now, closing } = this.#context;
    const iat = Math.floor(now() / 1000);
    const token = await keys.sign({
      iss: url,
      aud: audience ?? endpoint,
      azp: '113774264463038321964',
      sub: '113774264463038321964',
      email: serviceAccount,
      email_verified: true,
      iat,
      exp: iat + 3600,
    });
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      await response.body?.cancel();
      return response.status;
    } catch {
      return null;
    }
  }
}

function concerns({ labelIds, filter }: Watch, labels: readonly string[]): boolean {
  if (labelIds.length === 0) return true;
  const named = labelIds.some((label) => labels.includes(label));
  return filter === 'include' ? named : !named;
}
