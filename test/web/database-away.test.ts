import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { whileDatabaseAnswers } from '../../src/web/database-answers.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { type PostgresProxy, startPostgresProxy } from '../support/postgres-proxy.ts';
import { type Product, startProduct } from '../support/product.ts';
import { visitor } from '../support/visitor.ts';

let database: TestDatabase;
let proxy: PostgresProxy;
let product: Product;
beforeAll(async () => {
  database = await testDatabase();
  proxy = await startPostgresProxy(database.urls.app);
  product = await startProduct({ ...database.urls, app: proxy.url }, { worker: false });
});
afterAll(async () => {
  await product.close();
  await proxy.close();
  await database.close();
});

it('says that it will be back while the database is away, with when to ask again, and is back with it', async () => {
  product.google.accounts.add({ email: 'dana@away.example', name: 'Dana' });
  const dana = visitor(product);
  await dana.signIn('dana@away.example');
  // With a cookie, so that the session is looked up.
  const ask = (path: string) => fetch(`${product.url}${path}`, { headers: { cookie: 'letterhead=s%3Ax.y' } });
  expect((await ask('/healthz')).status).toBe(200);
  proxy.endAtOnce(true);
  const away = await ask('/healthz');
  expect([away.status, away.headers.get('retry-after')]).toEqual([503, '5']);
  const text = await away.text();
  expect(text).toContain('Back in a moment');
  expect(text).not.toMatch(/terminat|57P01|ECONN/);
  // What somebody typed is kept; nothing is read or shown of what another site sends.
  const typed = { 'party[name]': 'Café <Ünï>', notes: 'a\nb' };
  const post = (site: string) => dana.post('/documents?company=1', typed, { 'sec-fetch-site': site });
  const kept = await post('same-origin');
  expect([kept.status, kept.headers.get('retry-after')]).toEqual([503, '5']);
  expect(kept.text).toContain('<form method="post" action="/documents?company=1"');
  expect(kept.text).toContain('<textarea hidden name="party[name]">\nCafé &lt;Ünï&gt;</textarea>');
  expect(kept.text).toContain('Try again');
  const foreign = await post('cross-site');
  expect([foreign.status, foreign.text.includes('textarea')]).toEqual([503, false]);
  proxy.endAtOnce(false);
  expect((await ask('/healthz')).status).toBe(200);
});

it('says so within seconds, too, where the database stands still and ends no connection, and goes on with it', async () => {
  const account = 'tom@still.example';
  product.google.accounts.add({ email: account, name: 'Tom' });
  const tom = visitor(product);
  await tom.signIn(account);
  proxy.standStill(true);
  const begun = performance.now();
  const typed = { name: 'Still Ltd', country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' };
  const kept = await tom.post('/welcome', typed);
  expect([kept.status, kept.headers.get('retry-after')]).toEqual([503, '5']);
  expect(kept.text).toContain('<textarea hidden name="name">\nStill Ltd</textarea>');
  // Far sooner than any statement, or the operating system, would give up.
  expect(performance.now() - begun).toBeLessThan(45_000);
  proxy.standStill(false);
  expect((await tom.get('/welcome')).status).toBe(200);
  expect((await tom.post('/welcome', typed)).status).toBe(303);
});

it('waits for work that takes long while the database answers', async () => {
  const answers: boolean[] = [true, true, false];
  const given: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const handler = whileDatabaseAnswers(
    async () => answers.shift() ?? false,
    async () => {
      given.push('up');
      resolve();
    },
    1,
  );
  const [req, res] = [new IncomingMessage(new Socket()), new ServerResponse(new IncomingMessage(new Socket()))];
  Reflect.apply(handler, undefined, [req, res, () => given.push('on')]);
  await promise;
  expect([given, answers]).toEqual([['on', 'up'], []]);
});
