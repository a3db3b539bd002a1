import { describe, expect, it } from 'vitest';
import { createBatches } from '../../src/platform/batches.ts';

/** Work that can be held up, and remembers what was done together. */
function recorded(work: (item: string) => string = (item) => item.toUpperCase()) {
  const done: { key: string; items: readonly string[] }[] = [];
  let gate = Promise.resolve();
  const batches = createBatches(async (key, items: readonly string[]) => {
    done.push({ key, items });
    await gate;
    return items.map(work);
  });
  const holdUp = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    return resolve;
  };
  return { batches, done, holdUp };
}

describe('work for many at once', () => {
  it('takes together what is added in the same breath, and gives each its own result', async () => {
    const { batches, done } = recorded();
    const results = await Promise.all(['a', 'b', 'c'].map((item) => batches.add('one', item)));
    expect(results).toEqual(['A', 'B', 'C']);
    expect(done).toEqual([{ key: 'one', items: ['a', 'b', 'c'] }]);
  });

  it('keeps keys apart', async () => {
    const { batches, done } = recorded();
    await Promise.all([batches.add('one', 'a'), batches.add('other', 'b')]);
    expect(done.map(({ items }) => items)).toEqual([['a'], ['b']]);
  });

  it('collects what comes while a batch is under way', async () => {
    const { batches, done, holdUp } = recorded();
    const goOn = holdUp();
    const first = batches.add('one', 'a');
    await expect.poll(() => done.length).toBe(1);
    const others = ['b', 'c'].map((item) => batches.add('one', item));
    goOn();
    expect(await Promise.all([first, ...others])).toEqual(['A', 'B', 'C']);
    expect(done.map(({ items }) => items)).toEqual([['a'], ['b', 'c']]);
  });

  it('waits as long as its most hurried item likes', async () => {
    const { batches, done } = recorded();
    const patient = batches.add('one', 'a', 60_000);
    expect(await Promise.all([patient, batches.add('one', 'b')])).toEqual(['A', 'B']);
    expect(done.map(({ items }) => items)).toEqual([['a', 'b']]);
  });

  it('waits for nobody once there are enough', async () => {
    const { batches, done } = recorded();
    await Promise.all(Array.from({ length: 20 }, (_, index) => batches.add('one', `${index}`, 60_000)));
    expect(done).toHaveLength(1);
  });

  it('goes on without a batch that was spoilt by one: the others are done, and that one fails', async () => {
    const { batches } = recorded((item) => {
      if (item === 'bad') throw new Error('This one cannot be done.');
      return item.toUpperCase();
    });
    const results = await Promise.allSettled(['a', 'bad', 'c'].map((item) => batches.add('one', item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await batches.add('one', 'd')).toBe('D');
  });
});
