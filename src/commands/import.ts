import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../platform/config.ts';

/** placeholder */
export async function runImport(_config: Config, files: string[]): Promise<void> {
  void readFile;
  void path;
  void files;
}
