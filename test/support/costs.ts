import { afterAll } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** CPU seconds of the worker process while it read and ran this file; see `cost-report.ts`. */
    cpuSeconds?: number;
  }
}

// This is read anew before each file, so what the file imports is counted with it.
const before = process.cpuUsage();
// biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the parameter's text what the hook needs.
afterAll(({}, { file }) => {
  const { user, system } = process.cpuUsage(before);
  file.meta.cpuSeconds = (user + system) / 1_000_000;
});
