import { describe, expect, it } from 'vitest';
import { atOnce, each, inTurns, type Work } from '../../src/platform/turns.ts';

/** Pieces of work that each use up a turn. */
function* long(pieces: number, done: string[], name: string): Work<string> {
  for (let piece = 0; piece < pieces; piece += 1) {
    const begun = performance.now();
    while (performance.now() - begun < 10) Math.sqrt(piece);
    done.push(name);
    yield;
  }
  return name;
}

describe('work in turns', () => {
  it('comes to the same as in one go', async () => {
    const squares = () =>
      each(
        Array.from({ length: 1_000 }, (_, index) => index),
        (index) => index * index,
      );
    expect(await inTurns(squares())).toEqual(atOnce(squares()));
  });

  it('throws what the work throws', async () => {
    function* broken(): Work<never> {
      yield;
      throw new RangeError('no');
    }
    await expect(inTurns(broken())).rejects.toThrow('no');
  });

  it('lets others have their turn after each long piece', async () => {
    const done: string[] = [];
    let others = 0;
    const other = () => {
      others += 1;
      if (done.length < 5) setImmediate(other);
    };
    setImmediate(other);
    await inTurns(long(5, done, 'a'));
    expect(others).toBeGreaterThanOrEqual(4);
  });

  it('of several, does one piece between two turns of others', async () => {
    const done: string[] = [];
    const between: number[] = [];
    let seen = 0;
    let over = false;
    const other = () => {
      between.push(done.length - seen);
      seen = done.length;
      if (!over) setImmediate(other);
    };
    const all = ['a', 'b', 'c', 'd'].map((name) => inTurns(long(4, done, name)));
    seen = done.length;
    setImmediate(other);
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
    over = true;
    expect(Math.max(...between)).toBe(1);
  });
});
