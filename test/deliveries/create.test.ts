import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDelivery, type SendRequest } from '../../src/deliveries/create.ts';
import { setDocumentStatus } from '../../src/documents/status.ts';
import { createDocument } from '../../src/documents/store.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { invoice } from '../documents/content.ts';
import { standingClock } from '../support/clock.ts';
import { testEmail } from '../support/company.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { aMailbox } from '../support/rows.ts';

let database: TestDatabase;
let tenantId: string;
let memberId: string;
let mailboxId: string;

beforeAll(async () => {
  database = await testDatabase();
  ({ tenantId, memberId } = await database.tenant());
  mailboxId = await within((trx) => aMailbox(trx, tenantId, { email: 'office@brightwater.example', isDefault: true }));
});
afterAll(() => database.close());

const within = <T>(work: (trx: Database) => Promise<T>) => inTenant(database.db, tenantId, work);
const create = (request: Partial<SendRequest> = {}) =>
  within((trx) => createDelivery(trx, systemClock, { ...testEmail(tenantId, memberId), ...request }));
const withDocument = async () => {
  const record = await within((trx) => createDocument(trx, tenantId, { content: { ...invoice(), number: undefined } }));
  return { record, fileName: `${record.number}.pdf`, pdf: Buffer.from('%PDF-1.7 …') };
};
const readByKey = (key: string) =>
  within((trx) => trx.selectFrom('deliveries').selectAll().where('idempotency_key', '=', key).execute());

describe('a delivery', () => {
  it('is written with everything frozen that will be sent, and waits for the pacer', async () => {
    const document = await withDocument();
    const result = await create({ document, subject: 'Your invoice' });
    if (result.kind !== 'created') throw new Error(result.kind);
    const row = await within((trx) =>
      trx.selectFrom('deliveries').selectAll().where('id', '=', result.deliveryId).executeTakeFirstOrThrow(),
    );
    expect(row).toMatchObject({
      ...{ state: 'queued', purpose: 'document', document_id: document.record.id, mailbox_id: mailboxId },
      ...{ from_email: 'office@brightwater.example', from_name: 'Brightwater', subject: 'Your invoice' },
      document_snapshot: document.record.content,
    });
    const attachment = await within((trx) =>
      trx.selectFrom('delivery_attachments').selectAll().executeTakeFirstOrThrow(),
    );
    expect(Buffer.compare(attachment.bytes, document.pdf)).toBe(0);
    expect(row).toMatchObject({ released_at: null, lane: 0, account: expect.stringMatching(/./) });
  });

  it('is as old as the product’s clock says, like all that its page shows', async () => {
    const idempotencyKey = randomUUID();
    const at = new Date('2031-03-05T10:00:00Z');
    const clock = standingClock(at.getTime());
    await within((trx) => createDelivery(trx, clock, { ...testEmail(tenantId, memberId), idempotencyKey }));
    expect(await readByKey(idempotencyKey)).toMatchObject([{ created_at: at, state_at: at }]);
  });

  it('is gone when the transaction fails afterwards', async () => {
    const idempotencyKey = randomUUID();
    const failing = within(async (trx) => {
      const result = await createDelivery(trx, systemClock, { ...testEmail(tenantId, memberId), idempotencyKey });
      expect(result.kind).toBe('created');
      throw new Error('the power went out');
    });
    await expect(failing).rejects.toThrow('the power went out');
    expect(await readByKey(idempotencyKey)).toEqual([]);
  });
});

