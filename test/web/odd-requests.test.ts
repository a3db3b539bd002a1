import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/web/app.ts';
import { someRows } from '../support/at-length.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { routesOf } from '../support/routes.ts';
import { signedInCookie } from './signed-in.ts';

let letterhead: TestLetterhead;
let headers: Record<string, string>;
let company: string;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  const { name, value } = await signedInCookie(letterhead);
  headers = { cookie: `${name}=${value}`, 'sec-fetch-site': 'same-origin' };
  const page = await fetch(`${letterhead.url}/imports`, { headers });
  company = /company=([0-9a-f-]{36})/.exec(await page.text())?.[1] ?? '';
});
afterAll(() => letterhead.close());

/** What a form's page would never send: type and body. */
const bodies: readonly (readonly [type: string, body: string])[] = [
  ['application/x-www-form-urlencoded', ''],
  [
    'application/x-www-form-urlencoded',
    'name[]=x&name[a]=y&kind[]=x&do[a]=b&id[x]=1&limit[0]=2&mode[x]=1&version[a]=1&email[]=x',
  ],
  [
    'application/x-www-form-urlencoded',
    'name=a&name=b&kind=x&kind=y&id=1&id=2&limit=1&limit=2&email=a@b.c&email=b@c.d',
  ],
  [
    'application/x-www-form-urlencoded',
    '__proto__[x]=1&constructor[prototype][x]=1&__proto__=1&toString=1&hasOwnProperty=1',
  ],
  ['application/x-www-form-urlencoded', '%ff%fe=%c3%28&name=%ed%a0%80&email=%80'],
  ['application/json', '{"name":{"a":1},"kind":["invoice"]}'],
  ['text/plain', 'name=x'],
  ['multipart/form-data', 'no boundary'],
  ['multipart/form-data; boundary=x', '--x\\r\\nContent-Disposition: form-data; name="a"\\r\\n\\r\\n1'],
  [
    'multipart/form-data; boundary=x',
    '--x\\r\\nContent-Type: multipart/mixed; boundary=y\\r\\n\\r\\n--y\\r\\n--y--\\r\\n--x--',
  ],
  ['application/x-www-form-urlencoded; charset=utf-7', 'name=x'],
  ['x', 'name=x'],
];

describe('whatever is sent', () => {
  it('to any address that writes is answered by a page of theirs, never with an error of ours', async () => {
    const app = createApp(letterhead.context, letterhead.database.pool);
    const writes = routesOf(app).filter((route) => !/^(GET|HEAD) /.test(route) && !route.endsWith('/sign-out'));
    expect(writes.length).toBeGreaterThan(30);
    for (const route of someRows(writes)) {
      const [method = '', address = ''] = route.split(' ');
      const path = address.replaceAll(/:\w+/g, randomUUID());
      for (const [type, body] of bodies) {
        const answer = await fetch(`${letterhead.url}${path}?company=${company}`, {
          ...{ method, body: body.replaceAll('\\r\\n', '\r\n'), redirect: 'manual' },
          headers: { ...headers, 'content-type': type },
        });
        expect(answer.status, `${route} ${type} ${body} ${await answer.text()}`).toBeLessThan(500);
      }
    }
    expect(letterhead.logged()).not.toContain('request failed');
  });

  it('is asked in the query of any page is no error of ours', async () => {
    const app = createApp(letterhead.context, letterhead.database.pool);
    const reads = routesOf(app).filter((route) => route.startsWith('GET '));
    expect(reads.length).toBeGreaterThan(30);
    const names = [
      'q',
      'after',
      'kind',
      'status',
      'id',
      'party',
      'instead',
      'next',
      'page',
      'state',
      'ids',
      'run',
      'kept',
      'switch',
    ];
    const odd = [
      '',
      '%ff',
      '%00',
      '%ed%a0%80',
      'x'.repeat(3_000),
      '__proto__',
      '%F0%9F%A7%BE',
      '-1',
      '9'.repeat(30),
      'null',
      "'",
      '%25',
      randomUUID(),
    ];
    for (const [number, route] of someRows(reads).entries()) {
      for (const [at, value] of odd.entries()) {
        const id = at % 2 === 0 ? randomUUID() : value || 'x';
        const path = (route.split(' ')[1] ?? '').replaceAll(/:\w+/g, id).replaceAll('*path', 'x');
        const form = ['', '[]', '[a]', '[__proto__]'][(at + number) % 4];
        const query = names.map((name) => `${name}${form}=${value}`).join('&');
        const answer = await fetch(`${letterhead.url}${path}?${query}`, { headers, redirect: 'manual' });
        expect(answer.status, `${path}?${query} ${(await answer.text()).slice(-1_500)}`).not.toBe(500);
      }
    }
    expect(letterhead.logged()).not.toContain('request failed');
  });
});

