import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlRun } from '../../src/deliveries/runs/control.ts';
import { setDocumentStatus } from '../../src/documents/status.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { aMinuteLater } from '../support/answered.ts';
import { type Company, company } from '../support/company.ts';
import { deliverNow } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { manyRecords } from '../support/many-records.ts';
import { deliveriesOf, putInto, started } from '../support/runs.ts';

let letterhead: TestLetterhead;
let sender: Company;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  sender = await company(letterhead);
  await inTenant(letterhead.context.db, sender.tenantId, (trx) => manyRecords(trx, sender.tenantId, 4));
});
afterAll(() => letterhead.close());

/** A run of four whose first delivery stands so, which somebody then paused or cancelled. */
async function stopped(control: 'pause' | 'cancel', state: 'unconfirmed' | 'failed') {
  const ctx = letterhead.context;
  const { tenantId, memberId } = sender;
  const runId = await started(ctx, sender, { again: 'all' });
  const [first] = await deliveriesOf(ctx, sender, runId);
  const id = first?.id ?? '';
  await putInto(ctx, sender, [id], state);
  await inTenant(ctx.db, tenantId, (trx) => controlRun(trx, ctx.clock, { tenantId, memberId, runId }, control));
  return { runId, id };
}

const until = () => letterhead.context.clock().toISOString();

describe('“Send again” of an email whose run is stopped sends it', () => {
  const pages = {
    'its own page': (id: string) => sender.founder.post(`/deliveries/${id}/decision`, { decision: 'send_again' }),
    'what is ticked': (id: string) =>
      sender.founder.post('/activity/decisions', { decision: 'send_again', 'id[0]': id }),
    'all of a kind': () =>
      sender.founder.post('/activity/decisions', {
        ...{ decision: 'send_again', which: 'all', why: 'unconfirmed', until: until() },
      }),
  };
  for (const control of ['pause', 'cancel'] as const) {
    for (const [name, press] of Object.entries(pages)) {
      it(`by ${name}, after ${control}`, async () => {
        const { id } = await stopped(control, 'unconfirmed');
        expect((await press(id)).status).toBe(303);
        await aMinuteLater(letterhead);
        await deliverNow(letterhead, sender, id);
        expect(await sender.delivery(id)).toMatchObject({ state: 'sent' });
      });
    }
  }

  it('by the page of the run, after it was paused, and the failed ones too', async () => {
    const { runId, id } = await stopped('pause', 'unconfirmed');
    await sender.founder.post(`/runs/${runId}/decision`, { decision: 'send_again', until: until() });
    await aMinuteLater(letterhead);
    await deliverNow(letterhead, sender, id);
    expect(await sender.delivery(id)).toMatchObject({ state: 'sent' });

    const other = await stopped('pause', 'failed');
    await sender.founder.post(`/runs/${other.runId}/resends`, { which: 'failed' });
    const fresh = (await deliveriesOf(letterhead.context, sender, other.runId)).at(-1);
    await deliverNow(letterhead, sender, fresh?.id ?? '');
    expect(await sender.delivery(fresh?.id ?? '')).toMatchObject({ state: 'sent' });
  });
});

it('the failed ones of a run whose records were cancelled meanwhile are left alone, and the page says so', async () => {
  const { runId, id } = await stopped('pause', 'failed');
  const { documentId } = await sender.delivery(id);
  await inTenant(letterhead.context.db, sender.tenantId, (trx) =>
    setDocumentStatus(trx, sender.tenantId, documentId ?? '', 'cancelled'),
  );
  await sender.founder.post(`/runs/${runId}/resends`, { which: 'failed' });
  expect((await sender.founder.get(`/runs/${runId}`)).text).toContain('Nothing was sent. 1 was left alone');
  expect(await deliveriesOf(letterhead.context, sender, runId)).toHaveLength(4);
});
