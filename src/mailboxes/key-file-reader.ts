import { createWorkerPool, WorkerError } from '../platform/worker-pool.ts';
import { type KeyFile, KeyFileError } from './key-file.ts';
import type { KeyFileAnswer } from './key-file-worker.ts';

/** Reads key files in another process: a key that is made to keep its reader busy keeps nobody else waiting. */
export interface KeyFileReader {
  /** As `readKeyFile` does it. @throws {KeyFileError} */
  read(text: string): Promise<KeyFile>;
  close(): Promise<void>;
}

/** @param timeoutMs the longest that one file may take */
export function createKeyFileReader(timeoutMs = 15_000): KeyFileReader {
  const pool = createWorkerPool<{ readonly text: string }, KeyFileAnswer>({
    program: new URL('key-file-worker.ts', import.meta.url),
    workers: 1,
    timeoutMs,
    idleMs: 10_000,
    execArgv: ['--max-old-space-size=128'],
    silent: true,
  });
  return {
    async read(text) {
      const answer = await pool.run({ text }).catch((error: unknown): KeyFileAnswer => {
        if (!(error instanceof WorkerError)) throw error;
        return {
          refused:
            'Reading this key file took too long, and was stopped. Make a new key for the service account and choose its file.',
        };
      });
      if ('refused' in answer) throw new KeyFileError(answer.refused);
      return answer.keyFile;
    },
    close: () => pool.close(),
  };
}
