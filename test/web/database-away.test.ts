import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { type PostgresProxy, startPostgresProxy } from '../support/postgres-proxy.ts';
import { type Product, startProduct } from '../support/product.ts';

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
  // With a cookie, so that the session is looked up.
  const ask = (path: string) => fetch(`${product.url}${path}`, { headers: { cookie: 'letterhead=s%3Ax.y' } });
  expect((await ask('/healthz')).status).toBe(200);
  proxy.endAtOnce(true);
  const away = await ask('/healthz');
  expect([away.status, away.headers.get('retry-after')]).toEqual([503, '5']);
  const text = await away.text();
  expect(text).toContain('Back in a moment');
  expect(text).not.toMatch(/terminat|57P01|ECONN/);
  proxy.endAtOnce(false);
  expect((await ask('/healthz')).status).toBe(200);
});
