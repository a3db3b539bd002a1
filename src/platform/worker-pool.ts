import { type ChildProcess, fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Work that is done in other processes. */
export interface WorkerPool<Job, Answer> {
  /** @returns what the worker answered. Throws {@link WorkerError}. */
  run(job: Job): Promise<Answer>;
  /** Stops the workers; jobs that are not done are refused. */
  close(): Promise<void>;
}

/** What {@link createWorkerPool} is told. */
export interface WorkerPoolOptions {
  /** The worker's program: it answers each message of `process` with one message, in their order, and exits on `disconnect`. */
  readonly program: URL;
  /** How many workers at most; the default leaves a core for the rest of the program, at most 4. */
  readonly workers?: number | undefined;
  /** The longest one job may take, from when a worker has it. */
  readonly timeoutMs: number;
  /** After how many jobs a worker is replaced: native code may leak, and what it leaks then ends. */
  readonly jobsPerLife?: number | undefined;
  /** How many jobs a worker has at once: with the next one at hand it need not wait for us between two. Default 1. */
  readonly jobsAtHand?: number | undefined;
  /** After how long without a job a worker ends, and gives its memory back. Never, where missing. */
  readonly idleMs?: number | undefined;
  /** Node's options for the worker, such as a limit of its memory. */
  readonly execArgv?: readonly string[] | undefined;
  /** More of an environment than `PATH` and `NODE_PATH`: a worker gets no keys and no database. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Whether what a worker says on its standard error is thrown away, for one that may well die of its work. */
  readonly silent?: boolean | undefined;
}

/** A job that was not done: it took too long, its process ended, or the pool is closed. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
  readonly code: 'timeout' | 'died' | 'closed';

  constructor(code: WorkerError['code'], message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

interface Waiting<Job, Answer> {
  readonly job: Job;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: WorkerError) => void;
}

interface Worker<Job, Answer> {
  readonly process: ChildProcess;
  readonly exited: Promise<void>;
  given: number;
  /** What it has, in the order in which it answers. */
  readonly jobs: Waiting<Job, Answer>[];
  /** Runs for the first of its jobs, or for its idleness. */
  timer: NodeJS.Timeout | undefined;
}

/**
 * A small pool of processes. A worker starts with the first job that needs one, does one at a time, and is replaced after
 * `jobsPerLife`, after a timeout and after a crash. An idle pool keeps no program alive.
 *
 * Processes rather than threads: one that hangs can be killed whatever it does, a crash or a lack of memory in it leaves
 * the program alone, and what it has allocated comes back for certain when it ends.
 */
export function createWorkerPool<Job extends object, Answer>(options: WorkerPoolOptions): WorkerPool<Job, Answer> {
  const most = options.workers ?? Math.min(4, Math.max(1, availableParallelism() - 1));
  const { timeoutMs, jobsPerLife = Number.POSITIVE_INFINITY, jobsAtHand = 1, idleMs } = options;
  const workers = new Set<Worker<Job, Answer>>();
  const leaving = new Set<Promise<void>>();
  const waiting: Waiting<Job, Answer>[] = [];
  let closed = false;

  function start(): Worker<Job, Answer> {
    const child = startProcess(options);
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    const worker: Worker<Job, Answer> = { process: child, exited, given: 0, jobs: [], timer: undefined };
    child.on('message', (answer) => {
      // What it answers is the program's own affair; whoever made the pool knows its type.
      worker.jobs.shift()?.resolve(answer as Answer);
      begin(worker);
      if (worker.given >= jobsPerLife && worker.jobs.length === 0) retire(worker);
      assign();
    });
    const lost = (cause: unknown): void =>
      fail(worker, new WorkerError('died', 'The process that did this has ended.', { cause }));
    child.on('error', lost);
    child.on('exit', (code, signal) => lost(new Error(`exit ${code ?? signal}`)));
    workers.add(worker);
    return worker;
  }

  /** Times the job that the worker goes on with. */
  function begin(worker: Worker<Job, Answer>): void {
    clearTimeout(worker.timer);
    if (worker.jobs.length === 0) {
      worker.process.unref();
      worker.process.channel?.unref();
      if (idleMs !== undefined) worker.timer = setTimeout(() => retire(worker), idleMs).unref();
      return;
    }
    worker.timer = setTimeout(() => {
      fail(worker, new WorkerError('timeout', `It was not done after ${timeoutMs / 1_000} seconds.`));
    }, timeoutMs);
  }

  /** Gives a worker up: what it was doing is refused, what it had not begun goes to another. */
  function fail(worker: Worker<Job, Answer>, error: WorkerError): void {
    if (!workers.has(worker)) return;
    const [job, ...others] = worker.jobs.splice(0);
    retire(worker);
    waiting.unshift(...others);
    job?.reject(error);
    assign();
  }

  function retire(worker: Worker<Job, Answer>): void {
    clearTimeout(worker.timer);
    workers.delete(worker);
    worker.process.ref();
    worker.process.kill('SIGKILL');
    leaving.add(worker.exited);
    worker.exited.finally(() => leaving.delete(worker.exited));
  }

  /** A worker that may be given a job: an idle one, else a new one, else one that has room for another. */
  function findWorker(): Worker<Job, Answer> | undefined {
    const free = [...workers].filter(({ given }) => given < jobsPerLife);
    const idle = free.find(({ jobs }) => jobs.length === 0);
    if (idle) return idle;
    if (workers.size < most) return start();
    return free.find(({ jobs }) => jobs.length < jobsAtHand);
  }

  function assign(): void {
    while (!closed && waiting.length > 0) {
      const worker = findWorker();
      const next = worker && waiting.shift();
      if (!worker || !next) return;
      worker.jobs.push(next);
      worker.given += 1;
      if (worker.jobs.length === 1) {
        worker.process.ref();
        worker.process.channel?.ref();
        begin(worker);
      }
      // A worker that has just died is told of by its exit.
      worker.process.send(next.job, () => {});
    }
  }

  return {
    async run(job) {
      if (closed) throw new WorkerError('closed', 'The program is stopping.');
      return new Promise((resolve, reject) => {
        waiting.push({ job, resolve, reject });
        assign();
      });
    },
    async close() {
      closed = true;
      const refused = new WorkerError('closed', 'The program is stopping.');
      for (const job of waiting.splice(0)) job.reject(refused);
      for (const worker of [...workers]) {
        for (const job of worker.jobs.splice(0)) job.reject(refused);
        retire(worker);
      }
      await Promise.all(leaving);
    },
  };
}

function startProcess({ program, execArgv = [], env, silent }: WorkerPoolOptions): ChildProcess {
  const { PATH, NODE_PATH, NODE_COMPILE_CACHE = getCompileCacheDir() } = process.env;
  return fork(fileURLToPath(program), [], {
    env: { PATH, NODE_PATH, ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }), ...env },
    execArgv: [...execArgv],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', silent ? 'ignore' : 'inherit', 'ipc'],
  });
}
