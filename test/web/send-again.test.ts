import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DocumentRecord, updateDocument } from '../../src/documents/store.ts';
import type { Database } from '../../src/platform/database.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { invoice } from '../documents/content.ts';
import { colleague } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { deliverNow } from '../support/hand-delivery.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { received } from '../support/received.ts';
import { anInvoice, anotherKey, openSendPage, sendRecord, sent } from '../support/send-page.ts';
import { said, type Visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let sender: Company;
let tom: Visitor;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
  sender = await company(letterhead);
  ({ pages: tom } = await colleague(letterhead, sender, 'Tom'));
});
afterAll(() => letterhead.close());

const within = <T>(work: (trx: Database) => Promise<T>) => inTenant(letterhead.database.db, sender.tenantId, work);
const deliveriesOf = (documentId: string) =>
  inTenant(letterhead.database.db, sender.tenantId, (trx) =>
    trx.selectFrom('deliveries').select(['id', 'state']).where('document_id', '=', documentId).execute(),
  );
const again = (text: string) => text.match(/name="again" value="([^"]*)"/)?.[1] ?? '';

describe('a record that was sent or is on its way', () => {
  it('is not sent again by pressing Send, and the page names what was sent', async () => {
    const record = await anInvoice(letterhead, sender);
    const first = await sent(sender.founder, record);
    const page = await sendRecord(tom, record);
    expect(page.status).toBe(409);
    expect(page.text).toContain('It was sent already, or is on its way.');
    expect(page.text).toContain(`href="/deliveries/${first}"`);
    expect(await deliveriesOf(record.id)).toHaveLength(1);
  });

  it('is sent again by whoever has seen that and says so', async () => {
    const record = await anInvoice(letterhead, sender);
    const first = await sent(sender.founder, record);
    const page = await tom.get(`/documents/${record.id}/deliveries/new`);
    expect(again(page.text)).toBe(first);
    const second = await sent(tom, record, { again: first });
    expect((await deliveriesOf(record.id)).map(({ id }) => id).sort()).toEqual([first, second].sort());
    // What was sent since then is asked about anew.
    const third = await sendRecord(sender.founder, record, { again: first });
    expect(third.status).toBe(409);
    expect(again(third.text).split(',').sort()).toEqual([first, second].sort());
  });

  it.each([
    ['a day after it was sent', { state: 'sent', sent_at: new Date(Date.now() - 25 * 3_600_000) } as const],
    ['after it was cancelled', { state: 'cancelled' } as const],
    ['after Gmail refused it', { state: 'failed' } as const],
  ])('is sent without a question %s', async (_words, set) => {
    const record = await anInvoice(letterhead, sender);
    const first = await sent(sender.founder, record);
    await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
      trx.updateTable('deliveries').set(set).where('id', '=', first).execute(),
    );
    expect((await sender.founder.get(`/documents/${record.id}/deliveries/new`)).text).not.toContain('name="again"');
    await sent(sender.founder, record);
    expect(await deliveriesOf(record.id)).toHaveLength(2);
  });

  it('is asked about for as long as it has not left, however long ago it was written', async () => {
    const record = await anInvoice(letterhead, sender);
    const first = await sent(sender.founder, record);
    await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
      trx
        .updateTable('deliveries')
        .set({ state: 'unconfirmed', created_at: '2026-01-01' })
        .where('id', '=', first)
        .execute(),
    );
    expect((await sendRecord(tom, record)).status).toBe(409);
  });
});

describe('at the same instant', () => {
  it.each([1, 2, 3, 4, 5])('two colleagues press Send, and one email is written (%i)', async () => {
    const record = await anInvoice(letterhead, sender);
    const forms = await Promise.all([openSendPage(sender.founder, record), openSendPage(tom, record)]);
    const [mine, theirs] = await Promise.all([
      sender.founder.post(`/documents/${record.id}/deliveries`, forms[0]),
      tom.post(`/documents/${record.id}/deliveries`, forms[1]),
    ]);
    expect([mine.status, theirs.status].sort()).toEqual([303, 409]);
    expect(await deliveriesOf(record.id)).toHaveLength(1);
  });

  it('two colleagues both say to send it again, and one more is written', async () => {
    const record = await anInvoice(letterhead, sender);
    const first = await sent(sender.founder, record);
    const pages = await Promise.all([
      sendRecord(sender.founder, record, { again: first }),
      sendRecord(tom, record, { again: first }),
    ]);
    expect(pages.map(({ status }) => status).sort()).toEqual([303, 409]);
    expect(await deliveriesOf(record.id)).toHaveLength(2);
  });

  it('one presses five times, and one email is written, to which all five lead', async () => {
    const record = await anInvoice(letterhead, sender);
    const form = await openSendPage(sender.founder, record);
    const press = () => sender.founder.post(`/documents/${record.id}/deliveries`, form);
    const pages = await Promise.all([press(), press(), press(), press(), press()]);
    expect(pages.map(({ status }) => status)).toEqual([303, 303, 303, 303, 303]);
    expect(new Set(pages.map(({ location }) => location)).size).toBe(1);
    expect(await deliveriesOf(record.id)).toHaveLength(1);
  });
});

