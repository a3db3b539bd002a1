import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/postgres.ts',
    setupFiles: 'test/support/same-every-time.ts',
    pool: 'forks',
    // Each file has a database, an app and a Google of its own; reading all modules anew for each took two fifths of the time.
    isolate: false,
    // By default one core would stay idle; most of a test here is waiting. More than four would crowd the one PostgreSQL.
    maxWorkers: Math.min(availableParallelism(), 4),
    // A missing test file is a broken run, never a green one.
    passWithNoTests: false,
    // For what hangs, never for what is slow: a busy machine may take many times as long as an idle one.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 50_000 } },
  },
});
