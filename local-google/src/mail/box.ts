import { type Change, History } from './history.ts';
import type { UserLabel } from './labels.ts';
import type { Watch } from './log.ts';
import type { Message } from './message.ts';

/** One mailbox: its messages oldest first, what happened to them, its labels and its drafts. */
export class Box {
  readonly history = new History();
  readonly userLabels = new Map<string, UserLabel>();
  /** The message behind each draft, by draft id. */
  readonly drafts = new Map<string, Message>();
  /** Who is told of changes, by project. */
  readonly watches = new Map<string, Watch>();
  #messages: Message[] = [];
  #byId = new Map<string, Message>();
  /** Threads that are more than the one message that gave them their id. */
  #threads = new Map<string, Message[]>();
  #threadCount = 0;
  #byMessageId = new Map<string, Message>();

  get size(): number {
    return this.#messages.length;
  }

  get threadCount(): number {
    return this.#threadCount;
  }

  /** Oldest first; a copy, unlike {@link newest}. */
  all(): Message[] {
    return [...this.#messages];
  }

  /** Newest first, from below that place on, without copying a mailbox of a million. */
  *newest(below = Number.POSITIVE_INFINITY): Generator<Message> {
    for (let n = this.#countBelow(below) - 1; n >= 0; n -= 1) {
      const message = this.#messages[n];
      if (message) yield message;
    }
  }

  get(id: string): Message | undefined {
    return this.#byId.get(id);
  }

  /** Messages of a thread, oldest first; empty when there is no such thread. */
  thread(threadId: string): readonly Message[] {
    const alone = this.#byId.get(threadId);
    return this.#threads.get(threadId) ?? (alone?.threadId === threadId ? [alone] : []);
  }

  /** The newest message with that Message-ID, angle brackets included. */
  byMessageId(messageId: string): Message | undefined {
    return this.#byMessageId.get(messageId);
  }

  add(message: Message, indexed: boolean): void {
    const others = this.thread(message.threadId);
    const several = this.#threads.get(message.threadId);
    if (others.length === 0) this.#threadCount += 1;
    if (several) several.push(message);
    else if (others.length > 0 || message.threadId !== message.id)
      this.#threads.set(message.threadId, [...others, message]);
    this.#messages.push(message);
    this.#byId.set(message.id, message);
    if (indexed && message.messageId !== '') this.#byMessageId.set(message.messageId, message);
  }

  remove(message: Message): void {
    const rest = this.thread(message.threadId).filter((other) => other !== message);
    this.#byId.delete(message.id);
    if (rest.length === 0) this.#threadCount -= 1;
    if (rest.length === 0) this.#threads.delete(message.threadId);
    else this.#threads.set(message.threadId, rest);
    // A draft is mostly among the last messages.
    const index = this.#messages.lastIndexOf(message);
    if (index !== -1) this.#messages.splice(index, 1);
    if (this.#byMessageId.get(message.messageId) === message) this.#byMessageId.delete(message.messageId);
    for (const [draftId, draft] of this.drafts) if (draft === message) this.drafts.delete(draftId);
  }

  record(change: Change): void {
    change.message.historyId = change.id;
    this.history.add(change);
  }

  /** How many messages came before that place, found by halving. */
  #countBelow(place: number): number {
    let low = 0;
    let high = this.#messages.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#messages[middle]?.place ?? 0) < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
