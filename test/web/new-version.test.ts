import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { type DocumentRecord, getDocument } from '../../src/documents/store.ts';
import { wallTimeOf } from '../../src/platform/zoned-time.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { join } from '../support/found.ts';
import { deliverNow } from '../support/hand-delivery.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { started } from '../support/runs.ts';
import { anInvoice, sent } from '../support/send-page.ts';
import { signedIn } from '../support/visitor.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
});

const tomorrow = () => wallTimeOf(new Date(letterhead.google.clock.now() + 26 * 3_600_000), 'Europe/Dublin');
const later = () => ({ when: 'later', sendAt: tomorrow() });
const rows = ({ tenantId }: Company, record: DocumentRecord) =>
  inTenant(letterhead.database.db, tenantId, (trx) =>
    trx
      .selectFrom('deliveries')
      .selectAll()
      .select(sql<string>`document_snapshot ->> 'dueDate'`.as('dueDate'))
      .where('document_id', '=', record.id)
      .orderBy('created_at')
      .orderBy('replaced_by')
      .execute(),
  );
const now = ({ tenantId }: Company, { id }: DocumentRecord) =>
  inTenant(letterhead.database.db, tenantId, async (trx) => {
    const record = await getDocument(trx, tenantId, id);
    if (!record) throw new Error('The record is gone.');
    return record;
  });
/** What the edit page says of the emails, as its form would send it. */
async function editing(sender: Company, record: DocumentRecord) {
  const { text } = await sender.founder.get(`/documents/${record.id}/edit`);
  const [, waits = ''] = /name="waits" value="([^"]*)"/.exec(text) ?? [];
  return { text, form: { version: String((await now(sender, record)).version), waits } };
}
const save = (sender: Company, record: DocumentRecord, form: Record<string, string>) =>
  sender.founder.post(`/documents/${record.id}`, form);
const noticeOf = async (sender: Company, record: DocumentRecord) => {
  const { text } = await sender.founder.get(`/documents/${record.id}`);
  return /<p class="notice [^"]*" role="[^"]*">.*?<span>([^<]*)<\/span>/s.exec(text)?.[1] ?? '';
};
const newDay = { dueDate: '2027-03-31' };

