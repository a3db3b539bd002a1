import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ timeStands: true });
});
afterAll(() => letterhead.close());

async function sendForm(sender: Company) {
  const record = await sender.record();
  const form = { key: randomUUID(), version: String(record.version), to: 'Mira <mira@northgate.example>' };
  const path = `/documents/${record.id}/deliveries`;
  return { record, path, form: { ...form, bcc: 'archive@else.example', subject: 'Your invoice', message: 'Here.' } };
}
const idOf = (location: string | null) => location?.replace('/deliveries/', '') ?? '';

describe('pressing Send', () => {
  it('takes the invoice to the customer, once, from the company’s own Gmail', async () => {
    const sender = await company(letterhead);
    const { record, path, form } = await sendForm(sender);
    const page = await sender.founder.post(path, form);
    const id = idOf(page.location);
    const delivery = await sender.reaches(id, 'sent');

    const accepted = sender.accepted(id);
    expect(accepted).toMatchObject([
      { account: sender.account, from: { address: sender.account }, subject: 'Your invoice' },
    ]);
    expect(delivery.providerMessageId).toMatch(/\w+/);
    const arrived = letterhead.google.mail.messages('mira@northgate.example').at(-1);
    if (!arrived) throw new Error('Nothing arrived.');
    const raw = letterhead.google.mail.raw(arrived).toString('latin1');
    expect(raw).toContain(`X-Letterhead-Delivery: ${id}`);
    expect(raw).toContain(`filename="Invoice ${record.number} Company`);
    expect(raw).not.toContain('archive@else.example');
    expect(letterhead.google.mail.outside()).toMatchObject([{ envelope: ['archive@else.example'] }]);

    expect(delivery.events.map(({ state }) => state).reverse()).toEqual(['queued', 'sending', 'sent']);
    expect(delivery.attempts).toMatchObject([{ number: 1, outcome: 'sent', httpStatus: 200 }]);
    const progress = await sender.founder.get(`/deliveries/${id}/progress`);
    expect(progress.text).toContain(`Gmail accepted it from ${sender.account}.`);
  });

  it('twice in the same instant sends one email', async () => {
    const sender = await company(letterhead);
    const { path, form } = await sendForm(sender);
    const pages = await Promise.all(Array.from({ length: 4 }, () => sender.founder.post(path, form)));
    const ids = new Set(pages.map(({ location }) => idOf(location)));
    expect(ids.size).toBe(1);
    const [id = ''] = ids;
    await sender.reaches(id, 'sent');
    const { rows } = await inTenant(letterhead.database.db, sender.tenantId, async (trx) => ({
      rows: await trx.selectFrom('deliveries').select('id').execute(),
    }));
    expect(rows).toHaveLength(1);
    expect(sender.accepted(id)).toHaveLength(1);
  });
});

describe('while Gmail is being asked', () => {
  it('the attempt stands in the database already, with its owner and its deadline', async () => {
    const sender = await company(letterhead);
    const slow = letterhead.google.faults.add({
      ...{ method: 'messages.send', account: sender.account },
      effect: { kind: 'slow', ms: 600_000 },
    });
    const id = await sender.send();
    await eventually(
      () => slow.fired,
      (fired) => fired === 1,
    );
    expect(sender.accepted(id)).toEqual([]);
    const attempts = await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
      trx.selectFrom('attempts').selectAll().where('delivery_id', '=', id).execute(),
    );
    expect(attempts).toMatchObject([{ number: 1, finished_at: null, outcome: null, http_status: null }]);
    expect(attempts[0]?.owner).toContain(`/${process.pid}/`);
    expect(attempts[0]?.deadline.getTime()).toBeGreaterThan(letterhead.google.clock.now());
    expect((await sender.delivery(id)).state).toBe('sending');
    letterhead.google.faults.remove(slow.id);
    await sender.reaches(id, 'sent');
    expect(sender.accepted(id)).toHaveLength(1);
  });

  it('no transaction is open and waits for Gmail', async () => {
    const sender = await company(letterhead);
    const slow = letterhead.google.faults.add({
      ...{ method: 'messages.send', account: sender.account },
      effect: { kind: 'slow', ms: 600_000 },
    });
    const id = await sender.send();
    await eventually(
      () => slow.fired,
      (fired) => fired === 1,
    );
    // What commits the attempt is over within a few milliseconds; an open transaction would stay.
    const idle = () =>
      letterhead.database.pool.query(
        `select query from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
      );
    await eventually(idle, ({ rowCount }) => rowCount === 0);
    letterhead.google.faults.remove(slow.id);
    await sender.reaches(id, 'sent');
  });
});

describe('a cancelled delivery', () => {
  it('does not leave, and cannot be cancelled once it is on its way', async () => {
    const sender = await company(letterhead);
    letterhead.google.faults.add({
      ...{ method: 'messages.send', account: sender.account },
      effect: {
        kind: 'tooMany',
        limit: 'rate',
        retryAt: new Date(letterhead.google.clock.now() + 60_000).toISOString(),
      },
    });
    const id = await sender.send();
    await eventually(
      () => sender.delivery(id),
      ({ attempts, state }) => state === 'queued' && attempts[0]?.outcome === 'refused_retry',
    );
    await sender.founder.post(`/deliveries/${id}/decision`, { decision: 'cancel' });
    expect((await sender.delivery(id)).state).toBe('cancelled');
    letterhead.google.clock.forward(60_000);
    const later = await sender.send();
    await sender.reaches(later, 'sent');
    await sender.founder.post(`/deliveries/${later}/decision`, { decision: 'cancel' });
    expect((await sender.delivery(later)).state).toBe('sent');
    expect(sender.accepted(id)).toEqual([]);
  });
});
