import { beforeAll, describe, expect, it } from 'vitest';
import type { DocumentKind, DocumentStatus } from '../../src/documents/document.ts';
import { createDocument } from '../../src/documents/store.ts';
import type { DeliveryState } from '../../src/platform/database-types.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { invoice } from '../documents/content.ts';
import { type Company, company } from '../support/company.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { aDelivery } from '../support/rows.ts';
import { sendRecord } from '../support/send-page.ts';

let letterhead: TestLetterhead;
let sender: Company;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
  sender = await company(letterhead);
});

const past = { issueDate: '2020-01-01', dueDate: '2020-01-31' };
const ahead = { issueDate: '2020-01-01', dueDate: '2099-12-31' };

interface Row {
  readonly kind?: DocumentKind;
  readonly status?: DocumentStatus;
  readonly dates?: typeof past;
  /** Its emails, oldest first: a state, or what it is held for. */
  readonly emails?: readonly string[];
  readonly quantity?: string;
}

/** A record as a row, with emails as rows. */
async function written({ kind = 'invoice', status = 'open', dates = ahead, emails = [], quantity = '1' }: Row) {
  const { tenantId, memberId, mailboxId } = sender;
  return inTenant(letterhead.database.db, tenantId, async (trx) => {
    const line = { name: 'Shelf', quantity, unitPrice: '10', adjustments: [], extras: [] };
    const { dueDate: _due, ...bare } = invoice();
    const content = {
      ...bare,
      ...(kind === 'invoice' ? dates : { issueDate: dates.issueDate }),
      kind,
      number: undefined,
    };
    const record = await createDocument(trx, tenantId, { content: { ...content, lines: [line] }, status });
    for (const [index, email] of emails.entries()) {
      const state = isState(email) ? email : 'held';
      const id = await aDelivery(trx, tenantId, memberId, state, mailboxId);
      const at = new Date(Date.UTC(2026, 0, 1 + index));
      await trx
        .updateTable('deliveries')
        .set({
          document_id: record.id,
          purpose: 'document',
          created_at: at,
          document_snapshot: JSON.stringify(record.content),
        })
        .set({ held_reason: state === 'held' ? email : null, sent_at: state === 'sent' ? at : null })
        .where('id', '=', id)
        .execute();
    }
    return record;
  });
}

function isState(email: string): email is DeliveryState {
  return ['queued', 'sending', 'sent', 'failed', 'unconfirmed', 'cancelled'].includes(email);
}

/** What the pills beside a record say, in its list. */
async function pills(kind: DocumentKind, number: string): Promise<string[]> {
  const { text } = await sender.founder.get(`/documents?kind=${kind}&q=${number}`);
  const row = text.split('<tr').find((each) => each.includes(`>${number}<`)) ?? '';
  return [...row.matchAll(/class="pill [^"]*"[^>]*>([^<]*)</g)].map(([, word = '']) => word);
}

describe('beside a record, a list says', () => {
  it.each<[Row, string[]]>([
    [{}, ['Open']],
    [{ dates: past }, ['Overdue']],
    [{ dates: past, status: 'paid' }, ['Paid']],
    [{ dates: past, status: 'cancelled' }, ['Cancelled']],
    [{ dates: past, status: 'draft' }, ['Draft']],
    [{ dates: past, quantity: '-1' }, ['Open']],
    [{ dates: past, quantity: '0' }, ['Open']],
    [{ dates: past, kind: 'credit_note' }, ['Open']],
    [{ kind: 'credit_note', status: 'paid' }, ['Settled']],
    [{ emails: ['sent'] }, ['Open', 'Sent']],
    [{ emails: ['sent', 'cancelled'] }, ['Open', 'Sent']],
    [{ emails: ['cancelled'] }, ['Open', 'Email cancelled']],
    [{ emails: ['cancelled', 'cancelled'], status: 'cancelled' }, ['Cancelled', 'Email cancelled']],
    [{ emails: ['scheduled'] }, ['Open', 'Scheduled']],
    [{ emails: ['outside_hours'] }, ['Open', 'Waits for hours']],
    [{ emails: ['mailbox_paused'] }, ['Open', 'Held']],
    [{ emails: ['sent', 'scheduled'] }, ['Open', 'Scheduled', 'Sent']],
    [{ emails: ['failed'] }, ['Open', 'Failed']],
    [{ emails: ['failed', 'sent'] }, ['Open', 'Sent']],
    [{ emails: ['sent', 'failed'] }, ['Open', 'Failed', 'Sent']],
    [{ emails: ['unconfirmed'] }, ['Open', 'Unconfirmed']],
    [{ emails: ['sent'], status: 'paid', dates: past }, ['Paid', 'Sent']],
  ])('of %j: %j', async (row, words) => {
    const record = await written(row);
    if (record.status === 'draft') {
      const { text } = await sender.founder.get('/documents?kind=invoice&status=draft');
      return expect(text).toContain('Draft');
    }
    const said = await pills(record.kind, record.number);
    // “In doubt” is another word for the same.
    expect(said.map((word) => (word === 'In doubt' ? 'Unconfirmed' : word))).toEqual(words);
  });

  it('overdue where somebody asks for that, and nothing else then', async () => {
    const [late, paid] = [await written({ dates: past }), await written({ dates: past, status: 'paid' })];
    const { text } = await sender.founder.get('/documents?kind=invoice&status=overdue');
    expect(text).toContain(late.number);
    expect(text).not.toContain(paid.number);
  });
});

describe('a page that sends', () => {
  it.each<[DocumentStatus, RegExp]>([
    ['draft', /draft/i],
    ['cancelled', /cancelled/i],
    ['paid', /It is paid\. Tick the box/],
  ])('refuses what is %s, and says why', async (status, words) => {
    const record = await written({ status });
    const page = await sendRecord(sender.founder, record);
    expect(page.status).toBe(409);
    expect(page.text).toMatch(words);
    expect((await sender.founder.get(`/documents/${record.id}`)).text).toContain('Not sent yet.');
  });

  it('sends what is paid where that is ticked', async () => {
    const record = await written({ status: 'paid' });
    expect((await sendRecord(sender.founder, record, { thoughPaid: 'yes' })).status).toBe(303);
  });
});
