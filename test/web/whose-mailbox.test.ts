import { parse } from 'node-html-parser';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endMailbox } from '../../src/mailboxes/health.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { found } from '../support/found.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { signedIn, type Visitor } from '../support/visitor.ts';

/** Whatever button leads to Google's consent: beside it stands whose the mailbox is, or will be. */

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
});
afterAll(() => letterhead.close());

/** What is said around each button of a page that leads to Google. */
async function beside(pages: Visitor, path: string): Promise<string[]> {
  const { text } = await pages.get(path);
  const page = parse(text);
  const forms = page
    .querySelectorAll('form')
    .filter((form) => form.getAttribute('action') === '/mailboxes/connection' || form.text.includes('to Google'));
  return forms.map((form) => (form.closest('section') ?? form).text.replaceAll(/\s+/g, ' '));
}

async function ended(one: Company): Promise<string> {
  const id = await one.send();
  await inTenant(letterhead.context.db, one.tenantId, async (trx) => {
    const at = letterhead.context.clock();
    await endMailbox(trx, one.tenantId, one.mailboxId, { reason: 'revoked', sure: false, from: 'connection', at });
    const held = { state: 'held', held_reason: 'mailbox_needs_reconnect' } as const;
    await trx.updateTable('deliveries').set(held).where('id', '=', id).execute();
  });
  return id;
}

it('a mailbox that must be connected again: on the settings, its own page, and the page of an email that waits', async () => {
  const one = await company(letterhead, { name: 'Reed & Oak Ltd' });
  const id = await ended(one);
  for (const path of [
    '/settings/email',
    `/mailboxes/${one.mailboxId}`,
    `/deliveries/${id}`,
    `/deliveries/${id}/progress`,
  ]) {
    const said = await beside(one.founder, path);
    expect(said.length, path).toBeGreaterThan(0);
    for (const each of said)
      expect(each, path).toMatch(/belongs? to Reed & Oak Ltd \(owner office@company\d+\.example\)/);
  }
});

it('the first mailbox of a company, a further one, a permission, and somebody’s own', async () => {
  const account = 'new@first.example';
  letterhead.google.accounts.add({ email: account, name: 'New' });
  const first = await signedIn(letterhead, await found(letterhead, account, 'First Ltd'));
  const [connect = ''] = await beside(first, '/settings/email');
  expect(connect).toContain('will belong to First Ltd');

  const one = await company(letterhead, { name: 'Second Ltd' });
  await one.founder.post('/settings/email/rules', { mode: 'current_user' });
  const paths = ['/settings/email', `/mailboxes/${one.mailboxId}/permissions/tracking`];
  for (const path of paths) {
    const said = await beside(one.founder, path);
    expect(said.length, path).toBeGreaterThan(0);
    for (const each of said) expect(each, path).toMatch(/belongs? to Second Ltd/);
  }
});