describe('the same key', () => {
  it('twice is one delivery, and the second answer says so', async () => {
    const request = { idempotencyKey: randomUUID(), document: await withDocument() };
    const first = await create(request);
    const second = await create(request);
    expect(first).toMatchObject({ kind: 'created', repeated: false });
    expect(second).toEqual({ ...first, repeated: true });
  });

  it('ten times at the same instant is one delivery', async () => {
    const idempotencyKey = randomUUID();
    const results = await Promise.all(Array.from({ length: 10 }, () => create({ idempotencyKey })));
    expect(results.filter((result) => result.kind === 'created' && !result.repeated)).toHaveLength(1);
    expect(results.every(({ kind }) => kind === 'created')).toBe(true);
    const rows = await readByKey(idempotencyKey);
    expect(rows).toHaveLength(1);
  });

  it.each([
    ['subject', { subject: 'Something else' }],
    ['message', { message: 'Something else' }],
    ['recipient', { recipients: { to: [{ name: '', email: 'other@northgate.example' }], cc: [], bcc: [] } }],
  ])('with another %s is told apart, and nothing is written', async (_what, other) => {
    const idempotencyKey = randomUUID();
    const first = await create({ idempotencyKey });
    const second = await create({ idempotencyKey, ...other });
    expect(second).toEqual({ kind: 'key_used', deliveryId: first.kind === 'created' ? first.deliveryId : '' });
    expect(await readByKey(idempotencyKey)).toHaveLength(1);
  });

  it('in another company is another delivery', async () => {
    const idempotencyKey = randomUUID();
    await create({ idempotencyKey });
    const other = await database.tenant('Northgate');
    const result = await inTenant(database.db, other.tenantId, async (trx) => {
      await aMailbox(trx, other.tenantId, { isDefault: true });
      return createDelivery(trx, systemClock, { ...testEmail(other.tenantId, other.memberId), idempotencyKey });
    });
    expect(result).toMatchObject({ kind: 'created', repeated: false });
  });
});

describe('nothing is written', () => {
  it('where nobody can be the sender', async () => {
    const other = await database.tenant('Without Gmail');
    const request = testEmail(other.tenantId, other.memberId);
    const result = await inTenant(database.db, other.tenantId, (trx) => createDelivery(trx, systemClock, request));
    expect(result).toMatchObject({ kind: 'refused', resolution: { ok: false, reason: 'no_mailbox' } });
    const count = await inTenant(database.db, other.tenantId, (trx) =>
      trx.selectFrom('deliveries').select('id').execute(),
    );
    expect(count).toEqual([]);
  });

  it('where the record changed since it was shown', async () => {
    const idempotencyKey = randomUUID();
    const document = await withDocument();
    await within((trx) => setDocumentStatus(trx, tenantId, document.record.id, 'paid'));
    expect(await create({ idempotencyKey, document })).toEqual({ kind: 'document_changed' });
    expect(await readByKey(idempotencyKey)).toEqual([]);
  });
});

describe('while somebody else’s email of the same record is being written', () => {
  it('another waits for it, and is refused once it is there', async () => {
    const document = await withDocument();
    const { first, second } = await within(async (trx) => {
      const request = { ...testEmail(tenantId, memberId), document };
      const first = await createDelivery(trx, systemClock, request);
      const second = create({ document });
      // Until our transaction ends it can go no further.
      await eventually(
        () =>
          database.pool.query(
            `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
          ),
        ({ rowCount }) => rowCount !== null && rowCount > 0,
      );
      return { first, second };
    });
    if (first.kind !== 'created') throw new Error(first.kind);
    expect(await second).toEqual({ kind: 'sent_before', deliveryIds: [first.deliveryId] });
  });

  it('is written all the same for whoever named it', async () => {
    const document = await withDocument();
    const first = await create({ document });
    if (first.kind !== 'created') throw new Error(first.kind);
    expect(await create({ document })).toMatchObject({ kind: 'sent_before' });
    expect(await create({ document, inSpiteOf: [randomUUID()] })).toMatchObject({ kind: 'sent_before' });
    expect(await create({ document, inSpiteOf: [first.deliveryId] })).toMatchObject({ kind: 'created' });
    expect(await create({ document, inSpiteOf: 'whichever' })).toMatchObject({ kind: 'created' });
  });
});

describe('while the mailbox must be connected again', () => {
  it('a delivery is held from the start, and has no job', async () => {
    const other = await database.tenant('Cut off');
    const request = testEmail(other.tenantId, other.memberId);
    const result = await inTenant(database.db, other.tenantId, async (trx) => {
      await aMailbox(trx, other.tenantId, { isDefault: true, state: 'needs_reconnect' });
      return createDelivery(trx, systemClock, request);
    });
    if (result.kind !== 'created') throw new Error(result.kind);
    const [row] = await inTenant(database.db, other.tenantId, (trx) =>
      trx.selectFrom('deliveries').selectAll().execute(),
    );
    expect(row).toMatchObject({ state: 'held', held_reason: 'mailbox_needs_reconnect', not_before: null });
    expect(row?.released_at).toBeNull();
  });
});
