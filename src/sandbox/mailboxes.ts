import { randomBytes } from 'node:crypto';
import { headerValue, parseHeaders } from './mime/headers.ts';
import { type Part, parseMessage } from './mime/parts.ts';
import type { MailEntry, Store } from './persist.ts';
import type { Truth } from './truth.ts';

/** The mailbox name under which mail to addresses that live elsewhere is kept. */
export const OUTSIDE = 'outside';

/** One message in one mailbox. Copies of one sending share their `body` bytes; each has its own `head`. */
export interface Message {
  mailbox: string;
  id: string;
  threadId: string;
  labels: string[];
  /** Unix milliseconds at which it came into this mailbox: Gmail's internalDate. */
  at: number;
  historyId: number;
  head: Buffer;
  body: Buffer;
  /** Envelope recipients: for the outside world the addresses it went to. */
  envelope: readonly string[];
}

export interface NewCopy {
  mailbox: string;
  labels: string[];
  threadId: string | null;
  head: Buffer;
  envelope: readonly string[];
}

/** Every mailbox of this Local Google, the outside world included; oldest message first. */
export class Mailboxes {
  #boxes = new Map<string, Map<string, Message>>();
  #historyId = 1000;
  #store: Store;
  #truth: Truth;
  #now: () => number;

  constructor(store: Store, truth: Truth, now: () => number) {
    this.#store = store;
    this.#truth = truth;
    this.#now = now;
  }

  /** Reads back what the store kept. */
  async load(): Promise<void> {
    for await (const entry of this.#store.readMail()) {
      if (entry.kind === 'labels') {
        const message = this.get(entry.mailbox, entry.id);
        if (message) message.labels = entry.labels;
        continue;
      }
      const body = Buffer.from(entry.body, 'base64');
      for (const copy of entry.copies) this.#insert({ ...copy, head: Buffer.from(copy.head, 'base64'), body });
      if (entry.accepted) this.#truth.restore(entry.accepted);
    }
  }

  /** All messages of a mailbox, oldest first. */
  all(mailbox: string): Message[] {
    return [...(this.#boxes.get(mailbox)?.values() ?? [])];
  }

  get(mailbox: string, id: string): Message | undefined {
    return this.#boxes.get(mailbox)?.get(id);
  }

  /** The thread of the newest message that `fits`; null when none does. */
  threadOf(mailbox: string, fits: (message: Message) => boolean): string | null {
    return this.all(mailbox).findLast(fits)?.threadId ?? null;
  }

  historyIdOf(mailbox: string): number {
    return this.all(mailbox).at(-1)?.historyId ?? 1000;
  }

  /**
   * Files the copies of one message, all or none, and answers them in the same order. `accepted` turns the copies
   * into what truth remembers of the sending.
   */
  file(
    body: Buffer,
    copies: readonly NewCopy[],
    accepted?: (filed: readonly Message[]) => Parameters<Truth['accept']>[0],
  ): Message[] {
    const at = this.#now();
    const filed = copies.map((copy) => {
      const id = this.#newId(copy.mailbox, at);
      return this.#insert({ ...copy, id, threadId: copy.threadId ?? id, at, body });
    });
    const record = accepted ? this.#truth.accept(accepted(filed)) : null;
    const entry: MailEntry = {
      kind: 'mail',
      body: body.toString('base64'),
      copies: filed.map(({ mailbox, id, threadId, labels, head, envelope }) => {
        return { mailbox, id, threadId, labels, at, head: head.toString('base64'), envelope: [...envelope] };
      }),
      accepted: record,
    };
    this.#store.appendMail(entry);
    return filed;
  }

  /** Replaces a message's labels, for good. */
  label(message: Message, labels: string[]): void {
    message.labels = labels;
    this.#store.appendMail({ kind: 'labels', mailbox: message.mailbox, id: message.id, labels });
  }

  /** Sixteen hex digits that grow with time, such as Gmail's, and that this mailbox has not used. */
  #newId(mailbox: string, at: number): string {
    for (;;) {
      const id = Math.floor(at).toString(16).padStart(11, '0') + randomBytes(3).toString('hex').slice(0, 5);
      if (!this.get(mailbox, id)) return id;
    }
  }

  #insert(message: Omit<Message, 'historyId'>): Message {
    const box = this.#boxes.get(message.mailbox) ?? new Map<string, Message>();
    this.#boxes.set(message.mailbox, box);
    this.#historyId += 1;
    const whole = { ...message, historyId: this.#historyId };
    box.set(message.id, whole);
    return whole;
  }
}

/** The exact bytes of a message. */
export function rawOf(message: Message): Buffer {
  return Buffer.concat([message.head, Buffer.from('\r\n'), message.body]);
}

/** The MIME tree of a message. */
export function partsOf(message: Message): Part {
  return parseMessage(rawOf(message));
}

/** One decoded header of a message, read from its head alone. */
export function messageHeader(message: Message, name: string): string | undefined {
  return headerValue(parseHeaders(message.head), name);
}
