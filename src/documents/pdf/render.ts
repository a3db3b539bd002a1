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
  /** After how many renders a worker is replaced: native code may leak, and what it leaks then ends. Default 20,000. */
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
  readonly resolve: (pdf: Uint8Array) => void;
  readonly reject: (error: PdfError) => void;
}

interface PdfWorker {
  readonly process: ChildProcess;
  readonly exited: Promise<void>;
  renders: number;
  /** What it has, in the order in which it answers: one that it makes, and one that it goes on with at once. */
  readonly jobs: Job[];
  /** Runs for the first of them. */
  timer: NodeJS.Timeout | undefined;
}

/** With the next record at hand a worker need not wait for us between two. */
const jobsPerWorker = 2;

/**
 * A small pool of processes. A worker starts with the first record that needs one, makes one record at a time, and is
 * replaced after `rendersPerWorker` records, after a timeout and after a crash. An idle pool keeps no program alive.
 *
 * Processes rather than threads, because Typst is native code: a thread in it cannot be interrupted, a crash in it takes
 * the whole program down, and what it has allocated comes back for certain only when its process ends.
 */
export function createPdfRenderer(options: PdfRendererOptions = {}): PdfRenderer {
  const most = options.workers ?? Math.min(4, Math.max(1, availableParallelism() - 1));
  const timeoutMs = options.timeoutMs ?? 30_000;
  const rendersPerWorker = options.rendersPerWorker ?? 20_000;
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
    const worker: PdfWorker = { process: child, exited, renders: 0, jobs: [], timer: undefined };
    child.on('message', (answer: RenderAnswer) => {
      const job = worker.jobs.shift();
      if ('pdf' in answer) job?.resolve(answer.pdf);
      else job?.reject(new PdfError('failed', `The PDF could not be made: ${answer.failure}`));
      begin(worker);
      if (worker.renders >= rendersPerWorker && worker.jobs.length === 0) retire(worker);
      assign();
    });
    const lost = (cause: unknown): void => {
      fail(
        worker,
        new PdfError('failed', 'The PDF could not be made: the process that makes it has ended.', { cause }),
      );
    };
    child.on('error', lost);
    child.on('exit', (code, signal) => lost(new Error(`exit ${code ?? signal}`)));
    workers.add(worker);
    return worker;
  }

  /** Times the job that the worker goes on with. */
  function begin(worker: PdfWorker): void {
    clearTimeout(worker.timer);
    if (worker.jobs.length === 0) {
      worker.process.unref();
      worker.process.channel?.unref();
      return;
    }
    worker.timer = setTimeout(() => {
      fail(worker, new PdfError('timeout', `The PDF was not ready after ${timeoutMs / 1_000} seconds.`));
    }, timeoutMs);
  }

  /** Gives a worker up: what it was making is refused, what it had not begun goes to another. */
  function fail(worker: PdfWorker, error: PdfError): void {
    if (!workers.has(worker)) return;
    const [job, ...others] = worker.jobs.splice(0);
    retire(worker);
    waiting.unshift(...others);
    job?.reject(error);
    assign();
  }

  function retire(worker: PdfWorker): void {
    clearTimeout(worker.timer);
    workers.delete(worker);
    worker.process.ref();
    worker.process.kill('SIGKILL');
    leaving.add(worker.exited);
    worker.exited.finally(() => leaving.delete(worker.exited));
  }

  /** A worker that may be given a record: an idle one, else a new one, else one that is busy with a single record. */
  function findWorker(): PdfWorker | undefined {
    const free = [...workers].filter(({ renders }) => renders < rendersPerWorker);
    const idle = free.find(({ jobs }) => jobs.length === 0);
    if (idle) return idle;
    if (workers.size < most) return start();
    return free.find(({ jobs }) => jobs.length < jobsPerWorker);
  }

  function assign(): void {
    while (!closed && waiting.length > 0) {
      const worker = findWorker();
      const job = worker && waiting.shift();
      if (!worker || !job) return;
      worker.jobs.push(job);
      worker.renders += 1;
      if (worker.jobs.length === 1) {
        worker.process.ref();
        worker.process.channel?.ref();
        begin(worker);
      }
      // A worker that has just died is told of by its exit.
      worker.process.send(job.input, () => {});
    }
  }

  return {
    async render(input) {
      if (closed) throw new PdfError('closed', 'The program is stopping; no PDF was made.');
      return new Promise((resolve, reject) => {
        waiting.push({ input, resolve, reject });
        assign();
      });
    },
    async close() {
      closed = true;
      const refused = new PdfError('closed', 'The program is stopping; no PDF was made.');
      for (const job of waiting.splice(0)) job.reject(refused);
      for (const worker of [...workers]) {
        for (const job of worker.jobs.splice(0)) job.reject(refused);
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
    // Typst lays out one page after the other here; a second thread of it would only spin.
    env: { PATH, NODE_PATH, RAYON_NUM_THREADS: '1' },
    // The worker collects garbage when it knows that there is some.
    execArgv: ['--expose-gc'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}
