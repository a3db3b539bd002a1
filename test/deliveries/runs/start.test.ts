import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPacer } from '../../../src/deliveries/pacer.ts';
import { startRun } from '../../../src/deliveries/runs/start.ts';
import { setDocumentStatus } from '../../../src/documents/status.ts';
import { createDocument } from '../../../src/documents/store.ts';
import type { Database } from '../../../src/platform/database.ts';
import { inTenant } from '../../../src/tenants/scope.ts';
import { setSendingRules } from '../../../src/tenants/sending-rules.ts';
import { invoice } from '../../documents/content.ts';
import { standingClock } from '../../support/clock.ts';
import { type Company, company } from '../../support/company.ts';
import { anotherWorker } from '../../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../../support/letterhead.ts';
import { manyRecords } from '../../support/many-records.ts';
import { asShown, deliveriesOf, lookOver, runNow, started, tryStart } from '../../support/runs.ts';

let letterhead: TestLetterhead;
let ctx: TestLetterhead['context'];
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  ctx = letterhead.context;
});
afterAll(() => letterhead.close());

const within = <T>({ tenantId }: Company, work: (trx: Database) => Promise<T>) => inTenant(ctx.db, tenantId, work);
const withRecords = async (count: number) => {
  const sender = await company(letterhead);
  const ids = await within(sender, (trx) => manyRecords(trx, sender.tenantId, count));
  return { sender, ids };
};
const countAll = async (sender: Company) => {
  const count = (table: 'runs' | 'deliveries' | 'delivery_events') =>
    within(sender, (trx) => trx.selectFrom(table).select(sql<number>`count(*)::int`.as('count')).executeTakeFirst());
  return [(await count('runs'))?.count, (await count('deliveries'))?.count, (await count('delivery_events'))?.count];
};

describe('a run', () => {
  it('writes a delivery for each chosen record, in their order, each with its own words and the same sender', async () => {
    const { sender, ids } = await withRecords(1_203);
    const runId = await started(ctx, sender);
    const deliveries = await deliveriesOf(ctx, sender, runId);
    expect(deliveries.map(({ document_id }) => document_id)).toEqual(ids);
    expect(new Set(deliveries.map(({ id }) => id)).size).toBe(1_203);
    expect(deliveries[0]).toMatchObject({
      state: 'queued',
      lane: 1,
      released_at: null,
      from_email: sender.account,
      subject: `Invoice B-00001 from Company 1 Ltd`,
      recipients: { to: [{ name: 'Mira Okafor', email: 'b1@customer.example' }], cc: [], bcc: [] },
    });
    expect(deliveries[700]?.message).toContain('invoice B-00701 for €92.25, due on 5 December 2026.');
    expect(deliveries[1_202]?.document_snapshot).toMatchObject({ number: 'B-01203' });
    expect(await countAll(sender)).toEqual([1, 1_203, 1_203]);
    expect((await runNow(ctx, sender, runId)).counts).toMatchObject({ total: 1_203, waiting: 1_203, sent: 0 });
  });

  it('began when the product’s clock says, and its deliveries with it', async () => {
    const { sender } = await withRecords(2);
    const at = new Date(ctx.clock().getTime() + 3 * 3_600_000);
    const runId = await started({ ...ctx, clock: standingClock(at.getTime()) }, sender);
    expect((await runNow(ctx, sender, runId)).createdAt).toEqual(at);
    for (const { created_at } of await deliveriesOf(ctx, sender, runId)) expect(created_at).toEqual(at);
  });

  it('chooses as the list does: some, or all that match', async () => {
    const { sender, ids } = await withRecords(30);
    const some = await started(ctx, sender, { selection: { kind: 'invoice', ids: ids.slice(3, 5) } });
    expect((await deliveriesOf(ctx, sender, some)).map(({ document_id }) => document_id)).toEqual(ids.slice(3, 5));
    const found = await started(ctx, sender, { selection: { kind: 'invoice', status: 'open', search: 'B-0002' } });
    const numbers = (await deliveriesOf(ctx, sender, found)).map(({ subject }) => subject.split(' ')[1]);
    expect(numbers).toEqual(Array.from({ length: 10 }, (_, index) => `B-0002${index}`));
  });

  it('leaves out what cannot be sent, and remembers why', async () => {
    const { sender, ids } = await withRecords(5);
    await within(sender, async (trx) => {
      const bare = (number: string, email?: string) =>
        createDocument(trx, sender.tenantId, {
          content: invoice({ number, dueDate: undefined, party: { name: `Party of ${number}`, email } }),
        });
      await bare('NO-DATE', 'a@customer.example');
      await bare('NO-ADDRESS');
      await bare('BAD-ADDRESS', 'who knows');
      await setDocumentStatus(trx, sender.tenantId, ids[0] ?? '', 'draft');
      await setDocumentStatus(trx, sender.tenantId, ids[1] ?? '', 'cancelled');
    });
    const text = { subject: '{{ number }}', message: 'Due on {{ due_date }}' };
    const seen = await lookOver(ctx, sender, undefined, text);
    const leftOut = { draft: 1, cancelled: 1, missing: 1, no_address: 1, bad_address: 1 };
    expect(seen).toMatchObject({ total: 8, ready: 3, leftOut });
    expect(seen.noticed.leftOut.map(({ record, reason }) => [record.number, reason])).toContainEqual([
      'NO-DATE',
      { kind: 'missing', field: 'due_date' },
    ]);
    const runId = await started(ctx, sender, { text });
    const run = await runNow(ctx, sender, runId);
    expect(run.leftOut).toEqual(leftOut);
    expect(run.counts.total).toBe(3);
  });

  it('takes the contact’s address where the record has none', async () => {
    const sender = await company(letterhead);
    await within(sender, async (trx) => {
      await createDocument(trx, sender.tenantId, { content: invoice({ party: { name: 'Old Mill' } }) });
      await trx.updateTable('parties').set({ email: 'mill@customer.example', contact_name: 'Ann' }).execute();
    });
    const [delivery] = await deliveriesOf(ctx, sender, await started(ctx, sender));
    expect(delivery?.recipients).toMatchObject({ to: [{ name: 'Ann', email: 'mill@customer.example' }] });
  });

  it('leaves out what waits or was sent within a day, unless it is ticked', async () => {
    const { sender, ids } = await withRecords(4);
    await started(ctx, sender, { selection: { kind: 'invoice', ids: ids.slice(0, 2) } });
    expect(await lookOver(ctx, sender)).toMatchObject({ total: 4, ready: 4, recent: 2 });
    const again = ids.slice(1, 2);
    const runId = await started(ctx, sender, { again });
    expect((await deliveriesOf(ctx, sender, runId)).map(({ document_id }) => document_id)).toEqual(ids.slice(1));
    expect((await runNow(ctx, sender, runId)).leftOut).toEqual({ recent: 1 });
    expect(await deliveriesOf(ctx, sender, await started(ctx, sender, { again: 'all' }))).toHaveLength(4);
    expect(await tryStart(ctx, sender)).toEqual({ kind: 'nothing' });
  });
});

