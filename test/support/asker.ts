import { Worker } from 'node:worker_threads';

/** What is asked for, from another thread. */
export interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** What came back. */
export interface Answered {
  readonly status: number;
  readonly location: string | null;
  readonly bytes: Uint8Array;
}

/** Asks for pages in a thread of its own, so that this one does nothing but answer. */
export interface Asker {
  ask(asked: Asked): Promise<Answered>;
  close(): Promise<unknown>;
}

const program = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', async ({ url, ...asked }) => {
  const response = await fetch(url, { ...asked, redirect: 'manual' });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const { status, headers } = response;
  parentPort.postMessage({ status, location: headers.get('location'), bytes }, [bytes.buffer]);
});`;

/** Starts one. It does one thing at a time. */
export function createAsker(): Asker {
  const worker = new Worker(program, { eval: true });
  return {
    ask: (asked) =>
      new Promise((resolve, reject) => {
        worker.once('error', reject);
        worker.once('message', (answered: Answered) => {
          worker.off('error', reject);
          resolve(answered);
        });
        worker.postMessage(asked, asked.body ? [asked.body.buffer] : []);
      }),
    close: () => worker.terminate(),
  };
}
