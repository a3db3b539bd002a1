import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deliver } from '../../../src/deliveries/deliver.ts';
import { createPdfRenderer } from '../../../src/documents/pdf/render.ts';
import { inTenant } from '../../../src/tenants/scope.ts';
import { company } from '../../support/company.ts';
import { anotherWorker, deliverNow } from '../../support/hand-delivery.ts';
import { sharedLetterhead, type TestLetterhead } from '../../support/letterhead.ts';
import { manyRecords } from '../../support/many-records.ts';
import { received } from '../../support/received.ts';
import { deliveriesOf, started } from '../../support/runs.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
});
afterAll(() => letterhead.close());

async function runOfOne() {
  const sender = await company(letterhead);
  const { tenantId } = sender;
  const [documentId = ''] = await inTenant(letterhead.context.db, tenantId, (trx) => manyRecords(trx, tenantId, 1));
  const runId = await started(letterhead.context, sender);
  const [delivery] = await deliveriesOf(letterhead.context, sender, runId);
  if (!delivery) throw new Error('no delivery');
  return { sender, documentId, id: delivery.id };
}

it('what was shown is sent, though record, contact and company change before it leaves', async () => {
  const { sender, documentId, id } = await runOfOne();
  await inTenant(letterhead.context.db, sender.tenantId, async (trx) => {
    await sql`update documents set version = version + 1, number = 'B-CHANGED', content = content
      || '{"number": "B-CHANGED"}' || jsonb_build_object('party', content -> 'party' || '{"email": "new@customer.example"}')
      where id = ${documentId}`.execute(trx);
    await trx.updateTable('tenants').set({ name: 'Renamed Ltd', phone: '+353 1 999' }).execute();
  });
  await deliverNow(letterhead, sender, id);
  const [mail] = await received(letterhead.google, 'b1@customer.example', id);
  expect(mail?.subject).toMatch(/^Invoice B-00001 from Company/);
  expect(mail?.pdfs).toMatchObject([{ fileName: expect.stringMatching(/^Invoice B-00001 Company \d+ Ltd\.pdf$/) }]);
  expect(mail?.pdfs[0]?.text).toContain('Invoice B-00001');
  expect(mail?.pdfs[0]?.text).not.toMatch(/CHANGED|Renamed|999/);
});

it('the PDF is frozen by whoever looks first, and those bytes are sent and kept', async () => {
  const { sender, id } = await runOfOne();
  const before = await sender.founder.get(`/deliveries/${id}`);
  const [name = ''] = /Invoice B-00001 Company \d+ Ltd\.pdf/.exec(before.text) ?? [];
  const looked = await Promise.all(
    [1, 2].map(() => sender.founder.get(`/deliveries/${id}/attachments/${encodeURIComponent(name)}`)),
  );
  expect(looked.map(({ status }) => status)).toEqual([200, 200]);
  const [file] = (await sender.delivery(id)).attachments;
  await deliverNow(letterhead, sender, id);
  const [mail] = await received(letterhead.google, 'b1@customer.example', id);
  expect(mail?.pdfs.map(({ sha256 }) => sha256)).toEqual([file?.sha256]);
  expect((await sender.delivery(id)).attachments).toEqual([file]);
});

it('a PDF that cannot be made fails the email, and says so', async () => {
  const { sender, id } = await runOfOne();
  const pdf = createPdfRenderer({ timeoutMs: 1 });
  try {
    await deliver({ ...anotherWorker(letterhead), pdf }, { tenantId: sender.tenantId, deliveryId: id });
  } finally {
    await pdf.close();
  }
  const delivery = await sender.delivery(id);
  expect(delivery.state).toBe('failed');
  expect(delivery.lastDetail).toMatch(/PDF could not be made/);
  expect(sender.accepted(id)).toEqual([]);
});

it('a program that stops makes no PDF and fails nothing: the job runs again', async () => {
  const { sender, id } = await runOfOne();
  const pdf = createPdfRenderer();
  await pdf.close();
  const job = { tenantId: sender.tenantId, deliveryId: id };
  await expect(deliver({ ...anotherWorker(letterhead), pdf }, job)).rejects.toThrow(/stopping/);
  expect((await sender.delivery(id)).state).toBe('queued');
  await deliverNow(letterhead, sender, id);
  expect((await sender.delivery(id)).state).toBe('sent');
});
