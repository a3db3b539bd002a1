import { type TestDatabase, testDatabase } from './database.ts';
import { openKept } from './kept-pools.ts';
import { type Product, type ProductOptions, startProduct } from './product.ts';

export { testClient } from './product.ts';

/** The whole product on free ports, with a database and a Google of its own. */
export interface TestLetterhead extends Product {
  readonly database: TestDatabase;
}

/** Starts it. Call `close` in `afterAll`. */
export async function startTestLetterhead(options: ProductOptions = {}): Promise<TestLetterhead> {
  const database = await testDatabase();
  const product = await startProduct(database.urls, options, openKept);
  const close = async () => {
    await product.close();
    await database.close();
  };
  return { ...product, database, close };
}

let shared: Promise<TestLetterhead> | undefined;

/**
 * The Letterhead that files of this worker process share, in which no delivery is worked off: for tests that look at
 * companies of their own, each made by `company`, and at nothing that counts everything. It ends with the process, so
 * `close` does nothing. What a file set at Google is taken back when the next one begins; the clock stays where it is.
 */
export async function sharedLetterhead(): Promise<TestLetterhead> {
  shared ??= startTestLetterhead({ worker: false });
  const letterhead = await shared;
  const { google } = letterhead;
  google.faults.clear();
  google.quotas.clear();
  google.truth.resetCalls();
  const before = letterhead.logged().length;
  return { ...letterhead, logged: () => letterhead.logged().slice(before), close: async () => {} };
}
