import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRateLimits } from '../../src/platform/rate-limits.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { runForm, startRunOf } from '../support/run-page.ts';
import { deliveriesOf, putInto } from '../support/runs.ts';
import { anInvoice, sendRecord } from '../support/send-page.ts';
import { said, visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let office: Company;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, rateLimits: true, recipientsPerDay: 24 });
  office = await company(letterhead);
});
afterAll(() => letterhead.close());

describe('a rate limit', () => {
  it('is shared by all processes, and says how long to wait', async () => {
    const [one, another] = [createRateLimits(letterhead.pool), createRateLimits(letterhead.pool)];
    const limit = { name: 'shared', points: 2, seconds: 60 };
    expect(await one.take(limit, 'dana')).toBeNull();
    expect(await another.take(limit, 'dana')).toBeNull();
    expect(await one.take(limit, 'tom')).toBeNull();
    const wait = await one.take(limit, 'dana');
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60_000);
    expect(await another.take(limit, 'dana')).not.toBeNull();
  });

  it('keeps no address in clear', async () => {
    await createRateLimits(letterhead.pool).take({ name: 'kept', points: 9, seconds: 60 }, '203.0.113.7');
    const { rows } = await letterhead.pool.query("select key from rate_limits where key like 'kept%'");
    expect(rows).toHaveLength(1);
    expect(rows[0].key).not.toContain('203.0.113.7');
  });
});

