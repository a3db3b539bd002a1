import { randomBytes } from 'node:crypto';
import { Arena, shareHeads } from './mail/arena.ts';
import { Box } from './mail/box.ts';
import type { Change, History } from './mail/history.ts';
import { FIRST_HISTORY_ID } from './mail/history.ts';
import type { UserLabel } from './mail/labels.ts';
import type { MailEntry, Watch } from './mail/log.ts';
import { Message, messageIdIn } from './mail/message.ts';
import type { Store } from './persist.ts';
import type { Truth } from './truth.ts';

export { Message, messageHeader, partsOf, rawOf } from './mail/message.ts';

/** The mailbox name under which mail to addresses that live elsewhere is kept. */
export const OUTSIDE = 'outside';

/** A copy of a message on its way into a mailbox; `threadId` null: it begins a thread. */
export interface NewCopy {
  mailbox: string;
  labels: string[];
  threadId: string | null;
  head: Buffer;
  envelope: readonly string[];
}

/** What filing does beside: what truth remembers of a sending, and what becomes of the draft it came from. */
export interface Filing {
  accepted?: (filed: readonly Message[]) => Parameters<Truth['accept']>[0];
  /** `sent` false: the first copy is the draft's message from now on; true: the draft is gone. */
  draft?: { mailbox: string; id: string; sent: boolean };
}

/** Every mailbox of this Local Google, the outside world included. Each change is written down before it is answered. */
export class Mailboxes {
  #boxes = new Map<string, Box>();
  #historyId = FIRST_HISTORY_ID;
  #listeners: ((change: Change) => void)[] = [];
  /** Where heads are kept close together when there are no bodies; null: bodies are kept as well. */
  #heads: Arena | null;
  #store: Store;
  #truth: Truth;
  #now: () => number;

  constructor(store: Store, truth: Truth, now: () => number, keep: 'all' | 'headers' = 'all') {
    this.#store = store;
    this.#truth = truth;
    this.#now = now;
    this.#heads = keep === 'headers' ? new Arena() : null;
  }

  /** Reads back what the store kept. */
  async load(): Promise<void> {
    for await (const entry of this.#store.readMail()) this.#replay(entry);
  }

  /** Calls the listener after each change of a mailbox. */
  onChange(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  /** All messages of a mailbox, oldest first. */
  all(mailbox: string): Message[] {
    return this.#box(mailbox).all();
  }

  /** Messages newest first, one at a time, from below that place on. */
  newest(mailbox: string, below?: number): Generator<Message> {
    return this.#box(mailbox).newest(below);
  }

  get(mailbox: string, id: string): Message | undefined {
    return this.#box(mailbox).get(id);
  }

  /** Messages of a thread, oldest first; empty when the mailbox has no such thread. */
  thread(mailbox: string, threadId: string): readonly Message[] {
    return this.#box(mailbox).thread(threadId);
  }

  byMessageId(mailbox: string, messageId: string): Message | undefined {
    return this.#box(mailbox).byMessageId(messageId);
  }

  /** How much there is in a mailbox. */
  totals(mailbox: string): { messages: number; threads: number } {
    const { size, threadCount } = this.#box(mailbox);
    return { messages: size, threads: threadCount };
  }

  history(mailbox: string): History {
    return this.#box(mailbox).history;
  }

  historyIdOf(mailbox: string): number {
    return this.#box(mailbox).history.last;
  }

  /** The message behind each draft, by draft id. */
  drafts(mailbox: string): ReadonlyMap<string, Message> {
    return this.#box(mailbox).drafts;
  }

  userLabels(mailbox: string): ReadonlyMap<string, UserLabel> {
    return this.#box(mailbox).userLabels;
  }

  /** Files the copies of one message, all or none, and answers them in the same order. */
  file(body: Buffer, copies: readonly NewCopy[], { accepted, draft }: Filing = {}): Message[] {
    const at = this.#now();
    const withIds = copies.map((copy) => {
      const id = this.#newId(copy.mailbox, at);
      return { ...copy, id, threadId: copy.threadId ?? id, at };
    });
    const filed = this.#insert(withIds, body, body.length, draft);
    const record = accepted ? this.#truth.accept(accepted(filed)) : null;
    this.#store.appendMail(() => ({
      kind: 'mail',
      body: (filed[0]?.body ?? body).toString('base64'),
      ...(this.#heads ? { bodySize: body.length } : {}),
      copies: withIds.map(({ head, envelope, ...copy }) => ({
        ...copy,
        head: head.toString('base64'),
        envelope: [...envelope],
      })),
      accepted: record,
      ...(draft ? { draft } : {}),
    }));
    return filed;
  }

