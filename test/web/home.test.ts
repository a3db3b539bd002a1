import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../src/platform/database.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { blockAccount } from '../../src/tenants/system-queue.ts';
import { type Company, company } from '../support/company.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { aDelivery } from '../support/rows.ts';
import { anInvoice, sent } from '../support/send-page.ts';
import { said } from '../support/visitor.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
});
afterAll(() => letterhead.close());

const within = <T>({ tenantId }: Company, work: (trx: Database) => Promise<T>) =>
  inTenant(letterhead.database.db, tenantId, work);
const home = async (sender: Company) => said(await sender.founder.get('/'));
const set = (sender: Company, id: string, values: Record<string, unknown>) =>
  within(sender, (trx) => trx.updateTable('deliveries').set(values).where('id', '=', id).execute());
const some = (sender: Company, state: 'unconfirmed' | 'failed' | 'held' | 'sent', count = 1) =>
  within(sender, async (trx) => {
    const ids: string[] = [];
    for (let made = 0; made < count; made += 1)
      ids.push(await aDelivery(trx, sender.tenantId, sender.memberId, state, sender.mailboxId));
    return ids;
  });

it('Home counts what waits, failed or is in doubt, each with its list', async () => {
  const sender = await company(letterhead);
  expect(await home(sender)).not.toContain('Emails to look at');
  await some(sender, 'unconfirmed', 2);
  await some(sender, 'failed');
  const [held = '', restored = '', later = '', paused = ''] = await some(sender, 'held', 4);
  await set(sender, held, { held_reason: 'waited_too_long' });
  await set(sender, restored, { held_reason: 'restored' });
  await set(sender, later, { held_reason: 'scheduled', not_before: new Date(letterhead.google.clock.now() + 60_000) });
  await set(sender, paused, { held_reason: 'run_paused' });
  const page = await sender.founder.get('/');
  expect(said(page)).toContain(
    'Emails to look at 1 email may have been sent before a restore 2 emails were perhaps sent: look in Gmail 1 email waits for somebody 1 email was not sent 1 email waits in a paused run 1 email leaves later, by itself',
  );
  for (const why of ['restored', 'unconfirmed', 'held', 'failed'])
    expect(page.text).toContain(`href="/activity?show=attention&amp;why=${why}"`);
});

it('while Gmail’s trouble holds emails, Home, Activity and the email settings say so, and until when', async () => {
  const sender = await company(letterhead);
  const id = await sender.send();
  const { account } = await within(sender, (trx) =>
    trx.selectFrom('deliveries').select('account').where('id', '=', id).executeTakeFirstOrThrow(),
  );
  const pages = ['/', '/activity', '/activity?show=attention', '/settings/email'];
  const until = new Date(letterhead.google.clock.now() + 3_600_000);
  for (const reason of ['rate', 'sending_limit', 'trouble'] as const) {
    await blockAccount(letterhead.database.system, account, until, 'rate');
    await letterhead.database.system
      .updateTable('sending_accounts')
      .set({ blocked_until: until, blocked_reason: reason })
      .where('account', '=', account)
      .execute();
    for (const path of pages) {
      const text = said(await sender.founder.get(path));
      expect(text, path).toMatch(
        /(slow down|is used up|answers got lost)[^.]*\. 1 email from \S+ waits\. It goes on by itself (at|on \d+ \w+) \d\d:\d\d\./,
      );
    }
  }
  expect(said(await sender.founder.get(`/mailboxes/${sender.mailboxId}`))).not.toContain('Used up');
  await letterhead.database.system
    .updateTable('sending_accounts')
    .set({ blocked_reason: 'sending_limit' })
    .where('account', '=', account)
    .execute();
  for (const path of [`/mailboxes/${sender.mailboxId}`, '/settings/email'])
    expect(said(await sender.founder.get(path))).toMatch(
      /Gmail’s limit for one day is used up \(0 of 2,000 emails in the last 24 hours\)\. What you send waits, and leaves (\d+ \w+ )?\d\d:\d\d\./,
    );
  // One that Gmail itself asked to wait, and the one behind it: both wait, though each for a moment of its own.
  await letterhead.database.system
    .updateTable('sending_accounts')
    .set({ blocked_reason: 'rate' })
    .where('account', '=', account)
    .execute();
  await set(sender, id, { not_before: until });
  for (const path of pages)
    expect(said(await sender.founder.get(path)), path).toMatch(/slow down\. 1 email from \S+ waits\./);
  const next = await sender.send();
  for (const path of pages)
    expect(said(await sender.founder.get(path)), path).toMatch(/slow down\. 2 emails from \S+ wait\./);
  await letterhead.database.system
    .updateTable('sending_accounts')
    .set({ blocked_until: null, blocked_reason: null })
    .where('account', '=', account)
    .execute();
  await set(sender, next, { state: 'cancelled' });
  for (const path of pages)
    expect(said(await sender.founder.get(path)), path).toMatch(
      /Gmail did not take 1 email from \S+ just now\. It is tried again (at|on) /,
    );
  // Google itself did not let us in.
  await letterhead.database.system
    .updateTable('sending_accounts')
    .set({ blocked_until: null, blocked_reason: null })
    .where('account', '=', account)
    .execute();
  await set(sender, id, { state: 'held', held_reason: 'operator', not_before: until });
  for (const path of pages)
    expect(said(await sender.founder.get(path))).toContain('Google does not let Letterhead in. 1 email from');
});

it('never falls back to its three steps once something was sent, and says that a rule names a disconnected mailbox', async () => {
  const sender = await company(letterhead);
  expect(await home(sender)).toContain('Three steps to the first email');
  const id = await sent(sender.founder, await anInvoice(letterhead, sender));
  await set(sender, id, { state: 'sent', sent_at: new Date(letterhead.google.clock.now()) });
  await some(sender, 'sent', 60);
  expect(await home(sender)).not.toContain('Three steps');
  await sender.founder.post(`/mailboxes/${sender.mailboxId}/disconnection`);
  const page = await home(sender);
  expect(page).not.toContain('Three steps');
  expect(page).toMatch(
    /was disconnected at \d\d:\d\d\. Emails are still set to come from it, and nothing can be sent from it\./,
  );
  expect(page).toContain('Connect it again, or choose another sender');
});