describe('a record whose email waits', () => {
  it('says so before it is saved, and asks which version leaves', async () => {
    const sender = await company(letterhead);
    const record = await anInvoice(letterhead, sender);
    const id = await sent(sender.founder, record, later());
    const { text, form } = await editing(sender, record);
    expect(form.waits).toBe(id);
    expect(text).toContain('An email waits');
    expect(text).toContain('Send the new version instead');
    expect(text).toContain('Keep the old one');
    const asked = await save(sender, record, { ...form, ...newDay });
    expect(asked.status).toBe(422);
    expect(asked.text).toContain('waits to be sent. Say which version it carries.');
    expect(asked.text).toContain('value="2027-03-31"');
    expect((await now(sender, record)).version).toBe(record.version);
  });

  it('saved with the new version: one email takes the place of the other, at its time, with a text that follows', async () => {
    const sender = await company(letterhead);
    const record = await anInvoice(letterhead, sender);
    const page = await sender.founder.get(`/documents/${record.id}/deliveries/new`);
    const [, message = ''] = /<textarea[^>]*name="message"[^>]*>([^<]*)</.exec(page.text) ?? [];
    const id = await sent(sender.founder, record, { ...later(), message: `${message}\nMy own words.` });
    const { form } = await editing(sender, record);
    const change = {
      ...form,
      ...newDay,
      'lines[0][name]': 'Oak counter',
      'lines[0][unitPrice]': '2000',
      emails: 'new',
    };
    expect((await save(sender, record, change)).status).toBe(303);
    expect(await noticeOf(sender, record)).toContain('it leaves with the new version');
    const [old, next, ...more] = (await rows(sender, record)).sort((a) => (a.id === id ? -1 : 1));
    expect(more).toEqual([]);
    expect(old).toMatchObject({ state: 'cancelled', replaced_by: next?.id });
    expect(next).toMatchObject({
      state: 'held',
      held_reason: 'scheduled',
      dueDate: '2027-03-31',
      from_email: old?.from_email,
    });
    expect(next?.not_before).toEqual(next?.scheduled_for);
    expect(next?.message).toContain('31 March 2027');
    expect(next?.message).toContain('My own words.');
    expect(next?.message).not.toBe(old?.message);
    const again = await save(sender, record, { ...change, version: String((await now(sender, record)).version) });
    expect(again.status).toBe(303);
    expect((await rows(sender, record)).filter(({ state }) => state !== 'cancelled').map((row) => row.id)).toEqual([
      next?.id,
    ]);
    await deliverNow(letterhead, sender, id);
    expect(sender.accepted(id)).toEqual([]);
    await sender.founder.post(`/deliveries/${next?.id}/decision`, { decision: 'send_now' });
    await deliverNow(letterhead, sender, next?.id ?? '');
    expect(sender.accepted(next?.id ?? '')).toHaveLength(1);
  });

  it('goes to the address that was corrected with the record', async () => {
    const sender = await company(letterhead);
    const record = await anInvoice(letterhead, sender);
    await sent(sender.founder, record, { ...later(), to: record.content.party.email ?? '' });
    const { form } = await editing(sender, record);
    await save(sender, record, { ...form, 'party[email]': 'right@northgate.example', emails: 'new' });
    const waiting = (await rows(sender, record)).filter(({ state }) => state === 'held');
    expect(waiting.map(({ recipients }) => JSON.stringify(recipients))).toEqual([
      expect.stringContaining('right@northgate.example'),
    ]);
  });

  it('saved with the old one: what leaves is what was written, and the pages say which it is', async () => {
    const sender = await company(letterhead);
    const record = await anInvoice(letterhead, sender);
    const id = await sent(sender.founder, record, later());
    const { form } = await editing(sender, record);
    await save(sender, record, { ...form, ...newDay, emails: 'old' });
    expect(await noticeOf(sender, record)).toContain('The email that waits keeps the old version.');
    const page = await sender.founder.get(`/deliveries/${id}`);
    expect(page.text).toContain('Due date');
    expect(page.text).toContain('31 March 2027');
    await sender.founder.post(`/deliveries/${id}/decision`, { decision: 'send_now' });
    await deliverNow(letterhead, sender, id);
    const [only, ...more] = await rows(sender, record);
    expect(more).toEqual([]);
    expect(only).toMatchObject({ state: 'sent', dueDate: record.content.dueDate });
    const shown = await sender.founder.get(`/documents/${record.id}`);
    expect(shown.text).toContain('before later changes');
    expect(shown.text).toContain('Send the corrected invoice');
    expect((await sender.founder.get(`/documents/${record.id}/edit`)).text).toContain('an earlier version');
  });

  it('can still be changed by its email, until that leaves: twice is once', async () => {
    const sender = await company(letterhead);
    const record = await anInvoice(letterhead, sender);
    const id = await sent(sender.founder, record, later());
    const { form } = await editing(sender, record);
    await save(sender, record, { ...form, ...newDay, emails: 'old' });
    const [first, second] = await Promise.all([1, 2].map(() => sender.founder.post(`/deliveries/${id}/version`, {})));
    expect([first?.status, second?.status]).toEqual([303, 303]);
    const waiting = (await rows(sender, record)).filter(({ state }) => state === 'held');
    expect(waiting).toMatchObject([{ dueDate: '2027-03-31' }]);
  });

  it('tells the truth where the old version left while somebody typed, or is just being sent', async () => {
    for (const state of ['sent', 'sending'] as const) {
      const sender = await company(letterhead);
      const record = await anInvoice(letterhead, sender);
      const id = await sent(sender.founder, record, later());
      const { form } = await editing(sender, record);
      await sender.founder.post(`/deliveries/${id}/decision`, { decision: 'send_now' });
      await deliverNow(letterhead, sender, id);
      if (state === 'sending')
        await letterhead.database.db
          .transaction()
          .execute((trx) =>
            sql`set local app.tenant_id = ${sql.lit(sender.tenantId)}`
              .execute(trx)
              .then(() => sql`update deliveries set state = 'sending' where id = ${id}`.execute(trx)),
          );
      const saved = await save(sender, record, { ...form, ...newDay, emails: 'new' });
      expect(saved.status).toBe(303);
      expect(await noticeOf(sender, record), state).toContain('already being sent or had left, with the old version');
      expect((await rows(sender, record)).map((row) => row.state)).toEqual([state]);
      expect((await now(sender, record)).content.dueDate).toBe('2027-03-31');
    }
  });

  it('is asked about again where another email was written meanwhile', async () => {
    const sender = await company(letterhead);
    const record = await anInvoice(letterhead, sender);
    const first = await sent(sender.founder, record, later());
    const { form } = await editing(sender, record);
    await sent(sender.founder, record, { ...later(), again: first, to: 'books@northgate.example' });
    const asked = await save(sender, record, { ...form, ...newDay, emails: 'new' });
    expect(asked.status).toBe(422);
    expect(asked.text).toContain('Another email with this record was written meanwhile.');
  });

  it('stays in its run: held as the run is, and counted once', async () => {
    const sender = await company(letterhead);
    const record = await anInvoice(letterhead, sender);
    const runId = await started(letterhead.context, sender);
    await sender.founder.post(`/runs/${runId}/control`, { control: 'pause' });
    const [old] = await rows(sender, record);
    expect(old).toMatchObject({ state: 'held', held_reason: 'run_paused', run_id: runId });
    const { form } = await editing(sender, record);
    await save(sender, record, { ...form, ...newDay, emails: 'new' });
    const waiting = (await rows(sender, record)).filter(({ state }) => state !== 'cancelled');
    expect(waiting).toMatchObject([{ held_reason: 'run_paused', run_id: runId, lane: 1, dueDate: '2027-03-31' }]);
    await sender.founder.post(`/runs/${runId}/control`, { control: 'resume' });
    const [next] = waiting;
    await deliverNow(letterhead, sender, next?.id ?? '');
    await deliverNow(letterhead, sender, old?.id ?? '');
    expect((await rows(sender, record)).map(({ state }) => state).sort()).toEqual(['cancelled', 'sent']);
    expect(sender.accepted(next?.id ?? '')).toHaveLength(1);
  });

  it('keeps what waits through a Gmail that somebody may not use', async () => {
    const sender = await company(letterhead);
    const record = await anInvoice(letterhead, sender);
    await sent(sender.founder, record, later());
    await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
      trx.updateTable('mailboxes').set({ for_everybody: false }).where('id', '=', sender.mailboxId).execute(),
    );
    letterhead.google.accounts.add({ email: 'ann@northgate.example', name: 'Ann' });
    const ann = await join(letterhead, sender, 'ann@northgate.example');
    const visitor = await signedIn(letterhead, ann);
    const { text } = await visitor.get(`/documents/${record.id}/edit`);
    expect(text).toContain('through a Gmail that you may not see');
    expect(text).not.toContain('name="emails"');
    const { version } = await now(sender, record);
    expect((await visitor.post(`/documents/${record.id}`, { version: String(version), ...newDay })).status).toBe(303);
    expect(await rows(sender, record)).toMatchObject([{ state: 'held', dueDate: record.content.dueDate }]);
  });
});