  /** Replaces a message's labels, for good. */
  label(message: Message, labels: string[]): void {
    const { mailbox, id } = message;
    const at = this.#now();
    if (this.#relabel(message, labels, at)) this.#store.appendMail(() => ({ kind: 'labels', mailbox, id, labels, at }));
  }

  /** Removes a message for good; a draft goes with its message. */
  remove(message: Message): void {
    const { mailbox, id } = message;
    const at = this.#now();
    this.#remove(message, at);
    this.#store.appendMail(() => ({ kind: 'removed', mailbox, id, at }));
  }

  /** Makes, changes or (null) removes a label of the user; a removed one leaves every message. */
  setLabel(mailbox: string, id: string, label: UserLabel | null): void {
    const box = this.#box(mailbox);
    if (label) box.userLabels.set(id, label);
    else {
      for (const message of box.all()) {
        if (message.labels.includes(id))
          this.label(
            message,
            message.labels.filter((other) => other !== id),
          );
      }
      box.userLabels.delete(id);
    }
    this.#store.appendMail(() => ({ kind: 'label', mailbox, id, label }));
  }

  /** Who is told of changes, by project. */
  watches(mailbox: string): ReadonlyMap<string, Watch> {
    return this.#box(mailbox).watches;
  }

  /** Begins to tell a project of changes, or (null) ends it. */
  setWatch(mailbox: string, project: string, watch: Watch | null): void {
    this.#replay({ kind: 'watch', mailbox, project, watch });
    this.#store.appendMail(() => ({ kind: 'watch', mailbox, project, watch }));
  }

  #replay(entry: MailEntry): void {
    switch (entry.kind) {
      case 'mail': {
        const body = Buffer.from(entry.body, 'base64');
        const copies = entry.copies.map((copy) => ({ ...copy, head: Buffer.from(copy.head, 'base64') }));
        this.#insert(copies, body, entry.bodySize ?? body.length, entry.draft);
        if (entry.accepted) this.#truth.restore(entry.accepted);
        return;
      }
      case 'labels': {
        const message = this.get(entry.mailbox, entry.id);
        if (message) this.#relabel(message, entry.labels, entry.at ?? message.at);
        return;
      }
      case 'removed': {
        const message = this.get(entry.mailbox, entry.id);
        if (message) this.#remove(message, entry.at);
        return;
      }
      case 'watch': {
        const { watches } = this.#box(entry.mailbox);
        if (entry.watch) watches.set(entry.project, entry.watch);
        else watches.delete(entry.project);
        return;
      }
      case 'label': {
        const { userLabels } = this.#box(entry.mailbox);
        if (entry.label) userLabels.set(entry.id, entry.label);
        else userLabels.delete(entry.id);
        return;
      }
      default:
        entry satisfies never;
    }
  }

  #insert(
    copies: readonly (NewCopy & { id: string; threadId: string; at: number })[],
    body: Buffer,
    bodySize: number,
    draft: Filing['draft'],
  ): Message[] {
    const heads = shareHeads(
      copies.map(({ head }) => head),
      this.#heads,
    );
    const messageId = messageIdIn(copies[0]?.head ?? NOTHING);
    const kept = this.#heads && (!draft || draft.sent) ? NOTHING : body;
    const filed = copies.map(({ head, ...copy }, n) => {
      const bytes = heads[n] ?? { prefix: '', shared: head };
      const size = head.length + 2 + bodySize;
      const message = new Message({ ...copy, ...bytes, body: kept, messageId, size }, this.#nextId());
      const box = this.#box(copy.mailbox);
      box.add(message, copy.mailbox !== OUTSIDE);
      this.#changed(box, { id: message.place, at: copy.at, kind: 'messageAdded', message, labels: copy.labels });
      return message;
    });
    if (draft) this.#settleDraft(draft, filed[0]);
    return filed;
  }

  #settleDraft(draft: NonNullable<Filing['draft']>, first: Message | undefined): void {
    const { drafts } = this.#box(draft.mailbox);
    const before = drafts.get(draft.id);
    if (before) this.#remove(before, first?.at ?? before.at);
    if (first && !draft.sent) drafts.set(draft.id, first);
  }

  #relabel(message: Message, labels: string[], at: number): boolean {
    const box = this.#box(message.mailbox);
    const removed = message.labels.filter((label) => !labels.includes(label));
    const added = labels.filter((label) => !message.labels.includes(label));
    message.labels = labels;
    if (removed.length > 0)
      this.#changed(box, { id: this.#nextId(), at, kind: 'labelRemoved', message, labels: removed });
    if (added.length > 0) this.#changed(box, { id: this.#nextId(), at, kind: 'labelAdded', message, labels: added });
    return removed.length + added.length > 0;
  }

  #remove(message: Message, at: number): void {
    const box = this.#box(message.mailbox);
    box.remove(message);
    message.body = NOTHING;
    this.#changed(box, { id: this.#nextId(), at, kind: 'messageDeleted', message, labels: message.labels });
  }

  /** The outside world has no history: nobody reads there by the API. */
  #changed(box: Box, change: Change): void {
    if (change.message.mailbox === OUTSIDE) return;
    box.record(change);
    for (const listener of this.#listeners) listener(change);
  }

  #box(mailbox: string): Box {
    const known = this.#boxes.get(mailbox);
    if (known) return known;
    const box = new Box();
    this.#boxes.set(mailbox, box);
    return box;
  }

  #nextId(): number {
    this.#historyId += 1;
    return this.#historyId;
  }

  /** Sixteen hex digits that grow with time, such as Gmail's, and that this mailbox has not used. */
  #newId(mailbox: string, at: number): string {
    for (;;) {
      const id = Math.floor(at).toString(16).padStart(11, '0') + randomBytes(3).toString('hex').slice(0, 5);
      if (!this.get(mailbox, id)) return id;
    }
  }
}

const NOTHING = Buffer.alloc(0);
