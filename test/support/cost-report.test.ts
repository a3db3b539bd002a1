import { describe, expect, it } from 'vitest';
import { byFolder, slowest } from './cost-report.ts';

const costs = Array.from({ length: 12 }, (_, index) => ({
  file: index < 10 ? `test/web/${index}.test.ts` : `test/deliveries/${index}.test.ts`,
  ...{ wall: index, cpu: index < 10 ? 1 : 20 },
}));

describe('the end of a run', () => {
  it('names the ten slowest files, the slowest first', () => {
    const [title, first, ...others] = slowest(costs);
    expect(title).toBe('Slowest files');
    expect(first).toBe('    11.0 s     20.0 s CPU  test/deliveries/11.test.ts');
    expect(others).toHaveLength(9);
    expect(others.at(-1)).toContain('test/web/2.test.ts');
  });

  it('says what each folder cost, the costliest first, and all of them', () => {
    expect(byFolder(costs)).toEqual([
      'CPU by folder',
      '    40.0 s  test/deliveries (2)',
      '    10.0 s  test/web (10)',
      '    50.0 s  in all (12)',
    ]);
  });
});