describe('a record that nobody should get any more', () => {
  it.each([
    ['cancelled', 'Marked as cancelled. The email that waited was stopped.'],
    ['paid', 'Marked as paid. The email that waited was stopped.'],
  ])('is %s: what waits is stopped, and that is said before and after', async (status, words) => {
    const sender = await company(letterhead);
    const record = await anInvoice(letterhead, sender);
    const id = await sent(sender.founder, record, later());
    expect((await sender.founder.get(`/documents/${record.id}`)).text).toContain(
      'An email with it waits to be sent. It will be stopped.',
    );
    await sender.founder.post(`/documents/${record.id}/status`, { status });
    expect(await noticeOf(sender, record)).toBe(words);
    expect((await sender.delivery(id)).state).toBe('cancelled');
    expect((await sender.founder.get(`/deliveries/${id}`)).text).toContain(
      `The invoice was marked as ${status}, so it was stopped.`,
    );
  });

  it('lets it go where somebody says so, and says what could not be stopped', async () => {
    const sender = await company(letterhead);
    const record = await anInvoice(letterhead, sender);
    const id = await sent(sender.founder, record, later());
    await sender.founder.post(`/documents/${record.id}/status`, { status: 'paid', emails: 'send' });
    expect((await sender.delivery(id)).state).toBe('held');
    await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
      sql`update deliveries set state = 'sending', held_reason = null where id = ${id}`.execute(trx),
    );
    await sender.founder.post(`/documents/${record.id}/status`, { status: 'open' });
    await sender.founder.post(`/documents/${record.id}/status`, { status: 'cancelled' });
    expect(await noticeOf(sender, record)).toContain('it could not be stopped');
    expect((await sender.delivery(id)).state).toBe('sending');
  });

  it('may be a draft of before, with an email: it is cancelled, not deleted', async () => {
    const sender = await company(letterhead);
    const record = await anInvoice(letterhead, sender);
    const id = await sent(sender.founder, record, later());
    await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
      trx.updateTable('documents').set({ status: 'draft' }).where('id', '=', record.id).execute(),
    );
    const { text } = await sender.founder.get(`/documents/${record.id}`);
    expect(text).not.toContain('Delete draft');
    expect(text).toContain('Mark as cancelled');
    await sender.founder.post(`/documents/${record.id}/deletion`);
    expect(await noticeOf(sender, record)).toContain('An email with it was written, so it stays.');
    await sender.founder.post(`/documents/${record.id}/status`, { status: 'cancelled' });
    expect((await sender.delivery(id)).state).toBe('cancelled');
  });
});

