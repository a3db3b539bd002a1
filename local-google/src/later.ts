/** What happens by itself at a later time of this Local Google's clock; without timers, since the clock may jump. */
export class Later {
  #now: () => number;
  #jobs: { at: number; job: () => void }[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Does the job at the first look after that time. Forgotten when the process ends. */
  at(time: number, job: () => void): void {
    this.#jobs.push({ at: time, job });
  }

  /** Does what is due, in the order of its times; call it before looking at a mailbox. */
  catchUp(): void {
    if (this.#jobs.length === 0) return;
    const now = this.#now();
    const due = this.#jobs.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    if (due.length === 0) return;
    this.#jobs = this.#jobs.filter(({ at }) => at > now);
    for (const { job } of due) job();
  }
}
