import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type LocalGoogle, startLocalGoogle } from 'local-google';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GoogleApp } from '../../src/google/app.ts';
import { probeSending } from '../../src/google/probe.ts';
import { appOf, CLIENT, consentOf } from './google-app.ts';

let google: LocalGoogle;
let app: GoogleApp;
beforeAll(async () => {
  google = await startLocalGoogle({ port: 0, clients: [CLIENT] });
  app = await appOf(google);
});
afterAll(() => google.close());

describe('asking Gmail whether it would send', () => {
  it('sends nothing, and says that it would, or why not', async () => {
    const { token } = await consentOf(google);
    expect(await probeSending(app, token.token)).toBeNull();
    google.faults.add({ method: 'messages.send', effect: { kind: 'mailNotEnabled' } });
    expect(await probeSending(app, token.token)).toMatchObject({ message: 'Mail service not enabled' });
    expect(await probeSending(app, 'no token')).toMatchObject({ status: 401 });
    expect(google.truth.accepted()).toEqual([]);
  });

  it('gives it nothing that it could send, whatever that Gmail takes', async () => {
    const bodies: string[] = [];
    const takesAll = createServer((req, res) => {
      let body = '';
      req.on('data', (chunk: Buffer) => {
        body += String(chunk);
      });
      req.on('end', () => {
        bodies.push(body);
        res.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"1","threadId":"1"}');
      });
    });
    await new Promise<void>((resolve) => takesAll.listen(0, '127.0.0.1', resolve));
    const { port } = takesAll.address() as AddressInfo;
    await probeSending({ ...app, endpoints: { ...app.endpoints, gmailRoot: `http://127.0.0.1:${port}/` } }, 'token');
    expect(bodies).toEqual(['{}']);
    await new Promise((resolve) => takesAll.close(resolve));
  });
});
