interface Entry {
  at: number;
  amount: number;
}

/** What was spent within the last `windowMs`, to the thousandth part of the window. */
export class RollingSum {
  readonly #windowMs: number;
  #entries: Entry[] = [];
  #total = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  total(now: number): number {
    const alive = this.#entries.findIndex((entry) => entry.at + this.#windowMs > now);
    if (alive !== 0) {
      const gone = this.#entries.splice(0, alive === -1 ? this.#entries.length : alive);
      for (const { amount } of gone) this.#total -= amount;
    }
    return this.#total;
  }

  add(now: number, amount: number): void {
    const last = this.#entries.at(-1);
    if (last && now - last.at < this.#windowMs / 1000) last.amount += amount;
    else this.#entries.push({ at: now, amount });
    this.#total += amount;
  }

  /** When `amount` more would fit under `limit`: now, or when enough of what was spent has left the window. */
  fitsAt(now: number, amount: number, limit: number): number {
    let total = this.total(now);
    if (total + amount <= limit) return now;
    for (const entry of this.#entries) {
      total -= entry.amount;
      if (total + amount <= limit) return entry.at + this.#windowMs;
    }
    return now + this.#windowMs;
  }
}
