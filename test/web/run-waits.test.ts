import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPacer } from '../../src/deliveries/pacer.ts';
import { setDocumentStatus } from '../../src/documents/status.ts';
import type { Database } from '../../src/platform/database.ts';
import { atOneMoment, inTenant } from '../../src/tenants/scope.ts';
import { setSendingRules } from '../../src/tenants/sending-rules.ts';
import { type Company, company } from '../support/company.ts';
import { join } from '../support/found.ts';
import { anotherWorker, deliverNow } from '../support/hand-delivery.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { manyRecords } from '../support/many-records.ts';
import { received } from '../support/received.ts';
import { filledIn, runForm, startRunOf } from '../support/run-page.ts';
import { deliveriesOf, putInto, runNow } from '../support/runs.ts';
import { said, signedIn } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let ctx: TestLetterhead['context'];
beforeAll(async () => {
  letterhead = await sharedLetterhead();
  ctx = letterhead.context;
});
afterAll(() => letterhead.close());

const within = <T>({ tenantId }: Company, work: (trx: Database) => Promise<T>) => inTenant(ctx.db, tenantId, work);
const withRecords = async (count: number, undoSeconds = 10) => {
  const sender = await company(letterhead);
  await within(sender, (trx) => setSendingRules(trx, sender.tenantId, { undoSeconds, hours: null }));
  const ids = await within(sender, (trx) => manyRecords(trx, sender.tenantId, count));
  return { sender, ids };
};
const all = 'kind=invoice&all=1';
const onTheWall = (at: Date) =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Dublin', dateStyle: 'short', timeStyle: 'short' })
    .format(at)
    .replace(' ', 'T');
const inHours = (count: number) => onTheWall(new Date(ctx.clock().getTime() + count * 3_600_000));

describe('a run that was just started', () => {
  it('can be undone: nothing leaves, and the page is back as it was filled in', async () => {
    const { sender, ids } = await withRecords(4);
    await within(sender, (trx) => setDocumentStatus(trx, sender.tenantId, ids[3] ?? '', 'paid'));
    await sender.founder.post('/runs', await runForm(sender.founder, `kind=invoice&id=${ids[0]}`));
    const form = { ...(await runForm(sender.founder, all)), subject: 'Mine: {{ number }}', thoughPaid: 'yes' };
    const counted = filledIn(await sender.founder.post('/runs/new', form)).fingerprint;
    const started = await sender.founder.post('/runs', [
      ...Object.entries({ ...form, fingerprint: counted }),
      ['again', ids[0] ?? ''],
    ]);
    const id = started.location?.replace('/runs/', '') ?? '';
    expect(await deliveriesOf(ctx, sender, id)).toHaveLength(4);
    const page = await sender.founder.get(`/runs/${id}`);
    expect(said(page)).toMatch(/About to leave Leaves in (9|10) seconds \. Nothing was sent yet/);
    expect(page.text).not.toContain('>Pause<');

    const undone = await sender.founder.post(`/runs/${id}/control`, { control: 'cancel', undo: 'yes' });
    expect(undone.location).toBe(`/runs/new?from=${id}`);
    const again = await sender.founder.get(undone.location ?? '');
    expect(said(again)).toContain('Undone: nothing was sent.');
    expect(filledIn(again).subject).toBe('Mine: {{ number }}');
    expect(again.text).toMatch(/name="thoughPaid" value="yes"[^>]* checked/);
    expect(again.text).toMatch(new RegExp(`name="again" value="${ids[0]}"[^>]* checked`));
    expect(said(await sender.founder.get(`/runs/${id}`))).toContain('Nothing of it was sent.');
    expect((await runNow(ctx, sender, id)).counts).toMatchObject({ cancelled: 4, total: 4 });
  });

  it('leaves when that time is over; undo then says what it still could do', async () => {
    const { sender } = await withRecords(3);
    const id = await startRunOf(sender.founder, all);
    await createPacer(anotherWorker(letterhead)).tick();
    expect((await runNow(ctx, sender, id)).counts).toMatchObject({ undo: 3, held: 0 });
    letterhead.google.clock.forward(10_000);
    await createPacer(anotherWorker(letterhead)).tick();
    expect((await runNow(ctx, sender, id)).counts).toMatchObject({ waiting: 3 });
    const [first] = await deliveriesOf(ctx, sender, id);
    await putInto(ctx, sender, [first?.id ?? ''], 'sent');
    const late = await sender.founder.post(`/runs/${id}/control`, { control: 'cancel', undo: 'yes' });
    expect(late.location).toBe(`/runs/${id}`);
    const page = said(await sender.founder.get(`/runs/${id}`));
    expect(page).toMatch(/Cancelled\. 2 emails do not leave.*What had left by then was sent/);
  });

  it('of a company without an undo time leaves at once', async () => {
    const { sender } = await withRecords(1, 0);
    const id = await startRunOf(sender.founder, all);
    expect((await runNow(ctx, sender, id)).counts).toMatchObject({ waiting: 1 });
  });
});

