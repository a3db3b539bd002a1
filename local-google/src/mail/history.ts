import type { Message } from './message.ts';

/** A week and no more: after it, history.list answers 404 and the caller must sync in full (docs/google.md, E). */
const HISTORY_MS = 7 * 24 * 60 * 60 * 1000;

/** The first history id of every mailbox; nothing happened before it. */
export const FIRST_HISTORY_ID = 1000;

/** One change of a mailbox. `labels`: those that were added or taken away. */
export interface Change {
  id: number;
  at: number;
  kind: 'messageAdded' | 'messageDeleted' | 'labelAdded' | 'labelRemoved';
  message: Message;
  labels: readonly string[];
}

/** What happened to one mailbox, in order, for as long as Gmail remembers it. */
export class History {
  #changes: Change[] = [];
  #forgottenTo = FIRST_HISTORY_ID;
  #last = FIRST_HISTORY_ID;

  /** The id of the newest change. */
  get last(): number {
    return this.#last;
  }

  add(change: Change): void {
    this.#changes.push(change);
    this.#last = change.id;
  }

  /** Changes after that id, oldest first; `'too old'` when some of them may have been forgotten. */
  since(id: number, now: number): readonly Change[] | 'too old' {
    this.#forgetBefore(this.#changes.findIndex((change) => change.at > now - HISTORY_MS));
    if (id < this.#forgottenTo) return 'too old';
    return this.#changes.slice(firstAfter(this.#changes, id));
  }

  /** Forgets everything so far, which rarely happens at Google after hours already. */
  forget(): void {
    this.#forgetBefore(-1);
  }

  /** Drops the changes before that index; -1: all of them. */
  #forgetBefore(index: number): void {
    const gone = this.#changes.splice(0, index === -1 ? this.#changes.length : index);
    this.#forgottenTo = gone.at(-1)?.id ?? this.#forgottenTo;
  }
}

/** The index of the first change with a higher id, found by halving. */
function firstAfter(changes: readonly Change[], id: number): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle]?.id ?? 0) <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}