describe('the same run twice', () => {
  it('is one: however often its page is sent at once', async () => {
    const { sender } = await withRecords(50);
    const request = await asShown(ctx, sender);
    const results = await Promise.all(Array.from({ length: 6 }, () => startRun(ctx, request)));
    expect(new Set(results.map((result) => result.kind === 'started' && result.runId)).size).toBe(1);
    expect(results.filter((result) => result.kind === 'started' && !result.repeated)).toHaveLength(1);
    expect(await countAll(sender)).toEqual([1, 50, 50]);
    const other = await startRun(ctx, { ...request, text: { subject: 'Other', message: 'words' } });
    expect(other).toMatchObject({ kind: 'key_used' });
  });

  it('is one when two colleagues start it from pages of their own: the second is shown what changed', async () => {
    const { sender } = await withRecords(20);
    const requests = [await asShown(ctx, sender), await asShown(ctx, sender)];
    const results = await Promise.all(requests.map((request) => startRun(ctx, request)));
    expect(results.map(({ kind }) => kind).sort()).toEqual(['changed', 'started']);
    expect(await countAll(sender)).toEqual([1, 20, 20]);
  });
});

describe('what is started is what was shown', () => {
  const changes: Record<string, (trx: Database, sender: Company, ids: string[]) => Promise<unknown>> = {
    'a record': (trx, { tenantId }, ids) => setDocumentStatus(trx, tenantId, ids[1] ?? '', 'paid'),
    'a record more': (trx, { tenantId }) => createDocument(trx, tenantId, { content: invoice() }),
    'the company’s head': (trx) => trx.updateTable('tenants').set({ phone: '+353 1 234' }).execute(),
    'the sender': (trx) => trx.updateTable('mailboxes').set({ display_name: 'Somebody else' }).execute(),
    'a contact’s address': (trx) => trx.updateTable('parties').set({ email: 'new@customer.example' }).execute(),
  };
  it.each(Object.keys(changes))('or nothing is: %s changed meanwhile', async (what) => {
    const { sender, ids } = await withRecords(3);
    await within(sender, (trx) => sql`update documents set content = content #- '{party,email}'`.execute(trx));
    await within(sender, (trx) => trx.updateTable('parties').set({ email: 'old@customer.example' }).execute());
    const request = await asShown(ctx, sender);
    await within(sender, async (trx) => changes[what]?.(trx, sender, ids));
    expect(await startRun(ctx, request)).toEqual({ kind: 'changed' });
    expect(await countAll(sender)).toEqual([0, 0, 0]);
    expect((await startRun(ctx, await asShown(ctx, sender))).kind).toBe('started');
  });

  it('and a change to a record waits until the run is started', async () => {
    const { sender, ids } = await withRecords(2_000);
    const request = await asShown(ctx, sender);
    const [result] = await Promise.all([
      startRun(ctx, request),
      within(sender, (trx) =>
        sql`update documents set version = version + 1, content = jsonb_set(content, '{number}', '"X"')
          where id = ${ids.at(-1)}`.execute(trx),
      ),
    ]);
    const numbers = within(sender, (trx) =>
      sql<{ number: string }>`select document_snapshot ->> 'number' as number from deliveries`.execute(trx),
    );
    // Either it came too late, or the run was not started.
    if (result.kind === 'started') expect((await numbers).rows.map(({ number }) => number)).not.toContain('X');
    else expect(result).toEqual({ kind: 'changed' });
  });
});

