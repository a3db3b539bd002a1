const CHUNK = 1024 * 1024;

/**
 * Keeps many small byte strings in few large ones: a million heads on their own would each hold on to a whole piece of
 * Node's buffer pool, with whatever else was in it.
 */
export class Arena {
  #chunk = Buffer.alloc(0);
  #used = 0;

  /** A copy of these bytes that holds on to nothing but its own megabyte. */
  keep(bytes: Buffer): Buffer {
    if (bytes.length > CHUNK) return Buffer.from(new Uint8Array(bytes).buffer);
    if (this.#used + bytes.length > this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafeSlow(CHUNK);
      this.#used = 0;
    }
    const kept = this.#chunk.subarray(this.#used, this.#used + bytes.length);
    bytes.copy(kept);
    this.#used += bytes.length;
    return kept;
  }
}

/**
 * The heads of one sending's copies, kept once: delivered copies are the sent one with lines before it, unless a Bcc was
 * taken out. `arena` null: the bytes are kept where they are.
 */
export function shareHeads(heads: readonly Buffer[], arena: Arena | null): { prefix: string; shared: Buffer }[] {
  const first = heads[0] ?? Buffer.alloc(0);
  const shared = arena ? arena.keep(first) : first;
  return heads.map((head) => {
    const before = head.length - first.length;
    if (before >= 0 && head.subarray(before).equals(first)) {
      return { prefix: head.toString('latin1', 0, before), shared };
    }
    return { prefix: '', shared: arena ? arena.keep(head) : head };
  });
}
