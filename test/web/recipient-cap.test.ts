import { parse } from 'node-html-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { capWords } from '../../src/web/cap-words.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { manyRecords } from '../support/many-records.ts';
import { runForm } from '../support/run-page.ts';
import { anInvoice, sendRecord } from '../support/send-page.ts';
import type { Page } from '../support/visitor.ts';

/** The recipients that an operator allows a company in a day: said before anybody presses Send, with when more may leave. */

const perDay = 6;
let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, timeStands: true, recipientsPerDay: perDay });
});
afterAll(() => letterhead.close());

const said = ({ text }: Page) => parse(text).text.replaceAll(/\s+/g, ' ');
const hour = 3_600_000;
const clockAfter = (hours: number) =>
  new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Dublin', hour: '2-digit', minute: '2-digit' }).format(
    new Date(letterhead.google.clock.now() + hours * hour),
  );
/** Emails to one recipient each, so many hours ago. */
async function wrote(one: Company, ...hoursAgo: number[]): Promise<void> {
  for (const hours of hoursAgo) {
    const id = await one.send();
    const at = new Date(letterhead.google.clock.now() - hours * hour);
    await inTenant(letterhead.context.db, one.tenantId, (trx) =>
      trx.updateTable('deliveries').set({ created_at: at }).where('id', '=', id).execute(),
    );
  }
}
const all = 'kind=invoice&all=1';

describe('the recipients of a day', () => {
  it('are used up: the send page and the list say so, and when there is room again', async () => {
    const one = await company(letterhead);
    const record = await anInvoice(letterhead, one);
    const page = () => one.founder.get(`/documents/${record.id}/deliveries/new`);
    await wrote(one, 20, 10, 5, 4, 3);
    expect(said(await page())).not.toContain('recipients in 24 hours');
    await wrote(one, 2);
    const words = new RegExp(
      `Not today\\. Your company may write to 6 recipients in 24 hours, and has\\. You can send again (at |on .*)${clockAfter(4)}\\.`,
    );
    expect(said(await page())).toMatch(words);
    expect((await page()).text).toMatch(/class="button primary" disabled>/);
    expect(said(await one.founder.get('/documents?kind=invoice'))).toMatch(words);
    letterhead.google.clock.forward(4 * hour + 1_000);
    expect(said(await page())).not.toContain('recipients in 24 hours');
  });

  it('are too few for what was typed: the form stays as it was filled in, and says how many are left', async () => {
    const one = await company(letterhead);
    const record = await anInvoice(letterhead, one);
    await wrote(one, 20, 10, 5, 4);
    const to = 'a@x.example, b@x.example, c@x.example';
    const refused = await sendRecord(one.founder, record, { to, message: 'My own words.' });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBe(4 * 3_600);
    expect(said(refused)).toMatch(
      new RegExp(
        `6 recipients in 24 hours, and 2 are left\\. You can send these 3 .*${clockAfter(4)}, or send fewer now`,
      ),
    );
    expect(refused.text).toContain('My own words.');
    expect(refused.text).toContain('c@x.example');
    expect((await sendRecord(one.founder, record, { to: 'a@x.example, b@x.example' })).status).toBe(303);
  });

  it('are too few for a run: its page and its confirmation say so, and nothing is written', async () => {
    const one = await company(letterhead);
    await inTenant(letterhead.context.db, one.tenantId, (trx) => manyRecords(trx, one.tenantId, 4));
    await wrote(one, 20, 10);
    const form = await runForm(one.founder, all);
    expect(said(await one.founder.post('/runs/confirmation', form))).toContain('Send 4 invoices?');
    // One goes out while the page is looked at.
    await wrote(one, 1);
    const words = new RegExp(`6 recipients in 24 hours, and 3 are left\\. You can send these 4 .*${clockAfter(4)}`);
    const page = await one.founder.get(`/runs/new?${all}`);
    expect(said(page)).toMatch(words);
    expect(page.text).not.toContain('id="send"');
    const confirm = await one.founder.post('/runs/confirmation', form);
    expect([confirm.status, words.test(said(confirm))]).toEqual([422, true]);
    const started = await one.founder.post('/runs', form);
    expect([started.status, words.test(said(started))]).toEqual([429, true]);
    const runs = await inTenant(letterhead.context.db, one.tenantId, (trx) =>
      trx.selectFrom('runs').select('id').execute(),
    );
    expect(runs).toEqual([]);
  });

  it('can never be enough for more than a day allows', () => {
    const viewer = { locale: 'en-IE', tenant: { name: '', country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' } };
    const words = capWords({ perDay: 1_000, left: 1_000, from: null }, 1_200, { viewer, now: new Date() });
    expect(words?.words).toBe(
      'Your company may write to 1,000 recipients in 24 hours, and these are 1,200. Send them in parts.',
    );
  });
});
