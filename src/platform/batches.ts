/** Work that costs little more for many than for one. */
export interface Batches<Item, Result> {
  /**
   * @param patienceMs how long the item may wait for others to come along; as short as the shortest in its batch
   * @throws what the work throws for this very item
   */
  add(key: string, item: Item, patienceMs?: number): Promise<Result>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** What comes together under one key. */
interface Gathering<Item, Result> {
  batch: Waiting<Item, Result>[];
  /** A batch of this key is under way; the next leaves when it is done, or later. */
  running: boolean;
  timer: NodeJS.Timeout | undefined;
  /** When the most hurried of the batch wants to go, as of `performance.now()`. */
  leavesAt: number;
}

/** So many share what there is to save; more need not wait for others. */
const enough = 20;

/**
 * Puts together what arrives in the same moment under the same key, and what comes while a batch is under way. (Such
 * moments are the machine's; no clock that a test moves has to do with them.) A single item that is in a hurry is worked
 * on at once; of many, dozens share a transaction. A batch that fails is done again item by item, so that one that spoils
 * it fails alone.
 *
 * @param work does a batch, all or nothing, and gives a result for each item in their order
 */
export function createBatches<Item, Result>(
  work: (key: string, items: readonly Item[]) => Promise<readonly Result[]>,
): Batches<Item, Result> {
  const gatherings = new Map<string, Gathering<Item, Result>>();

  const run = async (key: string, batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    try {
      const results = await work(
        key,
        batch.map(({ item }) => item),
      );
      if (results.length !== batch.length) throw new RangeError('A batch gave no result for some of its items.');
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
    } catch (error) {
      const [only, ...more] = batch;
      if (more.length === 0) only?.reject(error);
      else await Promise.all(batch.map((each) => run(key, [each])));
    }
  };

  /** How long the batch may still wait, in milliseconds; 0 or less: it leaves. */
  const left = ({ batch, leavesAt }: Gathering<Item, Result>): number =>
    batch.length < enough ? leavesAt - performance.now() : 0;

  // A loop rather than each batch beginning the next: under a load that never pauses that would be a chain without an end.
  const flush = async (key: string, gathering: Gathering<Item, Result>): Promise<void> => {
    gathering.running = true;
    do {
      const { batch } = gathering;
      Object.assign(gathering, { batch: [], leavesAt: Number.POSITIVE_INFINITY });
      await run(key, batch);
    } while (gathering.batch.length > 0 && left(gathering) <= 0);
    gathering.running = false;
    if (gathering.batch.length === 0) gatherings.delete(key);
    else schedule(key, gathering);
  };

  const schedule = (key: string, gathering: Gathering<Item, Result>): void => {
    clearTimeout(gathering.timer);
    gathering.timer = setTimeout(() => void flush(key, gathering), Math.max(0, left(gathering)));
  };

  return {
    add: (key, item, patienceMs = 0) =>
      new Promise((resolve, reject) => {
        let gathering = gatherings.get(key);
        if (!gathering) {
          gathering = { batch: [], running: false, timer: undefined, leavesAt: Number.POSITIVE_INFINITY };
          gatherings.set(key, gathering);
        }
        gathering.batch.push({ item, resolve, reject });
        const leavesAt = performance.now() + patienceMs;
        const sooner = leavesAt < gathering.leavesAt;
        if (sooner) gathering.leavesAt = leavesAt;
        if (gathering.running || !(sooner || gathering.batch.length >= enough)) return;
        // By a timer even where it leaves at once: whatever is added in the same breath goes along.
        schedule(key, gathering);
      }),
  };
}
