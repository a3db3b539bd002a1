/**
 * Work that takes long, in small pieces: it yields after each of them, and whoever runs it lets others have their turn in
 * between. A member may send or store thousands of lines, and nobody else is to notice.
 */
export type Work<Result> = Generator<void, Result, void>;

/** How long a piece of work goes on before others have their turn. */
const turnMs = 8;

/**
 * Does work piece by piece. After {@link turnMs} everything else that waits is done first, and of all that is done in this
 * way only one piece at a time: twenty people with large forms keep a small one waiting no longer than one of them does.
 */
export async function inTurns<Result>(work: Work<Result>): Promise<Result> {
  let begun = performance.now();
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    if (performance.now() - begun < turnMs) continue;
    await turn();
    begun = performance.now();
  }
}

/** Does work in one go, for what is known to be small, and for a process that has nothing else to do. */
export function atOnce<Result>(work: Work<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** Lets everything else that waits be done first. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(goOn);
  });
}
const waiting: (() => void)[] = [];

function goOn(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(goOn);
}

/** Goes through a list, and yields after every few. */
export function* each<Item, Result>(
  items: readonly Item[],
  of: (item: Item, index: number) => Result,
  atATime = 20,
): Work<Result[]> {
  const results: Result[] = [];
  for (const [index, item] of items.entries()) {
    results.push(of(item, index));
    if (index % atATime === atATime - 1) yield;
  }
  return results;
}