describe('a form that was sent before', () => {
  it('with other words is shown again under a new key, filled in', async () => {
    const record = await anInvoice(letterhead, sender);
    const form = await openSendPage(sender.founder, record);
    await sender.founder.post(`/documents/${record.id}/deliveries`, form);
    const page = await sender.founder.post(`/documents/${record.id}/deliveries`, { ...form, message: 'Other words.' });
    expect(page.status).toBe(409);
    expect(page.text).toContain('Other words.');
    expect(page.text).toMatch(/name="key" value="[0-9a-f-]{36}"/);
    expect(page.text).not.toContain(form['key']);
    expect(await deliveriesOf(record.id)).toHaveLength(1);
  });
});

describe('what was shown', () => {
  const pdfOf = async (id: string) => (await sender.founder.get(`/documents/${id}/pdf`)).text;
  const company = { name: 'Brightwater', country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' };
  const letter = {
    extraStreet: '',
    city: '',
    postalCode: '',
    region: '',
    taxId: '',
    email: '',
    phone: '',
    website: '',
  };
  const rename = (street: string) =>
    sender.founder.post('/settings/company', { ...company, ...letter, street, paymentDetails: '' });

  it('is what is sent, though record and letterhead change before it leaves', async () => {
    await rename('1 Old Street');
    const record = await anInvoice(letterhead, sender);
    const preview = await pdfOf(record.id);
    const id = await sent(sender.founder, record);
    await rename('2 New Street');
    await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
      updateDocument(trx, sender.tenantId, record.id, {
        version: record.version,
        content: { ...invoice(), number: 'OTHER-1' },
      }),
    );
    expect(await pdfOf(record.id)).not.toBe(preview);
    expect(await sender.delivery(id)).toMatchObject({ documentNumber: record.number, partyName: record.partyName });
    await deliverNow(letterhead, sender, id);
    const [mail] = await received(letterhead.google, 'mira@northgate.example', id);
    expect(mail?.pdfs[0]?.text).toContain('1 Old Street');
    expect(mail?.pdfs[0]?.text).not.toContain('OTHER-1');
    const file = (await sender.delivery(id)).attachments[0]?.fileName ?? '';
    expect((await sender.founder.get(`/deliveries/${id}/attachments/${file}`)).text).toBe(preview);
  });

  it.each<[string, string, (record: DocumentRecord) => Promise<unknown>]>([
    [
      'the letterhead',
      'What stands at the head of your documents was changed.',
      () => rename(`${Math.random()} Street`),
    ],
    [
      'the record',
      'It was changed last:',
      (record) =>
        within((trx) =>
          updateDocument(trx, sender.tenantId, record.id, { version: record.version, content: invoice() }),
        ),
    ],
    [
      'the sender',
      'It would come from Another',
      () =>
        within((trx) =>
          trx
            .updateTable('mailboxes')
            .set({ display_name: `Another ${Math.random()}` })
            .execute(),
        ),
    ],
    [
      'the contact',
      'Its contact’s address is Northgate Café &lt;other@customer.example&gt; now.',
      ({ partyId }) =>
        within(async (trx) => {
          await sql`update documents set content = content #- '{party,email}' where party_id = ${partyId}`.execute(trx);
          await trx.updateTable('parties').set({ email: 'other@customer.example' }).where('id', '=', partyId).execute();
        }),
    ],
  ])(
    'is shown again, and nothing is sent, where %s changed since; it says so before, too',
    async (_what, words, change) => {
      const record = await anInvoice(letterhead, sender);
      const form: Record<string, string> = { ...(await openSendPage(sender.founder, record)), subject: 'My own words' };
      const stale = `/documents/${record.id}/deliveries/new/stale?seen=${encodeURIComponent(form['preview'] ?? '')}`;
      expect((await sender.founder.get(stale)).status).toBe(204);
      await change(record);
      const says = await sender.founder.get(stale);
      expect(said(says)).toContain('This page is out of date.');
      expect(said(says)).toContain(words);
      const page = await sender.founder.post(`/documents/${record.id}/deliveries`, form);
      expect(page.status).toBe(409);
      expect(said(page)).toContain(words);
      expect(page.text).toContain('value="My own words"');
      expect(await deliveriesOf(record.id)).toEqual([]);
      // The page it shows instead can be sent, and so can the one that was asked to be shown as it is now.
      const asked = await sender.founder.post(`/documents/${record.id}/deliveries/new`, form);
      for (const shown of [page, asked]) {
        const preview = shown.text.match(/name="preview" value="([^"]*)"/)?.[1] ?? '';
        const version = shown.text.match(/name="version" value="([^"]*)"/)?.[1] ?? '';
        expect(shown.text).toContain('value="My own words"');
        if (shown === page) continue;
        const next = { ...form, ...anotherKey(), preview, version };
        expect((await sender.founder.post(`/documents/${record.id}/deliveries`, next)).status).toBe(303);
      }
    },
  );

  it('says that it was sent meanwhile; to send it again is asked about', async () => {
    const record = await anInvoice(letterhead, sender);
    const { preview = '' } = await openSendPage(sender.founder, record);
    await sent(sender.founder, record);
    const stale = `/documents/${record.id}/deliveries/new/stale?seen=${encodeURIComponent(preview)}`;
    expect(said(await sender.founder.get(stale))).toContain('It was sent meanwhile, or is on its way.');
  });
});
