import { afterAll, beforeAll, expect, it } from 'vitest';
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
