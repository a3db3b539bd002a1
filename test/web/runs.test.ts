import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDocument } from '../../src/documents/store.ts';
import type { Database } from '../../src/platform/database.ts';
import type { MemberRole } from '../../src/platform/database-types.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { invoice } from '../documents/content.ts';
import { aMinuteLater } from '../support/answered.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { manyRecords } from '../support/many-records.ts';
import { filledIn, runForm, startRunOf } from '../support/run-page.ts';
import { deliveriesOf, putInto, runNow } from '../support/runs.ts';

const pace = { unitsPerMinute: 6_000, projectUnitsPerMinute: null, inFlight: 5 };

let letterhead: TestLetterhead;
let ctx: TestLetterhead['context'];
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, pace });
  ctx = letterhead.context;
});
afterAll(() => letterhead.close());

const within = <T>({ tenantId }: Company, work: (trx: Database) => Promise<T>) => inTenant(ctx.db, tenantId, work);
const withRecords = async (count: number) => {
  const sender = await company(letterhead);
  return { sender, ids: await within(sender, (trx) => manyRecords(trx, sender.tenantId, count)) };
};
const all = 'kind=invoice&all=1';
const textOf = (html: string) => html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');

describe('the list of records', () => {
  it('lets some be ticked, and all that it found be sent', async () => {
    const { sender } = await withRecords(60);
    const { text } = await sender.founder.get('/documents?kind=invoice&q=B-0001&status=open');
    expect(text.match(/type="checkbox" name="id"/g)).toHaveLength(10);
    expect(text).toContain('/runs/new?kind=invoice&amp;all=1&amp;q=B-0001&amp;status=open');
    expect(textOf(text)).toContain('Send all 10 found');
    expect(textOf((await sender.founder.get('/documents?kind=invoice&status=paid')).text)).toContain(
      'Nothing found that is paid',
    );
  });
});

