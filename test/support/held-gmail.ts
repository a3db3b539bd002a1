import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** At which moment of which request of a mailbox everything stops. */
export interface Hold {
  /** A part of the request's path, such as `/drafts/send`. */
  readonly path: string;
  /** `asked`: the worker asked, and Gmail never hears of it. `answered`: Gmail has done it, and the worker never hears. */
  readonly when: 'asked' | 'answered';
}

/** A way to Local Google on which requests stop, for ever, so that a worker can be killed at that very moment. */
export interface HeldGmail {
  /** For `GMAIL_ROOT_URL`. */
  readonly url: string;
  /** Stops the first request that fits, of whoever shows this access token. */
  hold(accessToken: string, hold: Hold): void;
  /** How many stand still by now. */
  held(): number;
  close(): Promise<void>;
}

/** Opens it; whatever is not to be held goes through. */
export async function heldGmail(target: string): Promise<HeldGmail> {
  const holds = new Map<string, Hold>();
  let held = 0;
  const server = http.createServer((incoming, outgoing) => {
    const token = incoming.headers.authorization?.replace('Bearer ', '') ?? '';
    const wanted = holds.get(token);
    const hold = wanted && incoming.url?.includes(wanted.path) ? wanted : undefined;
    if (hold?.when === 'asked') {
      incoming.resume().on('end', () => {
        held += 1;
      });
      return;
    }
    const { method, headers, url = '/' } = incoming;
    const onward = http.request(new URL(url, target), { ...(method && { method }), headers }, (answer) => {
      if (hold) {
        answer.resume().on('end', () => {
          held += 1;
        });
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    hold(accessToken, hold) {
      holds.set(accessToken, hold);
    },
    held: () => held,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