/** Sends bytes as they stand; returns the status that came back. */
function raw(text: string): Promise<number> {
  const { port, hostname } = new URL(letterhead.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let got = '';
    socket.on('data', (part) => {
      got += part;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(got)?.[1])));
  });
}

describe('a request', () => {
  it.each([
    ['GET', '*', 404],
    ['POST', '*', 404],
    ['GET', '//evil.example/', 404],
    ['GET', '/%ff', 404],
    ['TRACE', '/', 409],
    ['PROPFIND', '/documents', 409],
  ])('of %s for %s is answered', async (method, target, status) => {
    const { host } = new URL(letterhead.url);
    const lines = Object.entries({ ...headers, host, connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
    expect(await raw(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)).toBe(status);
    expect(letterhead.logged()).not.toContain('request failed');
  });
});

describe('a new record’s form', () => {
  const fields = { kind: 'invoice', issueDate: '2026-12-01', currency: 'EUR', 'party[email]': 'a@elm.example' };
  const send = async (key: string, more: Record<string, string>) => {
    const line = { 'lines[0][name]': 'Chair', 'lines[0][quantity]': '1', 'lines[0][unitPrice]': '10' };
    const answer = await fetch(`${letterhead.url}/documents?company=${company}`, {
      ...{ method: 'POST', headers, redirect: 'manual' },
      body: new URLSearchParams({ ...fields, ...line, ...more, key }),
    });
    expect(answer.status).toBe(303);
    return answer.headers.get('location');
  };

  it.each(['save', 'draft'])(
    'that comes several times at once makes one record, and one contact: %s',
    async (pressed) => {
      const form = { do: pressed, 'party[name]': `Elm ${pressed}`, 'party[email]': `${pressed}@elm.example` };
      const key = randomUUID();
      const led = await Promise.all(Array.from({ length: 5 }, () => send(key, form)));
      expect(new Set(led).size).toBe(1);
      expect(await send(key, form)).toBe(led[0]);
      const contacts = await fetch(`${letterhead.url}/parties?q=${encodeURIComponent(`Elm ${pressed}`)}`, { headers });
      expect((await contacts.text()).match(/href="\/parties\/[0-9a-f-]{36}"/g)).toHaveLength(1);
    },
  );

  it('that says something else by then, or is another one, makes another record', async () => {
    const key = randomUUID();
    const first = await send(key, { 'party[name]': 'Oak' });
    expect(await send(key, { 'party[name]': 'Oak', notes: 'And this' })).not.toBe(first);
    expect(await send(randomUUID(), { 'party[name]': 'Oak' })).not.toBe(first);
  });

  it('carries a key of its own', async () => {
    const keys = await Promise.all(
      [1, 2].map(async () => {
        const page = await fetch(`${letterhead.url}/documents/new?kind=invoice`, { headers });
        return /name="key" value="([0-9a-f-]{36})"/.exec(await page.text())?.[1];
      }),
    );
    expect(keys[0]).toBeDefined();
    expect(keys[0]).not.toBe(keys[1]);
  });
});