describe('the page that starts a run', () => {
  it('says whom it comes from and why, what would be sent, and how much of the day that uses', async () => {
    const { sender, ids } = await withRecords(40);
    await within(sender, (trx) => trx.updateTable('mailboxes').set({ daily_limit: 30 }).execute());
    const page = textOf((await sender.founder.get(`/runs/new?${all}`)).text);
    expect(page).toContain('Send 40 invoices');
    expect(page).toMatch(/They come from Company \d+ Ltd &lt;office@company\d+\.example&gt; , because/);
    expect(page).toContain(
      '0 of 30 emails in the last 24 hours; 30 leave in less than a minute; 10 of these go out tomorrow',
    );
    expect(page).toContain('what was sent in Gmail itself, or by other programs, Gmail counts too');
    expect(page).toContain('please find attached invoice B-00001 for €92.25, due on 5 December 2026.');
    const some = await sender.founder.get(`/runs/new?kind=invoice&id=${ids[4]}&id=${ids[5]}`);
    expect(textOf(some.text)).toContain('Send 2 invoices');
  });

  it('previews any of them with the text as it is written, without a page of its own where htmx asks', async () => {
    const { sender } = await withRecords(12);
    const form = { ...(await runForm(sender.founder, all)), message: 'Dear {{ name }}, {{ number }}' };
    const preview = async (over: Record<string, string>, htmx = true) => {
      const headers = { 'sec-fetch-site': 'same-origin', ...(htmx && { 'hx-request': 'true' }) };
      return (await sender.founder.post('/runs/new', { ...form, ...over }, headers)).text;
    };
    expect(textOf(await preview({ place: '7' }))).toMatch(/7 of 12.*Dear Northgate Café, B-00007/);
    expect(await preview({ place: '7' })).not.toContain('<html');
    expect(textOf(await preview({ find: 'b-00012' }))).toMatch(/12 of 12.*B-00012/);
    expect(textOf(await preview({ find: 'nobody' }))).toContain('None of the chosen records');
    expect(textOf(await preview({ message: '{{ foo }}' }))).toContain('There is no “foo”');
    const whole = await preview({ place: '3' }, false);
    expect(whole).toContain('<html');
    expect(whole).toContain('Dear {{ name }}, {{ number }}');
    expect(textOf(whole)).toContain('Dear Northgate Café, B-00003');
  });

  it('lists what cannot be sent with the way to mend it, page by page', async () => {
    const { sender } = await withRecords(1);
    await within(sender, async (trx) => {
      for (let made = 10; made < 40; made += 1) {
        await createDocument(trx, sender.tenantId, {
          content: invoice({ number: `N-${made}`, party: { name: 'No mail' } }),
        });
      }
    });
    const first = await sender.founder.get(`/runs/new?${all}`);
    expect(textOf(first.text)).toContain('30 cannot be sent');
    expect(textOf(first.text)).toContain('1 to 25 of 30');
    expect(first.text).toMatch(/\/parties\/[0-9a-f-]{36}\/edit">Add one to the contact/);
    const form = { ...(await runForm(sender.founder, all)), leftOutFrom: '25' };
    expect(textOf((await sender.founder.post('/runs/new', form)).text)).toContain('26 to 30 of 30');
  });

  it('starts it once, and goes to its page', async () => {
    const { sender } = await withRecords(20);
    const form = await runForm(sender.founder, all);
    const pages = await Promise.all([1, 2, 3].map(() => sender.founder.post('/runs', form)));
    const [first] = pages;
    expect(new Set(pages.map(({ location }) => location)).size).toBe(1);
    expect(pages.map(({ status }) => status)).toEqual([303, 303, 303]);
    const run = await sender.founder.get(first?.location ?? '');
    expect(textOf(run.text)).toContain('20 invoices');
    expect((await deliveriesOf(ctx, sender, first?.location?.slice('/runs/'.length) ?? '')).length).toBe(20);
    const other = await sender.founder.post('/runs', { ...form, subject: 'Other words' });
    expect(other.status).toBe(409);
    expect(textOf(other.text)).toContain('This page was used before');
    expect(filledIn(other).key).not.toBe(form['key']);
    expect(filledIn(other).subject).toBe('Other words');
  });

  it('is shown again with everything written where something changed meanwhile', async () => {
    const { sender } = await withRecords(3);
    const form = { ...(await runForm(sender.founder, all)), subject: 'My own words for {{ number }}' };
    await within(sender, (trx) => createDocument(trx, sender.tenantId, { content: invoice() }));
    const again = await sender.founder.post('/runs', form);
    expect(again.status).toBe(409);
    expect(textOf(again.text)).toMatch(/Not started yet.*Records were changed, added or taken away/);
    expect(filledIn(again).subject).toBe('My own words for {{ number }}');
    expect((await sender.founder.post('/runs', { ...form, ...filledIn(again) })).status).toBe(303);
  });

  it('says what is wrong with a text, and keeps it', async () => {
    const { sender } = await withRecords(2);
    const form = { ...(await runForm(sender.founder, all)), message: 'Dear {{ nmae }}' };
    const again = await sender.founder.post('/runs', form);
    expect(again.status).toBe(422);
    expect(again.text).toContain('id="message-error"');
    expect(filledIn(again).message).toBe('Dear {{ nmae }}');
    expect(again.text).not.toContain('Send 2 invoices</button>');
    const mended = await sender.founder.post('/runs/new', { ...form, message: 'Dear {{ name }}' });
    expect(mended.status).toBe(200);
  });

  it('names no more than was ticked or found', async () => {
    const { sender } = await withRecords(1);
    for (const query of ['kind=invoice', `kind=invoice&id=${randomUUID()}`, 'kind=invoice&id=x', 'kind=quote&all=1']) {
      const page = await sender.founder.get(`/runs/new?${query}`);
      expect(page.status, query).toBe(404);
    }
  });
});

describe('the page of a run', () => {
  it('counts what stands how, says what holds it and who can mend it', async () => {
    const { sender } = await withRecords(10);
    const id = await startRunOf(sender.founder, all);
    const ids = (await deliveriesOf(ctx, sender, id)).map((delivery) => delivery.id);
    await putInto(ctx, sender, ids.slice(0, 2), 'sent');
    await putInto(ctx, sender, ids.slice(2, 4), 'failed');
    await putInto(ctx, sender, ids.slice(4, 5), 'unconfirmed');
    const page = textOf((await sender.founder.get(`/runs/${id}/progress`)).text);
    expect(page).toMatch(/2 of 10 sent/);
    expect(page).toMatch(/Sent 2 .*Waiting 5 .*Failed 2 .*Unconfirmed 1/);
    expect(page).toContain('all leave in less than a minute');
    expect(page).toContain('Of 1 nobody knows whether it was sent.');
    expect(page).toContain('It is there: mark as sent');
    await putInto(ctx, sender, ids.slice(5, 6), 'unconfirmed');
    const asked = (await sender.founder.get(`/runs/${id}/progress`)).text;
    const two = textOf(asked);
    expect(two).toContain('Of 2 nobody knows whether they were sent.');
    expect(two).toContain('They are all there: mark as sent');
    expect(page).toContain('Send all 2 again');

    // Without the moment at which the page was made nothing is decided: who knows what somebody had seen.
    expect((await sender.founder.post(`/runs/${id}/decision`, { decision: 'mark_as_sent' })).status).toBe(404);
    const [, until = ''] = /name="until" value="([^"]+)"/.exec(asked) ?? [];
    await sender.founder.post(`/runs/${id}/decision`, { decision: 'mark_as_sent', until });
    await aMinuteLater(letterhead);
    await sender.founder.post(`/runs/${id}/resends`, { which: 'failed' });
    await sender.founder.post(`/runs/${id}/control`, { control: 'pause' });
    const { counts, state } = await runNow(ctx, sender, id);
    expect({ state, ...counts }).toMatchObject({ state: 'paused', total: 10, sent: 4, held: 6, failed: 0 });
    expect(textOf((await sender.founder.get(`/runs/${id}`)).text)).toContain('The run is paused');
  });

  it('reports by state and page by page', async () => {
    const { sender } = await withRecords(120);
    const id = await startRunOf(sender.founder, all);
    const ids = (await deliveriesOf(ctx, sender, id)).map((delivery) => delivery.id);
    await putInto(ctx, sender, ids.slice(30, 33), 'failed');
    const numbersOf = (html: string) => html.match(/>B-\d{5}</g)?.map((found) => found.slice(1, -1)) ?? [];
    const first = await sender.founder.get(`/runs/${id}`);
    expect(numbersOf(first.text)).toHaveLength(50);
    const [, next = ''] = /href="([^"]*after=[^"]*)"/.exec(first.text) ?? [];
    const second = await sender.founder.get(next.replaceAll('&amp;', '&'));
    expect(numbersOf(second.text)[0]).toBe('B-00051');
    expect(numbersOf((await sender.founder.get(`/runs/${id}?show=failed`)).text)).toEqual([
      'B-00031',
      'B-00032',
      'B-00033',
    ]);
    expect((await sender.founder.get(`/runs/${id}?after=nonsense&show=nothing`)).status).toBe(200);
  });

  it('comes as a table for Excel: all of it, in the company’s time, and no formula in it', async () => {
    const { sender } = await withRecords(450);
    await within(sender, async (trx) => {
      await trx.updateTable('tenants').set({ time_zone: 'Asia/Tokyo' }).execute();
      await sql`update documents set content = jsonb_set(content, '{party,name}', '"=HYPERLINK(\\"http://x\\")"')
        where number = 'B-00001'`.execute(trx);
    });
    const id = await startRunOf(sender.founder, all);
    const [first, second] = await deliveriesOf(ctx, sender, id);
    await within(sender, (trx) =>
      trx
        .updateTable('deliveries')
        .set({ state: 'sent', sent_at: new Date('2026-11-21T20:30:00Z'), provider_message_id: 'g1' })
        .where('id', '=', first?.id ?? '')
        .execute(),
    );
    await putInto(ctx, sender, [second?.id ?? ''], 'failed');
    await sender.founder.post(`/runs/${id}/resends`, { delivery: second?.id ?? '', to: 'right@customer.example' });
    const file = await sender.founder.get(`/runs/${id}/report.csv`);
    expect(file.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(file.headers.get('content-disposition')).toMatch(/attachment; filename="run-\d{4}-\d\d-\d\d-invoices.csv"/);
    const lines = file.text.split('\r\n');
    // Head, 450, the one that was sent again, and nothing after the last end of line.
    expect(lines).toHaveLength(453);
    expect(lines[0]).toContain('"Sent (Asia/Tokyo)"');
    expect(lines[1]).toMatch(/^"B-00001","'=HYPERLINK\(""http:\/\/x""\)".*"Sent".*"2026-11-22 05:30:00","g1"/);
    expect(lines[2]).toMatch(/^"B-00002",.*"Failed","Sent again as [0-9a-f-]{36}"/);
    expect(lines[451]).toMatch(/^"B-00002",.*"right@customer.example",.*"Queued"/);
  });

  it('sends a failed one to a corrected address, and nothing to a wrong one', async () => {
    const { sender } = await withRecords(2);
    const id = await startRunOf(sender.founder, all);
    const [first] = await deliveriesOf(ctx, sender, id);
    await putInto(ctx, sender, [first?.id ?? ''], 'failed');
    const failed = await sender.founder.get(`/runs/${id}?show=failed`);
    expect(failed.text).toContain('value="Mira Okafor &lt;b1@customer.example&gt;"');
    await sender.founder.post(`/runs/${id}/resends`, { delivery: first?.id ?? '', to: 'no address' });
    expect(await deliveriesOf(ctx, sender, id)).toHaveLength(2);
    expect((await sender.founder.post(`/runs/${id}/resends`, { delivery: first?.id ?? '' })).status).toBe(404);
    expect((await sender.founder.post(`/runs/${id}/resends`, {})).status).toBe(404);
    await sender.founder.post(`/runs/${id}/resends`, { delivery: first?.id ?? '', to: 'right@customer.example' });
    expect((await deliveriesOf(ctx, sender, id)).map((delivery) => delivery.lane)).toEqual([1, 1, 0]);
  });
});

