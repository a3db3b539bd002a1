import { beforeAll, describe, expect, it } from 'vitest';
import { createDocument, type DocumentRecord } from '../../src/documents/store.ts';
import { wallTimeOf } from '../../src/platform/zoned-time.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { invoice } from '../documents/content.ts';
import { type Company, company } from '../support/company.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { asShown, deliveriesOf, lookOver, tryStart } from '../support/runs.ts';
import { anInvoice, sendRecord, sent } from '../support/send-page.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
});

const record = ({ tenantId }: Company, name: string): Promise<DocumentRecord> =>
  inTenant(letterhead.context.db, tenantId, (trx) => {
    const content = { ...invoice({ party: { name, email: 'mira@northgate.example' } }), number: undefined };
    return createDocument(trx, tenantId, { content });
  });
const countOf = ({ tenantId }: Company) =>
  inTenant(letterhead.context.db, tenantId, (trx) => trx.selectFrom('deliveries').select('id').execute());

describe('a record with letters that no font has', () => {
  it('is saved, says so on its page, and is not sent: the send page names the letters, and a form posted all the same is refused', async () => {
    const sender = await company(letterhead);
    const written = await record(sender, 'ᚠᚢ Northgate');
    const page = await sender.founder.get(`/documents/${written.id}`);
    expect(page.text).toContain('It cannot be sent like this.');
    expect(page.text).toContain('These letters cannot be printed: ᚠ (U+16A0) ᚢ (U+16A2).');
    const form = await sender.founder.get(`/documents/${written.id}/deliveries/new`);
    expect(form.text).toContain('ᚠ (U+16A0)');
    expect(form.text).toContain(`href="/documents/${written.id}/edit">Write them in another way`);
    expect(form.text).toContain(`<button type="submit" class="button primary" disabled>`);
    const posted = await sendRecord(sender.founder, written);
    expect(posted.status).toBe(422);
    expect(posted.text).toContain('ᚠ (U+16A0)');
    expect(await countOf(sender)).toEqual([]);
  });

  it('is sent once they are written in letters that there are, Chinese ones too', async () => {
    const sender = await company(letterhead);
    const written = await record(sender, '株式会社 青空');
    expect((await sender.founder.get(`/documents/${written.id}`)).text).not.toContain('cannot be printed');
    await sent(sender.founder, written);
  });

  it('is told where they stand in the company’s own details', async () => {
    const sender = await company(letterhead);
    const written = await anInvoice(letterhead, sender);
    await inTenant(letterhead.context.db, sender.tenantId, (trx) =>
      trx.updateTable('tenants').set({ city: 'ᚷᚨᛚ' }).where('id', '=', sender.tenantId).execute(),
    );
    const { text } = await sender.founder.get(`/documents/${written.id}`);
    expect(text).toContain('ᚷ (U+16B7)');
    expect(text).toContain('href="/settings/company">Change the company’s details');
  });

  it('is left out of a run, with the letters named', async () => {
    const sender = await company(letterhead);
    const good = await record(sender, '서울상사');
    const bad = await record(sender, 'Oak ᛉ');
    const overview = await lookOver(letterhead.context, sender);
    const [noticed] = overview.noticed.leftOut;
    expect(noticed).toMatchObject({
      record: { id: bad.id },
      reason: { kind: 'letters', letters: ['ᛉ'], of: 'record' },
    });
    const started = await tryStart(letterhead.context, sender, await asShown(letterhead.context, sender));
    if (started.kind !== 'started') throw new Error(started.kind);
    const deliveries = await deliveriesOf(letterhead.context, sender, started.runId);
    expect(deliveries.map(({ document_id }) => document_id)).toEqual([good.id]);
  });

  it('does not take the place of what waits: the email keeps the old version', async () => {
    const sender = await company(letterhead);
    const written = await anInvoice(letterhead, sender);
    const tomorrow = wallTimeOf(new Date(letterhead.google.clock.now() + 26 * 3_600_000), 'Europe/Dublin');
    const id = await sent(sender.founder, written, { when: 'later', sendAt: tomorrow });
    const edited = await sender.founder.post(`/documents/${written.id}`, {
      ...{ version: String(written.version), waits: id, emails: 'new', notes: 'ᛗ' },
    });
    expect(edited.status).toBe(422);
    expect(edited.text).toContain('ᛗ (U+16D7)');
    expect(edited.text).toContain('the new version cannot be sent');
    expect((await countOf(sender)).map((each) => each.id)).toEqual([id]);
  });
});
