import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A small file of test/fixtures/cases, each of which once went wrong. */
export function caseFile(name: string): Buffer {
  return readFileSync(path.join(import.meta.dirname, '../fixtures/cases', name));
}
