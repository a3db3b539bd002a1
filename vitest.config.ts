import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { CostReport } from './test/support/cost-report.ts';
import { SlowestFirst } from './test/support/slowest-first.ts';

/** The product's tests and Local Google's. Files named `….long.test.ts` take long: `npm run test:all` runs them. */
const all = ['test/**/*.test.ts', 'local-google/test/**/*.test.ts'];

/** Files of which more is tried there: properties, rows of long tables, looks at pages; see `test/support/at-length.ts`. */
function withMore(): string[] {
  const more = /propertyRuns\(|someRows\(|expectFit/;
  return all.flatMap((files) => globSync(files)).filter((file) => more.test(readFileSync(file, 'utf8')));
}

export default defineConfig(({ mode }) => {
  const atLength = mode === 'at-length';
  return {
    test: {
      include: atLength ? [...all.map((files) => files.replace('*.test', '*.long.test')), ...withMore()] : all,
      exclude: [...configDefaults.exclude, ...(atLength ? [] : ['**/*.long.test.ts'])],
      provide: { atLength },
      // Products, commands and workers that tests start as processes read what an earlier one compiled.
      env: { NODE_COMPILE_CACHE: 'node_modules/.cache/compiled' },
      globalSetup: 'test/support/postgres.ts',
      setupFiles: ['test/support/same-every-time.ts', 'test/support/costs.ts'],
      reporters: ['default', new CostReport()],
      pool: 'forks',
      // Reading all modules anew for each file took two fifths of the time; files keep apart by databases or companies of their own.
      isolate: false,
      // One more than there are cores: with as many, a fifth of the time nobody worked, since a test often waits for another
      // process. More than four would crowd the one PostgreSQL.
      maxWorkers: Math.min(availableParallelism() + 1, 4),
      sequence: { sequencer: SlowestFirst },
      // A missing test file is a broken run, never a green one.
      passWithNoTests: false,
      // For what hangs, never for what is slow: a busy machine may take many times as long as an idle one.
      testTimeout: 60_000,
      hookTimeout: 120_000,
      expect: { poll: { timeout: 50_000 } },
    },
  };
});