describe('the pages', () => {
  it('refuse test emails that come too often, with the time to wait, and send none of those', async () => {
    const answers = [];
    for (let number = 0; number < 22; number += 1)
      answers.push(await office.founder.post('/settings/email/test-deliveries', { key: crypto.randomUUID() }));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused[0]?.text).toMatch(/Try again in \d+ (second|minute)/);
  });

  it('keep what was typed into any form that came too often, so that it can be sent once more', async () => {
    const own = await company(letterhead);
    const send = (key: string) => own.founder.post('/settings/email/test-deliveries', { key, 'a[b]': '<Ünï>"&' });
    let refused = await send(crypto.randomUUID());
    for (let number = 0; refused.status === 303 && number < 25; number += 1) refused = await send(crypto.randomUUID());
    expect(refused.status).toBe(429);
    expect(said(refused)).toContain('What you typed is kept.');
    const [, action = ''] =
      /<form method="post" action="([^"]*)" class="row" data-unsaved-once-more/.exec(refused.text) ?? [];
    expect(action).toBe('/settings/email/test-deliveries');
    const fields = [...refused.text.matchAll(/<textarea hidden name="([^"]+)">\n([^<]*)</g)].map(([, name]) => name);
    expect(fields).toEqual(['key', 'a[b]']);
    expect(refused.text).toContain('&lt;Ünï&gt;&#34;&amp;');
    // From another site nothing is read, kept or shown.
    const foreign = await own.founder.post(
      '/settings/email/test-deliveries',
      { key: 'x' },
      { 'sec-fetch-site': 'cross-site' },
    );
    expect([foreign.status, foreign.text.includes('textarea')]).toEqual([403, false]);
  });

  it('refuse to invite one mailbox again and again, however it is written, and keep the form', async () => {
    const own = await company(letterhead);
    const another = await company(letterhead);
    const third = await company(letterhead);
    const spellings = ['Poor.Soul@gmail.com', 'poorsoul@gmail.com', 'poor.soul+a@googlemail.com'];
    const invite = ({ founder }: Company, number: number) =>
      founder.post('/settings/members/invitations', { email: spellings[number % 3] ?? '', role: 'admin' });
    for (let number = 0; number < 5; number += 1) expect((await invite(own, number)).status).toBe(303);
    const sixth = await invite(own, 5);
    expect([sixth.status, said(sixth)]).toEqual([
      429,
      expect.stringMatching(
        /poor\.soul\+a@googlemail\.com was invited 5 times within a day\. Nothing was sent\. Try again in \d+ hours/,
      ),
    ]);
    expect(Number(sixth.headers.get('retry-after'))).toBeGreaterThan(3_600);
    expect(sixth.text).toContain('value="poor.soul+a@googlemail.com"');
    expect(sixth.text).toContain('<option value="admin" selected>');
    // Somebody else can be invited, and other companies can invite them, not all of them together.
    expect(
      (await own.founder.post('/settings/members/invitations', { email: 'b@x.example', role: 'member' })).status,
    ).toBe(303);
    for (let number = 0; number < 5; number += 1) expect((await invite(another, number)).status).toBe(303);
    const [tooMany, words] = [await invite(third, 0), 'was sent too many invitations within a day. Nothing was sent.'];
    expect([tooMany.status, said(tooMany)]).toEqual([429, expect.stringContaining(words)]);
  });

  it('write no email beyond the recipients that the operator allows a company in 24 hours', async () => {
    const other = await company(letterhead);
    const record = await other.record();
    const send = (to: string) =>
      other.founder.post(`/documents/${record.id}/deliveries`, {
        ...{ key: crypto.randomUUID(), version: String(record.version), preview: '', to, subject: 'S', message: 'M' },
      });
    expect((await send(Array.from({ length: 24 }, (_, number) => `p${number}@x.example`).join(', '))).status).toBe(303);
    const written = () =>
      letterhead.database.system
        .selectFrom('deliveries')
        .select('id')
        .where('tenant_id', '=', other.tenantId)
        .execute()
        .then((rows) => rows.length);
    const before = await written();
    const refused = await other.founder.post('/settings/email/test-deliveries', { key: crypto.randomUUID() });
    expect(refused.status).toBe(429);
    expect(refused.text).toContain('24 recipients in 24 hours');
    expect(await written()).toBe(before);
  });

  it('show such an email again as it was typed, with how many are left, and when all of them fit', async () => {
    const own = await company(letterhead);
    const many = (count: number) => Array.from({ length: count }, (_, number) => `m${number}@x.example`).join(', ');
    const send = async (count: number, over: Record<string, string> = {}) =>
      sendRecord(own.founder, await anInvoice(letterhead, own), {
        to: many(count),
        message: 'As I typed it.',
        ...over,
      });
    expect((await send(10)).status).toBe(303);
    letterhead.google.clock.forward(2 * 3_600_000);
    expect((await send(10)).status).toBe(303);
    const six = await send(6);
    expect([six.status, said(six)]).toEqual([
      429,
      expect.stringContaining('4 are left, and this has 6. Nothing was sent.'),
    ]);
    expect(six.text).toContain('As I typed it.');
    expect(six.text).toContain(`value="${many(6)}"`);
    // When the first ten are a day old, not the second.
    expect(said(six)).toContain('Try again in 22 hours.');
    expect(Number(six.headers.get('retry-after'))).toBeGreaterThan(21 * 3_600);
    const tooMany = await send(25);
    expect(said(tooMany)).toContain('So many never fit into one day: send to fewer at once.');
    expect(tooMany.headers.get('retry-after')).toBeNull();
    expect((await send(4)).status).toBe(303);
    const { id } = await anInvoice(letterhead, own);
    const query = `kind=invoice&id=${id}`;
    const run = await own.founder.post('/runs', { ...(await runForm(own.founder, query)), message: 'To all of you.' });
    expect([run.status, said(run)]).toEqual([429, expect.stringContaining('none is left, and this has 1.')]);
    expect(run.text).toContain('To all of you.');
  });

  it('count what a run sends again once, though it changes what had failed, too', async () => {
    const own = await company(letterhead);
    const record = await anInvoice(letterhead, own);
    const run = await startRunOf(own.founder, `kind=invoice&id=${record.id}`);
    const failed = await deliveriesOf(letterhead.context, own, run);
    await putInto(
      letterhead.context,
      own,
      failed.map(({ id }) => id),
      'failed',
    );
    const to = Array.from({ length: 23 }, (_, number) => `m${number}@x.example`).join(', ');
    expect((await sendRecord(own.founder, await anInvoice(letterhead, own), { to })).status).toBe(303);
    const again = await own.founder.post(`/runs/${run}/resends`, { which: 'failed' });
    expect([again.status, said(again)]).toEqual([429, expect.stringContaining('none is left, and this has 1.')]);
  });

  it('show an email again that goes to one address too often', async () => {
    const own = await company(letterhead);
    const often = createRateLimits(letterhead.pool);
    const limit = { name: 'recipient', points: 60, seconds: 3_600 };
    for (let number = 0; number < 60; number += 1) await often.take(limit, `${own.tenantId} mira@northgate.example`);
    const page = await sendRecord(own.founder, await anInvoice(letterhead, own), { message: 'As I typed it.' });
    expect([page.status, said(page)]).toEqual([
      429,
      expect.stringContaining(
        'mira@northgate.example was sent 60 emails within an hour. Nothing was sent. Try again in',
      ),
    ]);
    expect(page.text).toContain('As I typed it.');
    expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('keep nothing long of who is not signed in', async () => {
    await visitor(letterhead).post('/sign-in/google', { returnTo: `/documents?q=${'x'.repeat(5_000)}` });
    const { rows } = await letterhead.pool.query(
      "select length(sess::text) as size, expire < now() + interval '31 minutes' as short from sessions where not sess::jsonb ? 'personId'",
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { size, short } of rows) {
      expect(short).toBe(true);
      expect(size).toBeLessThan(2_000);
    }
  });

  it('keep whoever signed in for two weeks after the last visit', async () => {
    const account = 'stays@two-weeks.example';
    letterhead.google.accounts.add({ email: account, name: 'Stays' });
    const stays = visitor(letterhead);
    await stays.signIn(account);
    await stays.get('/welcome');
    const { id } = await letterhead.database.system
      .selectFrom('people')
      .select('id')
      .where('email', '=', account)
      .executeTakeFirstOrThrow();
    const { rows } = await letterhead.pool.query(
      "select expire > now() + interval '13 days' as long from sessions where sess ->> 'personId' = $1",
      [id],
    );
    expect(rows).toEqual([{ long: true }]);
  });

  it('refuse a stranger who begins to sign in again and again, by address', async () => {
    const statuses = new Set<number>();
    for (let number = 0; number < 125; number += 1)
      statuses.add((await visitor(letterhead).post('/sign-in/google')).status);
    expect(statuses).toContain(429);
  });
});
