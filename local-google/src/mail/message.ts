import { headerValue, parseHeaders } from '../mime/headers.ts';
import { type Part, parseMessage } from '../mime/parts.ts';

/** What a message is made of when it comes into a mailbox. */
export interface MessageSeed {
  mailbox: string;
  id: string;
  threadId: string;
  labels: string[];
  at: number;
  /** The first lines of this copy's head, which no other copy has. */
  prefix: string;
  /** The rest of the head, and the body: shared with the other copies of the sending. */
  shared: Buffer;
  body: Buffer;
  messageId: string;
  /** Bytes of the whole message, also where its body is not kept. */
  size: number;
  envelope: readonly string[];
}

/** One message in one mailbox. Copies of one sending share their bytes, which is what a full mailbox consists of. */
export class Message {
  readonly mailbox: string;
  readonly id: string;
  readonly threadId: string;
  labels: string[];
  /** Unix milliseconds at which it came into this mailbox: Gmail's internalDate. */
  readonly at: number;
  /** Its place in the mailbox: grows with each message and never changes. */
  readonly place: number;
  /** The last change of the mailbox that concerned it. */
  historyId: number;
  /** The Message-ID with its angle brackets; '' when it has none. */
  readonly messageId: string;
  readonly size: number;
  /** Empty where the Local Google keeps headers only, and once the message is removed: history still names it. */
  body: Buffer;
  /** Envelope recipients: for the outside world the addresses it went to. */
  readonly envelope: readonly string[];
  readonly #prefix: string;
  readonly #shared: Buffer;

  constructor(seed: MessageSeed, historyId: number) {
    this.mailbox = seed.mailbox;
    this.id = seed.id;
    this.threadId = seed.threadId;
    this.labels = seed.labels;
    this.at = seed.at;
    this.place = historyId;
    this.historyId = historyId;
    this.messageId = seed.messageId;
    this.size = seed.size;
    this.body = seed.body;
    this.envelope = seed.envelope;
    this.#prefix = seed.prefix;
    this.#shared = seed.shared;
  }

  /** The header lines of this copy, the last one with its line break. */
  get head(): Buffer {
    return this.#prefix === '' ? this.#shared : Buffer.concat([Buffer.from(this.#prefix, 'latin1'), this.#shared]);
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

/** The Message-ID in a head, with its angle brackets; '' when there is none. */
export function messageIdIn(head: Buffer): string {
  const found = /^message-id:\s*(<[^>\r\n]*>)/im.exec(head.toString('latin1'))?.[1] ?? '';
  // A copy of its own: V8 would keep the whole head for the sake of this part of it.
  return Buffer.from(found, 'latin1').toString('latin1');
}