describe('a run that nobody can be the sender of', () => {
  it('is refused with the reason, and nothing is written', async () => {
    const { sender } = await withRecords(2);
    await within(sender, (trx) => trx.updateTable('mailboxes').set({ state: 'disconnected' }).execute());
    expect(await tryStart(ctx, sender)).toMatchObject({ kind: 'refused', resolution: { ok: false } });
    expect(await countAll(sender)).toEqual([0, 0, 0]);
  });

  it('waits where Gmail must only be connected again', async () => {
    const { sender } = await withRecords(2);
    await within(sender, (trx) => trx.updateTable('mailboxes').set({ state: 'needs_reconnect' }).execute());
    const run = await runNow(ctx, sender, await started(ctx, sender));
    expect(run.counts).toMatchObject({ held: 2, heldBy: [{ reason: 'mailbox_needs_reconnect', count: 2 }] });
    await sender.founder.connect(sender.account);
    expect((await runNow(ctx, sender, run.id)).counts).toMatchObject({ held: 0, waiting: 2 });
  });
});

it('a run outside the sending hours waits for them', async () => {
  const { sender } = await withRecords(2);
  const tomorrow = new Date(ctx.clock().getTime() + 36 * 3_600_000);
  const hours = { days: [tomorrow.getUTCDay() || 7], from: '08:00', to: '18:00', holidays: [] };
  await within(sender, (trx) => setSendingRules(trx, sender.tenantId, { undoSeconds: 10, hours }));
  const [first] = await deliveriesOf(ctx, sender, await started(ctx, sender));
  expect(first).toMatchObject({ state: 'queued', any_time: false });
  await createPacer(anotherWorker(letterhead)).tick();
  expect(await deliveriesOf(ctx, sender, first?.run_id ?? '')).toMatchObject([
    { released_at: null },
    { released_at: null },
  ]);
  const page = await sender.founder.get(`/runs/${first?.run_id}`);
  expect(page.text).toContain('It waits for your sending hours, and goes on');

  await within(sender, (trx) => setSendingRules(trx, sender.tenantId, { undoSeconds: 10, hours: null }));
  await createPacer(anotherWorker(letterhead)).tick();
  expect((await deliveriesOf(ctx, sender, first?.run_id ?? '')).every((each) => each.released_at !== null)).toBe(true);
});

it('a text that is wrong starts nothing, and says what is wrong with which', async () => {
  const { sender } = await withRecords(1);
  const text = { subject: '{{ nmber }}', message: '{% for a in b %}' };
  const result = await startRun(ctx, { ...(await asShown(ctx, sender)), text });
  expect(result).toMatchObject({
    kind: 'text',
    problems: [
      { field: 'subject', message: expect.stringContaining('“nmber”') },
      { field: 'message', message: expect.stringContaining('“for”') },
    ],
  });
});
