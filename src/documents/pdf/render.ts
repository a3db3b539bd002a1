import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { PdfInput } from './input.ts';
import { printedDocument } from './printed.ts';
import type { RenderAnswer, RenderRequest } from './worker.ts';

export type { CompanyHead, PdfInput } from './input.ts';

/** Makes PDFs in worker threads. */
export interface PdfRenderer {
  /** @returns the file's bytes: the same for the same input. Throws {@link PdfError}. */
  render(input: PdfInput): Promise<Uint8Array>;
  /** Stops the threads; renders that are still waiting are refused. */
  close(): Promise<void>;
}

/** What {@link createPdfRenderer} may be told. */
export interface PdfRendererOptions {
  /** How many threads; the default leaves a core for the rest of the program, at most 4. */
  readonly threads?: number | undefined;
  /** The longest one render may take, once it has begun. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** After how many renders a thread is replaced, since Typst's memory grows. Default 1,000. */
  readonly rendersPerThread?: number | undefined;
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
  readonly request: RenderRequest;
  readonly resolve: (pdf: Uint8Array) => void;
  readonly reject: (error: PdfError) => void;
}

interface Thread {
  readonly worker: Worker;
  renders: number;
  job: Job | undefined;
  timer: NodeJS.Timeout | undefined;
}

/**
 * A small pool. A thread starts with the first record that needs one, holds one record at a time, is replaced after
 * `rendersPerThread` records, after a timeout and after a crash. An idle pool keeps no process alive.
 */
export function createPdfRenderer(options: PdfRendererOptions = {}): PdfRenderer {
  const most = options.threads ?? Math.min(4, Math.max(1, availableParallelism() - 1));
  const timeoutMs = options.timeoutMs ?? 30_000;
  const rendersPerThread = options.rendersPerThread ?? 1_000;
  const threads = new Set<Thread>();
  const waiting: Job[] = [];
  // Typst cannot be interrupted: a thread that is told to stop ends when its record is done.
  const leaving = new Set<Promise<unknown>>();
  let closed = false;

  function start(): Thread {
    const worker = new Worker(new URL('worker.ts', import.meta.url));
    const thread: Thread = { worker, renders: 0, job: undefined, timer: undefined };
    worker.on('message', (answer: RenderAnswer) => {
      const job = finish(thread);
      if ('pdf' in answer) job?.resolve(answer.pdf);
      else job?.reject(new PdfError('failed', `The PDF could not be made: ${answer.failure}`));
      if (thread.renders >= rendersPerThread) retire(thread);
      next();
    });
    worker.on('error', (cause) => {
      const job = finish(thread);
      retire(thread);
      job?.reject(
        new PdfError('failed', `The PDF could not be made: ${cause instanceof Error ? cause.message : String(cause)}`, {
          cause,
        }),
      );
      next();
    });
    worker.unref();
    threads.add(thread);
    return thread;
  }

  function finish(thread: Thread): Job | undefined {
    const job = thread.job;
    clearTimeout(thread.timer);
    thread.job = undefined;
    thread.worker.unref();
    return job;
  }

  function retire(thread: Thread): void {
    threads.delete(thread);
    thread.worker.removeAllListeners();
    // A late crash of a thread that nobody waits for any more is nobody's news.
    thread.worker.on('error', () => {});
    const ended = thread.worker.terminate();
    leaving.add(ended);
    ended.finally(() => leaving.delete(ended)).catch(() => {});
  }

  function next(): void {
    while (!closed) {
      const idle =
        [...threads].find((thread) => thread.job === undefined) ??
        (threads.size < most && waiting.length > 0 ? start() : undefined);
      const job = idle && waiting.shift();
      if (!idle || !job) return;
      idle.job = job;
      idle.renders += 1;
      idle.worker.ref();
      idle.timer = setTimeout(() => {
        finish(idle);
        retire(idle);
        job.reject(new PdfError('timeout', `The PDF was not ready after ${timeoutMs / 1_000} seconds.`));
        next();
      }, timeoutMs);
      idle.worker.postMessage(job.request);
    }
  }

  return {
    async render(input) {
      if (closed) throw new PdfError('closed', 'The program is stopping; no PDF was made.');
      const request: RenderRequest = {
        document: JSON.stringify(printedDocument(input)),
        createdAt: Date.parse(`${input.content.issueDate}T00:00:00Z`) / 1_000,
      };
      return new Promise((resolve, reject) => {
        waiting.push({ request, resolve, reject });
        next();
      });
    },
    async close() {
      closed = true;
      const refused = new PdfError('closed', 'The program is stopping; no PDF was made.');
      for (const job of waiting.splice(0)) job.reject(refused);
      for (const thread of [...threads]) {
        finish(thread)?.reject(refused);
        retire(thread);
      }
      await Promise.all(leaving);
    },
  };
}