describe('who may do what', () => {
  const become = (sender: Company, role: MemberRole) =>
    within(sender, (trx) => trx.updateTable('members').set({ role }).execute());

  it('a viewer looks at runs, and starts, stops and decides nothing', async () => {
    const { sender } = await withRecords(3);
    const form = await runForm(sender.founder, all);
    const id = await startRunOf(sender.founder, all, { key: randomUUID() });
    const first = (await deliveriesOf(ctx, sender, id))[0]?.id ?? '';
    await putInto(ctx, sender, [first], 'failed');
    await become(sender, 'viewer');
    for (const address of ['/runs', `/runs/${id}`, `/runs/${id}/report.csv`])
      expect((await sender.founder.get(address)).status, address).toBe(200);
    expect((await sender.founder.get(`/runs/${id}`)).text).not.toMatch(/method="post" action="\/runs/);
    expect((await sender.founder.get('/documents?kind=invoice')).text).not.toContain('/runs/new');
    expect((await sender.founder.get(`/runs/new?${all}`)).status).toBe(403);
    const pages = { '/runs/new': form, '/runs/new/stale': form, '/runs/sample': form, '/runs/confirmation': form };
    const schedule = { sendAt: '2099-01-01T09:00' };
    const writes = { ...pages, '/runs': form, control: { control: 'cancel' }, resends: { which: 'failed' }, schedule };
    for (const [path, body] of Object.entries(writes)) {
      const address = path.startsWith('/') ? path : `/runs/${id}/${path}`;
      expect((await sender.founder.post(address, body)).status, address).toBe(403);
    }
    expect((await sender.founder.post(`/runs/${id}/decision`, { decision: 'mark_as_sent' })).status).toBe(403);
    expect((await runNow(ctx, sender, id)).counts).toMatchObject({ waiting: 2, failed: 1 });
  });

  it('a member whom its mailbox was not given sees nothing of a run, unless they started it', async () => {
    const { sender } = await withRecords(3);
    const id = await startRunOf(sender.founder, all);
    const other = await within(sender, async (trx) => {
      await trx.updateTable('mailboxes').set({ for_everybody: false }).execute();
      const mine = trx.selectFrom('members').select(['tenant_id', 'person_id', 'email', 'name']);
      const row = await mine.executeTakeFirstOrThrow();
      const { id: personId } = await ctx.system
        .insertInto('people')
        .values({ issuer: 'x', google_sub: randomUUID(), email: 'c@x.example', name: 'C' })
        .returning('id')
        .executeTakeFirstOrThrow();
      const colleague = {
        tenant_id: row.tenant_id,
        person_id: personId,
        email: 'c@x.example',
        name: 'C',
        role: 'member',
      };
      return trx
        .insertInto('members')
        .values({ ...colleague, role: 'member' })
        .returning('id')
        .executeTakeFirstOrThrow();
    });
    await become(sender, 'member');
    expect((await sender.founder.get(`/runs/${id}`)).status).toBe(200);
    await within(sender, (trx) => trx.updateTable('runs').set({ member_id: other.id }).execute());
    expect((await sender.founder.get(`/runs/${id}`)).status).toBe(404);
    expect((await sender.founder.post(`/runs/${id}/control`, { control: 'pause' })).status).toBe(404);
    expect(textOf((await sender.founder.get('/runs')).text)).toContain('No run yet');
  });
});
