import { type TestDatabase, testDatabase } from './database.ts';
import { type Product, type ProductOptions, startProduct } from './product.ts';

export { testClient } from './product.ts';

/** The whole product on free ports, with a database and a Google of its own. */
export interface TestLetterhead extends Product {
  readonly database: TestDatabase;
}

/** Starts it. Call `close` in `afterAll`. */
export async function startTestLetterhead(options: ProductOptions = {}): Promise<TestLetterhead> {
  const database = await testDatabase();
  const product = await startProduct(database.urls, options);
  const close = async () => {
    await product.close();
    await database.close();
  };
  return { ...product, database, close };
}
