import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { ranHere } from '../support/command.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import { sendOnly, workspace } from '../support/workspace.ts';

const dataDir = mkdtempSync(path.join(tmpdir(), 'letterhead-delegation-'));
let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
});
afterAll(async () => {
  rmSync(dataDir, { recursive: true, force: true });
  await letterhead.close();
});

/** `node src/main.ts delegation …`, as its operator calls it beside the running product. */
function delegation(...args: string[]) {
  const { database, google, url, config } = letterhead;
  const environment = {
    ...{ PATH: process.env['PATH'], DATA_DIR: dataDir, PUBLIC_URL: url, TOKEN_KEYS: config.tokenKeys },
    ...{ DATABASE_URL: database.urls.app, DATABASE_SYSTEM_URL: database.urls.system },
    ...{ GOOGLE_ISSUER: google.url, GMAIL_ROOT_URL: `${google.url}/` },
    ...{ GOOGLE_CLIENT_ID: testClient.clientId, GOOGLE_CLIENT_SECRET: testClient.clientSecret },
  };
  return ranHere('delegation', environment, args);
}

it('says of each address what it let go, what of that leaves and what does not, and what waits once the key is gone', async () => {
  const one = await workspace(letterhead);
  const file = path.join(dataDir, 'key.json');
  writeFileSync(file, one.keyFile);
  one.authorise(sendOnly);
  const added = await delegation('add', file, '--as', one.account);
  expect(added).toMatchObject({ code: 0, output: expect.stringContaining(`as the people of ${one.domain} now`) });

  // Queued, and nothing to what is let go below.
  await one.sendAsTom();
  one.authorise([]);
  const refused = await delegation('check', '--as', one.account);
  expect(refused.code).toBe(1);
  const ids = [await one.sendAsTom(), await one.sendAsTom(), await one.sendAsTom()];
  const { id } = await one.tomsMailbox();
  await inTenant(letterhead.database.db, one.tenantId, (trx) =>
    trx
      .updateTable('deliveries')
      .set({ state_at: new Date(letterhead.google.clock.now() - 30 * 3_600_000) })
      .where('id', '=', ids[0] ?? '')
      .where('mailbox_id', '=', id)
      .execute(),
  );
  one.authorise(sendOnly);
  const checked = await delegation('check', '--as', one.account);
  expect(checked.output).toContain(
    `${one.tom.account}: 2 emails are going out now. 1 email waited too long to go out without a look: Settings → Email lists them.`,
  );

  const removed = await delegation('remove', one.domain);
  expect(removed.output).toContain(`The key for ${one.domain} is deleted`);
  expect(removed.output).toContain(`${one.tom.account}: 3 emails wait until it is connected again.`);
});