describe('a run for later', () => {
  it('is confirmed, waits, is given another time, and leaves when somebody says so', async () => {
    const { sender } = await withRecords(2);
    const form = { ...(await runForm(sender.founder, all)), when: 'later', sendAt: inHours(2) };
    const confirm = await sender.founder.post('/runs/confirmation', form);
    expect(said(confirm)).toMatch(/Leaves On \w+day .*Until then you can cancel it/);
    expect(said(confirm)).toContain('Schedule 2 invoices');
    const id = (await sender.founder.post('/runs', form)).location?.replace('/runs/', '') ?? '';
    expect(said(await sender.founder.get(`/runs/${id}`))).toMatch(/Scheduled Leaves on \w+day .*Change the time/);
    const [before] = await deliveriesOf(ctx, sender, id);
    expect(before).toMatchObject({ state: 'held', held_reason: 'scheduled' });

    const past = await sender.founder.post(`/runs/${id}/schedule`, { sendAt: inHours(-2) });
    expect(said(await sender.founder.get(past.location ?? ''))).toContain('Not changed. That has passed');
    await sender.founder.post(`/runs/${id}/schedule`, { sendAt: inHours(5) });
    const moved = await deliveriesOf(ctx, sender, id);
    expect(moved.map(({ not_before }) => (Number(not_before) - Number(before?.not_before)) / 3_600_000)).toEqual([
      3, 3,
    ]);
    await sender.founder.post(`/runs/${id}/control`, { control: 'send_now' });
    expect((await runNow(ctx, sender, id)).counts).toMatchObject({ waiting: 2 });
    const late = await sender.founder.post(`/runs/${id}/schedule`, { sendAt: inHours(6) });
    expect(said(await sender.founder.get(late.location ?? ''))).toContain('It has moved on meanwhile');
  });

  it('is refused in words at a time that cannot be, and keeps what was typed', async () => {
    const { sender } = await withRecords(1);
    const form = { ...(await runForm(sender.founder, all)), when: 'later', subject: 'Typed {{ number }}' };
    for (const path of ['/runs/confirmation', '/runs']) {
      const page = await sender.founder.post(path, { ...form, sendAt: inHours(-1) });
      expect([page.status, filledIn(page).subject]).toEqual([422, 'Typed {{ number }}']);
      expect(said(page)).toContain('That has passed');
      expect(page.text).toMatch(/<details class="more" open>\s*<summary>Send later/);
    }
  });
});

