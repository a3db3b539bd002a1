import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countAttention } from '../../../src/deliveries/attention.ts';
import { freezeToLook } from '../../../src/deliveries/freeze.ts';
import { controlRun } from '../../../src/deliveries/runs/control.ts';
import { type ResendWhich, resend } from '../../../src/deliveries/runs/resend.ts';
import { inTenant } from '../../../src/tenants/scope.ts';
import { setSendingRules } from '../../../src/tenants/sending-rules.ts';
import { standingClock } from '../../support/clock.ts';
import { company } from '../../support/company.ts';
import { deliverNow } from '../../support/hand-delivery.ts';
import { sharedLetterhead, type TestLetterhead } from '../../support/letterhead.ts';
import { manyRecords } from '../../support/many-records.ts';
import { received } from '../../support/received.ts';
import { deliveriesOf, putInto, runNow, started } from '../../support/runs.ts';

let letterhead: TestLetterhead;
let ctx: TestLetterhead['context'];
beforeAll(async () => {
  letterhead = await sharedLetterhead();
  ctx = letterhead.context;
});
afterAll(() => letterhead.close());

/** A run of four, of which the first two failed. */
async function failedRun() {
  const sender = await company(letterhead);
  const { tenantId, memberId } = sender;
  await inTenant(ctx.db, tenantId, (trx) => manyRecords(trx, tenantId, 4));
  const runId = await started(ctx, sender);
  const failed = (await deliveriesOf(ctx, sender, runId)).slice(0, 2).map(({ id }) => id);
  await putInto(ctx, sender, failed, 'failed');
  const again = (which: ResendWhich) =>
    inTenant(ctx.db, tenantId, (trx) => resend(trx, ctx.clock, { tenantId, runId, memberId }, which));
  return { sender, runId, failed, again };
}

describe('the failed ones of a run', () => {
  it('are sent again, once: with the same record, text and PDF, in place of those that failed', async () => {
    const { sender, runId, failed, again } = await failedRun();
    await freezeToLook(ctx, sender.tenantId, failed[0] ?? '');
    const results = await Promise.all([again('failed'), again('failed'), again('failed')]);
    expect(results.map((result) => result.kind === 'sent_again' && result.ids.length).sort()).toEqual([0, 0, 2]);

    const all = await deliveriesOf(ctx, sender, runId);
    expect(all).toHaveLength(6);
    const [old, , , , fresh] = all;
    if (!old || !fresh) throw new Error('missing');
    expect(old).toMatchObject({ id: failed[0], state: 'failed', replaced_by: fresh.id });
    const { subject, message, document_snapshot, recipients } = old;
    expect(fresh).toMatchObject({ subject, message, document_snapshot, recipients, state: 'queued', lane: 1 });
    expect((await runNow(ctx, sender, runId)).counts).toMatchObject({ total: 4, failed: 0, waiting: 4 });
    const files = await Promise.all([sender.delivery(old.id), sender.delivery(fresh.id)]);
    expect(files[1]?.attachments).toEqual(files[0]?.attachments);
    expect(files[1]?.attachments).toHaveLength(1);

    await deliverNow(letterhead, sender, fresh.id);
    expect(await received(letterhead.google, 'b1@customer.example', fresh.id)).toHaveLength(1);
    await deliverNow(letterhead, sender, old.id);
    expect(sender.accepted(old.id)).toEqual([]);
  });

  it('are as old as the product’s clock says', async () => {
    const { sender, runId } = await failedRun();
    const { tenantId, memberId } = sender;
    const at = new Date(ctx.clock().getTime() + 3 * 3_600_000);
    const clock = standingClock(at.getTime());
    await inTenant(ctx.db, tenantId, (trx) => resend(trx, clock, { tenantId, runId, memberId }, 'failed'));
    const fresh = (await deliveriesOf(ctx, sender, runId)).slice(-2);
    expect(fresh).toMatchObject([{ created_at: at }, { created_at: at }]);
  });

  it('need nobody any more', async () => {
    const { sender, again } = await failedRun();
    const onlooker = { memberId: sender.memberId, seesAll: true };
    const attention = () => inTenant(ctx.db, sender.tenantId, (trx) => countAttention(trx, sender.tenantId, onlooker));
    expect(await attention()).toBe(2);
    await again('failed');
    expect(await attention()).toBe(0);
  });

  it('are sent one by one to a corrected address, even where the run was cancelled', async () => {
    const { sender, runId, failed, again } = await failedRun();
    const order = { tenantId: sender.tenantId, memberId: sender.memberId, runId };
    await inTenant(ctx.db, sender.tenantId, (trx) => controlRun(trx, ctx.clock, order, 'cancel'));
    expect(await again('failed')).toEqual({ kind: 'nothing' });
    const rules = { undoSeconds: 10, hours: null };
    await inTenant(ctx.db, sender.tenantId, (trx) => setSendingRules(trx, sender.tenantId, rules));
    const to = [{ name: 'Right', email: 'right@customer.example' }];
    expect(await again({ deliveryId: failed[1] ?? '', to })).toEqual({
      kind: 'sent_again',
      ids: [expect.any(String)],
      left: 0,
    });
    const fresh = (await deliveriesOf(ctx, sender, runId)).at(-1);
    expect(fresh).toMatchObject({ recipients: { to, cc: [], bcc: [] }, state: 'held', held_reason: 'undo' });
    await sender.founder.post(`/deliveries/${fresh?.id}/decision`, { decision: 'send_now' });
    await deliverNow(letterhead, sender, fresh?.id ?? '');
    const [mail] = await received(letterhead.google, 'right@customer.example', fresh?.id ?? '');
    expect(mail?.pdfs[0]?.text).toContain('B-00002');
    const { events } = await sender.delivery(failed[1] ?? '');
    expect(events[0]?.detail).toBe('Sent again to right@customer.example.');
  });

  it('are none of those of another run, nor any that did not fail', async () => {
    const { sender, runId, again } = await failedRun();
    const other = await failedRun();
    const to = [{ name: '', email: 'x@customer.example' }];
    expect(await again({ deliveryId: other.failed[0] ?? '', to })).toEqual({ kind: 'sent_again', ids: [], left: 0 });
    const waiting = (await deliveriesOf(ctx, sender, runId)).at(-1);
    expect(await again({ deliveryId: waiting?.id ?? '', to })).toEqual({ kind: 'sent_again', ids: [], left: 0 });
  });

  it('are not sent where nobody can be the sender', async () => {
    const { sender, runId, again } = await failedRun();
    await inTenant(ctx.db, sender.tenantId, (trx) =>
      trx.updateTable('mailboxes').set({ state: 'disconnected' }).execute(),
    );
    expect(await again('failed')).toMatchObject({ kind: 'refused' });
    expect(await deliveriesOf(ctx, sender, runId)).toHaveLength(4);
  });
});
