import type { Message } from './message.ts';

/** How many drafts that are gone are remembered: sent ones by their message, discarded ones whole. */
const SENT = 10_000;
const DISCARDED = 100;

/** Drafts that are gone: those that were sent, for the switch that lets one out twice, and those that were discarded. */
export class DraftMemory {
  #sent = new Map<string, { message: Message; threadId: string }>();
  #discarded = new Map<string, { raw: Buffer; threadId: string }>();

  /** The SENT message of a draft that is gone. */
  sent(mailbox: string, draftId: string): { message: Message; threadId: string } | undefined {
    return this.#sent.get(`${mailbox} ${draftId}`);
  }

  rememberSent(draftId: string, message: Message, threadId: string): void {
    this.#sent.set(`${message.mailbox} ${draftId}`, { message, threadId });
    if (this.#sent.size > SENT) this.#sent.delete(this.#sent.keys().next().value ?? '');
  }

  rememberDiscarded(mailbox: string, draftId: string, raw: Buffer, threadId: string): void {
    this.#discarded.set(`${mailbox} ${draftId}`, { raw, threadId });
    if (this.#discarded.size > DISCARDED) this.#discarded.delete(this.#discarded.keys().next().value ?? '');
  }

  /** What a discarded draft held, once. */
  takeDiscarded(mailbox: string, draftId: string): { raw: Buffer; threadId: string } | undefined {
    const key = `${mailbox} ${draftId}`;
    const found = this.#discarded.get(key);
    this.#discarded.delete(key);
    return found;
  }
}