describe('the last look before a run starts', () => {
  it('says from whom, to how many, what they come to, and what the first of them says', async () => {
    const { sender } = await withRecords(5);
    const form: Record<string, string> = { ...(await runForm(sender.founder, all)), subject: 'Yours: {{ number }}' };
    const page = await sender.founder.post('/runs/confirmation', form);
    const words = said(page);
    expect(words).toContain(`From Company`);
    expect(words).toContain(`&lt;${sender.account}&gt;`);
    expect(words).toContain('5 emails to 5 addresses');
    expect(words).toContain('Northgate Café &lt;b1@customer.example&gt;');
    expect(words).toContain('and 2 more');
    expect(words).toContain('€461.25');
    expect(words).toContain('For 10 seconds you can undo it');
    expect(words).toMatch(/Yours: B-00001 Hello Mira Okafor, please find attached invoice B-00001/);
    expect((await within(sender, (trx) => trx.selectFrom('runs').select('id').execute())).length).toBe(0);
    // The way back and the way on carry everything that was filled in.
    const fields = Object.fromEntries(
      [...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    );
    expect(fields).toMatchObject({ kind: 'invoice', all: '1', subject: 'Yours: {{ number }}', key: form['key'] });
    expect((await sender.founder.post('/runs', { ...form, ...fields })).status).toBe(303);
  });

  it('shows the page again, with what was typed, where it was changed behind it; it says what', async () => {
    const { sender } = await withRecords(2);
    const form: Record<string, string> = { ...(await runForm(sender.founder, all)), subject: 'Typed {{ number }}' };
    const changes: [string, (trx: Database) => Promise<unknown>][] = [
      [
        'What stands at the head of your documents was changed.',
        (trx) => trx.updateTable('tenants').set({ phone: '1' }).execute(),
      ],
      ['Records were changed', (trx) => trx.updateTable('documents').set({ version: 7 }).execute()],
      [
        'They would come from Other &lt;',
        (trx) => trx.updateTable('mailboxes').set({ display_name: 'Other' }).execute(),
      ],
    ];
    for (const [words, change] of changes) {
      expect((await sender.founder.post('/runs/new/stale', form)).status).toBe(204);
      await within(sender, change);
      const asked = await sender.founder.post('/runs/new/stale', form);
      expect(said(asked)).toContain(`This page is out of date. ${words}`);
      for (const path of ['/runs/confirmation', '/runs']) {
        const page = await sender.founder.post(path, form);
        expect([page.status, filledIn(page).subject]).toEqual([409, 'Typed {{ number }}']);
        expect(said(page)).toContain(words);
      }
      form['fingerprint'] = filledIn(await sender.founder.post('/runs/new', form)).fingerprint;
    }
    expect((await sender.founder.post('/runs/confirmation', form)).status).toBe(200);
  });

  it('counts what was ticked without this having been shown, or says what that changes', async () => {
    const { sender, ids } = await withRecords(2);
    await within(sender, (trx) => setDocumentStatus(trx, sender.tenantId, ids[1] ?? '', 'paid'));
    const form = await runForm(sender.founder, all);
    const ticked = await sender.founder.post('/runs/confirmation', { ...form, thoughPaid: 'yes' });
    expect(ticked.status).toBe(409);
    expect(said(ticked)).toContain('Whether paid ones are sent, too, is counted in now.');
    const { fingerprint } = filledIn(ticked);
    const page = await sender.founder.post('/runs/confirmation', { ...form, thoughPaid: 'yes', fingerprint });
    expect(said(page)).toContain('2 emails to 2 addresses');
    expect(said(page)).toContain('1 of them is paid already.');
  });
});

it('a run says which records it left out, and why', async () => {
  const { sender, ids } = await withRecords(3);
  await within(sender, (trx) => setDocumentStatus(trx, sender.tenantId, ids[1] ?? '', 'paid'));
  const id = await startRunOf(sender.founder, all);
  const page = await sender.founder.get(`/runs/${id}`);
  expect(said(page)).toContain('Left out when it was started: 1 paid.');
  expect(page.text).toContain(`<a href="/documents/${ids[1]}">B-00002</a>`);
  expect(page.text).not.toContain(`<a href="/documents/${ids[0]}">`);
});

describe('where nothing can be sent', () => {
  it('no button offers to send nothing', async () => {
    const { sender, ids } = await withRecords(1);
    await within(sender, (trx) => setDocumentStatus(trx, sender.tenantId, ids[0] ?? '', 'cancelled'));
    const page = await sender.founder.get(`/runs/new?${all}`);
    expect(said(page)).toContain('None of these can be sent. The reason is below.');
    expect(page.text).not.toMatch(/Send 0|Nothing to send|id="send"/);
  });

  it('what was sent lately waits for a tick, and is not sent without', async () => {
    const { sender, ids } = await withRecords(1);
    await startRunOf(sender.founder, all);
    const page = await sender.founder.get(`/runs/new?${all}`);
    expect(page.text).not.toMatch(/Send 0/);
    const form = await runForm(sender.founder, all);
    const none = await sender.founder.post('/runs/confirmation', form);
    expect([none.status, said(none).includes('None of these would be sent.')]).toEqual([422, true]);
    const ticked = await sender.founder.post('/runs/confirmation', { ...form, again: ids[0] ?? '' });
    expect(said(ticked)).toMatch(
      /Send 1 invoice\?.*It goes out again: +sent in the last 24 hours, waiting to be, or in doubt/,
    );
  });
});

describe('send one to me first', () => {
  it('brings the previewed email to whoever asks and to nobody else, and leaves its record unsent', async () => {
    const { sender } = await withRecords(3);
    const own = `clerk@${sender.account.split('@')[1]}`;
    letterhead.google.accounts.add({ email: own, name: 'Clerk' });
    const clerk = await signedIn(letterhead, await join(letterhead, sender, own));
    const form = {
      ...(await runForm(clerk, all)),
      place: '2',
      sampleKey: randomUUID(),
      subject: 'Yours: {{ number }}',
    };
    const page = await clerk.post('/runs/sample', form);
    expect(said(page)).toContain(`On its way to ${own} , and to nobody else.`);
    expect(filledIn(page).subject).toBe('Yours: {{ number }}');
    expect(said(page)).toContain('2 of 3');
    const id = /\/deliveries\/([0-9a-f-]{36})">See it leave/.exec(page.text)?.[1] ?? '';
    expect(await sender.delivery(id)).toMatchObject({ state: 'queued', documentId: null });
    await deliverNow(letterhead, sender, id);
    expect(sender.accepted(id)).toHaveLength(1);
    const [mail] = await received(letterhead.google, own, id);
    expect(mail).toMatchObject({ subject: 'Yours: B-00002', to: [{ address: own }] });
    expect(mail?.headers.some(({ key }) => key === 'cc' || key === 'bcc')).toBe(false);
    expect(mail?.pdfs).toMatchObject([{ fileName: expect.stringMatching(/^Invoice B-00002 /) }]);
    // Nothing of it counts as sent, and the same click twice is one email.
    expect(filledIn(await clerk.get(`/runs/new?${all}`)).fingerprint).toBe(filledIn(page).fingerprint);
    await clerk.post('/runs/sample', form);
    expect(await within(sender, (trx) => trx.selectFrom('deliveries').select('id').execute())).toHaveLength(1);
  });

  it('says why where the previewed record would be left out, or the text is wrong', async () => {
    const { sender, ids } = await withRecords(1);
    const form = await runForm(sender.founder, all);
    const wrong = await sender.founder.post('/runs/sample', { ...form, message: '{{ nmae }}' });
    expect(said(wrong)).toContain('Nothing was sent to you. There is no “nmae”');
    await within(sender, (trx) => setDocumentStatus(trx, sender.tenantId, ids[0] ?? '', 'cancelled'));
    const left = await sender.founder.post('/runs/sample', form);
    expect(said(left)).toContain('Nothing was sent to you. The record in the preview would be left out.');
  });
});

it('records of one date stand in the order of their numbers everywhere: list, home, preview, run', async () => {
  const { sender } = await withRecords(12);
  await within(sender, (trx) =>
    sql`update documents set issue_date = '2026-11-30', number = 'N-' || ltrim(right(number, 5), '0'),
      content = content || jsonb_build_object('number', 'N-' || ltrim(right(number, 5), '0'))`.execute(trx),
  );
  const order = Array.from({ length: 12 }, (_, index) => `N-${index + 1}`);
  const numbers = ({ text }: { text: string }) => [...text.matchAll(/>(N-\d+)</g)].map(([, number]) => number);
  expect(numbers(await sender.founder.get('/documents?kind=invoice'))).toEqual(order);
  const home = numbers(await sender.founder.get('/'));
  expect(home.length).toBeGreaterThan(2);
  expect(home).toEqual(order.slice(0, home.length));
  const form = await runForm(sender.founder, all);
  const preview = await sender.founder.post('/runs/new', { ...form, place: '10' });
  expect(said(preview)).toMatch(/10 of 12.*Invoice N-10 from/);
  const id = await startRunOf(sender.founder, all);
  expect(numbers(await sender.founder.get(`/runs/${id}`))).toEqual(order);
});

it('a run’s page is read at one moment: what is committed in between is not half in it', async () => {
  const { sender } = await withRecords(2);
  const { counts } = await atOneMoment(ctx.db, sender.tenantId, async (trx) => {
    const count = async () =>
      Number((await trx.selectFrom('documents').select(sql<number>`count(*)`.as('of')).executeTakeFirstOrThrow()).of);
    const before = await count();
    await within(sender, (other) => other.deleteFrom('documents').execute());
    return { counts: [before, await count()] };
  });
  expect(counts).toEqual([2, 2]);
  const writes = atOneMoment(ctx.db, sender.tenantId, (trx) => trx.deleteFrom('parties').execute());
  await expect(writes).rejects.toMatchObject({ code: '25006' });
});
