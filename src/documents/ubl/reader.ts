import { createWorkerPool, WorkerError } from '../../platform/worker-pool.ts';
import type { ImportedDocument } from '../read-ubl.ts';
import { ImportError } from './import-error.ts';
import type { ReadAnswer, ReadJob } from './worker.ts';

/** Reads files in other processes, so that nobody else notices what they are like. */
export interface UblReader {
  /** As `readUbl` does it. Throws {@link ImportError}, also where a file takes too much time or memory. */
  read(bytes: Uint8Array, fileName: string): Promise<ImportedDocument>;
  close(): Promise<void>;
}

/** What {@link createUblReader} may be told. */
export interface UblReaderOptions {
  /** The longest that one file may take. Default 20,000; 5 MB that are as they should be take about a second. */
  readonly timeoutMs?: number | undefined;
  /** The most memory a worker may have for its objects, in MB. Default 256. */
  readonly memoryMb?: number | undefined;
}

/** Two workers, so that a file that takes all of its time leaves a way for others; they end when nobody imports anything. */
export function createUblReader({ timeoutMs = 20_000, memoryMb = 256 }: UblReaderOptions = {}): UblReader {
  const pool = createWorkerPool<ReadJob, ReadAnswer>({
    program: new URL('worker.ts', import.meta.url),
    workers: 2,
    timeoutMs,
    jobsPerLife: 500,
    idleMs: 60_000,
    execArgv: [`--max-old-space-size=${memoryMb}`],
    // A worker that runs out of memory says so at length.
    silent: true,
  });
  return {
    async read(bytes, fileName) {
      const answer = await pool.run({ bytes, fileName }).catch((error: unknown) => {
        throw error instanceof WorkerError ? given(error) : error;
      });
      if ('imported' in answer) return answer.imported;
      if ('failure' in answer) throw new Error(`A file could not be read: ${answer.failure}`);
      const { code, message, line } = answer.refused;
      throw new ImportError(code, message, { line });
    },
    close: () => pool.close(),
  };
}

function given(cause: WorkerError): Error {
  switch (cause.code) {
    case 'timeout':
      return new ImportError(
        'too_complex',
        'Reading it took too long, and was stopped. Split it, and import the parts; if it is small, ask whoever made it for another.',
        { cause },
      );
    case 'died':
      return new ImportError(
        'too_complex',
        'Reading it took too much memory, and was stopped. Split it, and import the parts.',
        { cause },
      );
    case 'closed':
      return new ImportError('too_complex', 'Letterhead is stopping. Import the file again in a minute.', { cause });
    default:
      return cause.code satisfies never;
  }
}
