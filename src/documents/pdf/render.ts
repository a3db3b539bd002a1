import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { PdfInput } from './input.ts';
import type { RenderAnswer } from './worker.ts';

/** Makes PDFs in worker processes. */
export interface PdfRenderer {
  /** @returns the file's bytes: the same for the same input. Throws {@link PdfError}. */
  render(input: PdfInput): Promise<Uint8Array>;
  /** Stops the workers; renders that are not done are refused. */
  close(): Promise<void>;
}

/** What {@link createPdfRenderer} may be told. */
export interface PdfRendererOptions {
  /** How many workers at most; the default leaves a core for the rest of the program, at most 4. */
  readonly workers?: number | undefined;
  /** The longest one render may take, from when a worker has it. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /**
   * After how many renders a worker is replaced, since Typst's memory grows by 0.4 MB with each. A line counts for half
   * a render, which is what it leaves behind. Default 1,000.
   */
  readonly rendersPerWorker?: number | undefined;
}

/** A PDF that was not made. */
export class PdfError extends Error {
  override readonly name = 'PdfError';
  readonly code: 'timeout' | 'failed' | 'closed';

  constructor(code: PdfError['code'], message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

interface Job {
  readonly input: PdfInput;
  /** In renders; see `rendersPerWorker`. */
  readonly cost: number;
  readonly resolve: (pdf: Uint8Array) => void;
  readonly reject: (error: PdfError) => void;
}

interface PdfWorker {
  readonly process: ChildProcess;
  readonly exited: Promise<void>;
  renders: number;
  job: Job | undefined;
  timer: NodeJS.Timeout | undefined;
}

/**
 * A small pool of processes. A worker starts with the first record that needs one, holds one record at a time, and is
 * replaced after `rendersPerWorker` records, after a timeout and after a crash. An idle pool keeps no program alive.
 *
 * Processes rather than threads, because Typst is native code: a thread in it cannot be interrupted, a crash in it takes
 * the whole program down, and what it has allocated comes back for certain only when its process ends.
 */
export function createPdfRenderer(options: PdfRendererOptions = {}): PdfRenderer {
  const most = options.workers ?? Math.min(4, Math.max(1, availableParallelism() - 1));
  const timeoutMs = options.timeoutMs ?? 30_000;
  const rendersPerWorker = options.rendersPerWorker ?? 1_000;
  const workers = new Set<PdfWorker>();
  const leaving = new Set<Promise<void>>();
  const waiting: Job[] = [];
  let closed = false;

  function start(): PdfWorker {
    const child = startProcess();
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    const worker: PdfWorker = { process: child, exited, renders: 0, job: undefined, timer: undefined };
    child.on('message', (answer: RenderAnswer) => {
      const job = release(worker);
      if ('pdf' in answer) job?.resolve(answer.pdf);
      else job?.reject(new PdfError('failed', `The PDF could not be made: ${answer.failure}`));
      if (worker.renders >= rendersPerWorker) retire(worker);
      assign();
    });
    const lost = (cause: unknown): void => {
      if (!workers.has(worker)) return;
      const job = release(worker);
      retire(worker);
      job?.reject(new PdfError('failed', 'The PDF could not be made: the process that makes it has ended.', { cause }));
      assign();
    };
    child.on('error', lost);
    child.on('exit', (code, signal) => lost(new Error(`exit ${code ?? signal}`)));
    workers.add(worker);
    return worker;
  }

  function release(worker: PdfWorker): Job | undefined {
    const job = worker.job;
    clearTimeout(worker.timer);
    worker.job = undefined;
    worker.process.unref();
    worker.process.channel?.unref();
    return job;
  }

  function retire(worker: PdfWorker): void {
    workers.delete(worker);
    worker.process.ref();
    worker.process.kill('SIGKILL');
    leaving.add(worker.exited);
    worker.exited.finally(() => leaving.delete(worker.exited));
  }

  function assign(): void {
    while (!closed && waiting.length > 0) {
      const idle =
        [...workers].find((worker) => worker.job === undefined) ?? (workers.size < most ? start() : undefined);
      const job = idle && waiting.shift();
      if (!idle || !job) return;
      idle.job = job;
      idle.renders += job.cost;
      idle.process.ref();
      idle.process.channel?.ref();
      idle.timer = setTimeout(() => {
        release(idle);
        retire(idle);
        job.reject(new PdfError('timeout', `The PDF was not ready after ${timeoutMs / 1_000} seconds.`));
        assign();
      }, timeoutMs);
      // A worker that has just died is told of by its exit.
      idle.process.send(job.input, () => {});
    }
  }

  return {
    async render(input) {
      if (closed) throw new PdfError('closed', 'The program is stopping; no PDF was made.');
      return new Promise((resolve, reject) => {
        waiting.push({ input, cost: 1 + Math.floor(input.content.lines.length / 2), resolve, reject });
        assign();
      });
    },
    async close() {
      closed = true;
      const refused = new PdfError('closed', 'The program is stopping; no PDF was made.');
      for (const job of waiting.splice(0)) job.reject(refused);
      for (const worker of [...workers]) {
        release(worker)?.reject(refused);
        retire(worker);
      }
      await Promise.all(leaving);
    },
  };
}

/** A worker gets none of our environment: no keys, no database. */
function startProcess(): ChildProcess {
  const { PATH, NODE_PATH } = process.env;
  return fork(fileURLToPath(new URL('worker.ts', import.meta.url)), [], {
    env: { PATH, NODE_PATH },
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}
