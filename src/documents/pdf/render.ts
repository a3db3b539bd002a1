import { inTurns } from '../../platform/turns.ts';
import { createWorkerPool, WorkerError } from '../../platform/worker-pool.ts';
import type { PdfInput } from './input.ts';
import { plainWork } from './plain-text.ts';
import type { RenderAnswer, RenderQuestion } from './worker.ts';

/** Makes PDFs in worker processes. */
export interface PdfRenderer {
  /** @returns the file's bytes: the same for the same input. Throws {@link PdfError}. */
  render(input: PdfInput): Promise<Uint8Array>;
  /**
   * The letters of records that no font has: printed, they would be empty boxes.
   *
   * @returns for each record its letters, each once. Throws {@link PdfError}.
   */
  missingLetters(inputs: readonly PdfInput[]): Promise<readonly (readonly string[])[]>;
  /** Stops the workers; renders that are not done are refused. */
  close(): Promise<void>;
}

/** What {@link createPdfRenderer} may be told. */
export interface PdfRendererOptions {
  /** How many workers at most; the default leaves a core for the rest of the program, at most 4. */
  readonly workers?: number | undefined;
  /** The longest one render may take, from when a worker has it. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** After how many renders a worker is replaced: native code may leak, and what it leaks then ends. Default 20,000. */
  readonly rendersPerWorker?: number | undefined;
}

/** A PDF that was not made. */
export class PdfError extends Error {
  override readonly name = 'PdfError';
  readonly code: 'timeout' | 'failed' | 'closed' | 'letters';

  constructor(code: PdfError['code'], message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/**
 * A pool of processes that print. Processes rather than threads, because Typst is native code: a thread in it cannot be
 * interrupted, and what it has allocated comes back for certain only when its process ends.
 */
export function createPdfRenderer(options: PdfRendererOptions = {}): PdfRenderer {
  const pool = createWorkerPool<RenderQuestion, RenderAnswer>({
    program: new URL('worker.ts', import.meta.url),
    workers: options.workers,
    timeoutMs: options.timeoutMs ?? 30_000,
    jobsPerLife: options.rendersPerWorker ?? 20_000,
    jobsAtHand: 2,
    // The worker collects garbage when it knows that there is some.
    execArgv: ['--expose-gc'],
    // Typst lays out one page after the other here; a second thread of it would only spin.
    env: { RAYON_NUM_THREADS: '1' },
  });
  async function ask(question: RenderQuestion): Promise<RenderAnswer> {
    return pool.run(question).catch((error: unknown) => {
      throw error instanceof WorkerError ? pdfError(error) : error;
    });
  }
  return {
    async render(input) {
      const answer = await ask({ print: input });
      if ('pdf' in answer) return answer.pdf;
      throw failed(answer);
    },
    async missingLetters(inputs) {
      // Most records need no looking through, and so no process that reads fonts.
      const unusual: PdfInput[] = [];
      for (const input of inputs) if (!(await inTurns(plainWork(input)))) unusual.push(input);
      if (unusual.length === 0) return inputs.map(() => []);
      const answer = await ask({ missing: unusual });
      if (!('missing' in answer)) throw failed(answer);
      return inputs.map((input) => answer.missing[unusual.indexOf(input)] ?? []);
    },
    close: () => pool.close(),
  };
}

function failed(answer: RenderAnswer): PdfError {
  const why = 'failure' in answer ? answer.failure : 'the process that makes it answered another question';
  return new PdfError('failed', `The PDF could not be made: ${why}`);
}

function pdfError(cause: WorkerError): PdfError {
  switch (cause.code) {
    case 'timeout':
      return new PdfError('timeout', `The PDF was not ready in time. ${cause.message}`, { cause });
    case 'died':
      return new PdfError('failed', 'The PDF could not be made: the process that makes it has ended.', { cause });
    case 'closed':
      return new PdfError('closed', 'The program is stopping; no PDF was made.', { cause });
    default:
      return cause.code satisfies never;
  }
}