describe('the company’s letterhead', () => {
  it('is changed: papers that were sent, and those that wait, stay as they were, and say what is different', async () => {
    const sender = await company(letterhead);
    const [done, waits] = [await anInvoice(letterhead, sender), await anInvoice(letterhead, sender)];
    const sentId = await sent(sender.founder, done);
    await deliverNow(letterhead, sender, sentId);
    const waitingId = await sent(sender.founder, waits, later());
    const files = async () =>
      Promise.all(
        [sentId, waitingId].map(async (id) => (await sender.delivery(id)).attachments.map(({ sha256 }) => sha256)),
      );
    const before = await files();
    const company1 = {
      name: 'Renamed Ltd',
      country: 'DE',
      currency: 'EUR',
      timeZone: 'Europe/Dublin',
      paymentDetails: 'IBAN DE00',
    };
    const rest = {
      street: 'New Street 1',
      extraStreet: '',
      city: '',
      postalCode: '',
      region: '',
      taxId: '',
      email: '',
      phone: '',
      website: '',
    };
    expect((await sender.founder.post('/settings/company', { ...company1, ...rest })).status).toBe(303);
    expect((await sender.founder.get('/settings/company')).text).toContain(
      'emails that wait keep the letterhead they were written with',
    );
    expect(await files()).toEqual(before);
    for (const id of [sentId, waitingId]) {
      const { text } = await sender.founder.get(`/deliveries/${id}`);
      expect(text).toContain('Your bank details');
      expect(text).toContain('Renamed Ltd');
    }
    expect((await sender.founder.get(`/documents/${done.id}`)).text).toContain('as it is now');
    const { location } = await sender.founder.post(`/deliveries/${waitingId}/version`, {});
    const [file] = (await sender.delivery(location?.slice(12) ?? '')).attachments;
    expect(file?.fileName).toContain('Renamed Ltd');
  });
});
