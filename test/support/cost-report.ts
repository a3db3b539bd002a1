import path from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

/** What one file took, in seconds. */
interface Cost {
  readonly file: string;
  /** From its first import to its last hook. */
  readonly wall: number;
  /** Of its own process; see {@link CostReport}. */
  readonly cpu: number;
}

/** How many of the slowest files are named. */
const named = 10;

/**
 * Closes a run of several files with the slowest ones, and with the CPU seconds of each folder.
 *
 * CPU is that of the process in which the tests of a file run, with the servers they start in it. Not counted is what runs
 * in processes of its own: PostgreSQL, Chromium, workers and commands that a test starts, and Vitest itself, which reads
 * and translates the files.
 */
export class CostReport implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const costs = modules.map(costOf);
    if (costs.length < 2) return;
    console.log(`\n${[...slowest(costs), '', ...byFolder(costs)].join('\n')}\n`);
  }
}

function costOf(module: TestModule): Cost {
  const { collectDuration, setupDuration, duration } = module.diagnostic();
  return {
    file: path.relative(process.cwd(), module.moduleId),
    wall: (collectDuration + setupDuration + duration) / 1_000,
    cpu: module.meta().cpuSeconds ?? 0,
  };
}

/** The lines about the slowest files, the slowest first. */
export function slowest(costs: readonly Cost[]): string[] {
  const most = costs.toSorted((a, b) => b.wall - a.wall).slice(0, named);
  return ['Slowest files', ...most.map(({ file, wall, cpu }) => `${seconds(wall)} ${seconds(cpu)} CPU  ${file}`)];
}

/** The lines about the folders, the costliest first, and about all of them. */
export function byFolder(costs: readonly Cost[]): string[] {
  const folders = Map.groupBy(costs, ({ file }) => path.dirname(file));
  const sums = [...folders].map(([folder, files]) => ({ folder, files: files.length, cpu: sumOf(files) }));
  const lines = sums
    .toSorted((a, b) => b.cpu - a.cpu)
    .map(({ folder, files, cpu }) => `${seconds(cpu)}  ${folder} (${files})`);
  return ['CPU by folder', ...lines, `${seconds(sumOf(costs))}  in all (${costs.length})`];
}

function sumOf(costs: readonly Cost[]): number {
  return costs.reduce((sum, { cpu }) => sum + cpu, 0);
}

function seconds(value: number): string {
  return `${value.toFixed(1).padStart(8)} s`;
}
