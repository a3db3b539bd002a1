/**
 * How many sends of 60 KB Local Google takes per core, beside a bare HTTP server that only reads the body: it must never
 * be the bottleneck of what is measured against it. Each server is a process of its own; its own CPU time is what
 * counts, so that the load generator and others on this machine do not.
 *
 *   node bench/google.ts [messages]
 */

import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startLocalGoogle } from 'local-google';

const MESSAGE_BYTES = 60 * 1024;
const CONNECTIONS = 16;
const REDIRECT = 'http://localhost:1/callback';
const ACCOUNT = 'office@brightwater.example';

type Kind = 'bare' | 'google';

if (process.argv[2] === 'serve') await serve(process.argv[3] === 'google' ? 'google' : 'bare');
else await measure(Number(process.argv[2] ?? 6000));

async function measure(count: number): Promise<void> {
  console.log(
    `${count} sends of ${MESSAGE_BYTES / 1024} KB, ${CONNECTIONS} connections, state in memory, headers only`,
  );
  for (const way of ['media', 'json'] as const) {
    const bare = await run('bare', way, count);
    const google = await run('google', way, count);
    const ratio = (google.perCore / bare.perCore).toFixed(2);
    console.log(`  ${way.padEnd(5)}  Local Google ${tell(google)}`);
    console.log(`         bare server  ${tell(bare)}`);
    console.log(`         ratio per core ${ratio}`);
  }
}

interface Rate {
  perSecond: number;
  /** Sends per second of the server's own CPU time. */
  perCore: number;
}

function tell({ perSecond, perCore }: Rate): string {
  return `${Math.round(perCore)} a second per core (${Math.round(perSecond)} a second by the clock)`;
}

/** Starts a server, warms it up, and loads it. */
async function run(kind: Kind, way: 'media' | 'json', count: number): Promise<Rate> {
  const child = fork(fileURLToPath(import.meta.url), ['serve', kind]);
  const answer = () =>
    new Promise<Record<string, unknown>>((resolve) => child.once('message', (m) => resolve(Object(m))));
  const { port, token } = await answer();
  const request = requestFor(way, Number(port), String(token));
  await load(Number(port), request, Math.min(1000, count));
  const cpu = async () => {
    const told = answer();
    child.send('cpu');
    return Number((await told)['cpu']);
  };
  const before = await cpu();
  const started = performance.now();
  await load(Number(port), request, count);
  const seconds = (performance.now() - started) / 1000;
  const used = ((await cpu()) - before) / 1_000_000;
  child.disconnect();
  return { perSecond: count / seconds, perCore: count / used };
}

function requestFor(way: 'media' | 'json', port: number, token: string): Buffer {
  const lines = Buffer.alloc(MESSAGE_BYTES, `${'QUJD'.repeat(19)}\r\n`);
  const head = `From: ${ACCOUNT}\r\nTo: mira@northgate.example\r\nSubject: Invoice 141\r\nX-Letterhead-Delivery: d-1\r\nMIME-Version: 1.0\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n`;
  const mime = Buffer.concat([Buffer.from(head), lines]).subarray(0, MESSAGE_BYTES);
  const [path, type, body] =
    way === 'media'
      ? ['/upload/gmail/v1/users/me/messages/send?uploadType=media', 'message/rfc822', mime]
      : [
          '/gmail/v1/users/me/messages/send',
          'application/json',
          Buffer.from(JSON.stringify({ raw: mime.toString('base64url') })),
        ];
  const lead = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(lead), body]);
}

/** Sends a request `count` times over a few connections, each waiting for its answer. */
async function load(port: number, request: Buffer, count: number): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const socket = connect(port, '127.0.0.1');
      await new Promise((resolve) => socket.once('connect', resolve));
      while (left-- > 0) await exchange(socket, request);
      socket.destroy();
    }),
  );
}

/** One request and its whole answer; anything but 200 is an error. */
function exchange(socket: Socket, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(text)?.[1];
      if (end === -1 || length === undefined || text.length < end + 4 + Number(length)) return;
      socket.off('data', read);
      if (text.startsWith('HTTP/1.1 200')) resolve();
      else reject(new Error(text));
    };
    socket.on('data', read);
    socket.write(request);
  });
}

/** The server of one run: tells where it is, answers for its CPU time, and ends with its parent. */
async function serve(kind: Kind): Promise<void> {
  process.on('disconnect', () => process.exit());
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpu: user + system });
  });
  process.send?.(kind === 'google' ? await googleServer() : await bareServer());
}

async function bareServer(): Promise<{ port: number; token: string }> {
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = JSON.stringify({ size: Buffer.concat(chunks).length });
      res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { port: typeof address === 'object' && address ? address.port : 0, token: 'none' };
}

async function googleServer(): Promise<{ port: number; token: string }> {
  const client = { id: 'bench', secret: 'bench', name: 'Bench', redirectUris: [REDIRECT] };
  const google = await startLocalGoogle({ port: 0, clients: [client], headersOnly: true });
  const parameters = new URLSearchParams({
    ...{ client_id: client.id, redirect_uri: REDIRECT, response_type: 'code', access_type: 'offline' },
    scope: 'https://www.googleapis.com/auth/gmail.send',
  });
  const callback = await google.approve(`${google.url}/o/oauth2/v2/auth?${parameters}`, { account: ACCOUNT });
  const body = new URLSearchParams({
    ...{ grant_type: 'authorization_code', code: new URL(callback).searchParams.get('code') ?? '' },
    ...{ client_id: client.id, client_secret: client.secret, redirect_uri: REDIRECT },
  });
  const answer: unknown = await (await fetch(`${google.url}/token`, { method: 'POST', body })).json();
  return { port: Number(new URL(google.url).port), token: String(Object(answer).access_token) };
}
