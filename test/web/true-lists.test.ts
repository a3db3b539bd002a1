import { beforeAll, describe, expect, it } from 'vitest';
import type { DocumentKind, DocumentStatus } from '../../src/documents/document.ts';
import { createDocument } from '../../src/documents/store.ts';
import type { DeliveryState } from '../../src/platform/database-types.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { invoice } from '../documents/content.ts';
import { type Company, company } from '../support/company.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { aDelivery, aPausedRun } from '../support/rows.ts';
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

describe('every list that names an email', () => {
  const textOf = async (path: string) =>
    (await sender.founder.get(path)).text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
  const became = async (
    values: { not_before?: Date; from_changed_at?: Date; sent_from?: string; sent_at?: Date },
    state: DeliveryState,
  ) => {
    const record = await written({ emails: [state] });
    await inTenant(letterhead.database.db, sender.tenantId, async (trx) => {
      const run = await aPausedRun(trx, sender);
      await trx.updateTable('runs').set({ state: 'running' }).where('id', '=', run).execute();
      await trx
        .updateTable('deliveries')
        .set({ ...values, run_id: run, from_email: sender.account })
        .where('document_id', '=', record.id)
        .execute();
    });
    const { id, run_id: run } = await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
      trx
        .selectFrom('deliveries')
        .select(['id', 'run_id'])
        .where('document_id', '=', record.id)
        .executeTakeFirstOrThrow(),
    );
    return {
      id,
      pages: {
        'the records': `/documents?kind=invoice&q=${record.number}`,
        'the record': `/documents/${record.id}`,
        'the send page': `/documents/${record.id}/deliveries/new`,
        'its run': `/runs/${run}`,
        activity: '/activity',
      },
    };
  };
  const now = () => letterhead.google.clock.now();

  it('says of what is queued for later when it leaves', async () => {
    const { pages } = await became({ not_before: new Date(now() + 30 * 3_600_000) }, 'queued');
    for (const [name, path] of Object.entries(pages))
      expect(await textOf(path), name).toMatch(/queued,? (leaves|Leaves) \d+ \w+ \d\d:\d\d/i);
  });

  it('calls nothing plainly sent that left from another address', async () => {
    const at = new Date(now() - 60_000);
    const { pages } = await became({ sent_at: at, from_changed_at: at, sent_from: 'other@company.example' }, 'sent');
    const { activity: _activity, ...others } = pages;
    for (const [name, path] of Object.entries(others)) {
      const text = await textOf(path);
      expect(text, name).toMatch(/left from another address/i);
    }
    expect(await textOf(pages.activity)).toContain('Left from another address');
  });
});

describe('marking a record whose email waits', () => {
  it.each(['paid', 'cancelled'] as const)(
    'as %s offers to send it all the same only where that can be',
    async (status) => {
      const record = await written({ emails: ['mailbox_paused', 'unconfirmed'] });
      const { text } = await sender.founder.get(`/documents/${record.id}`);
      const [dialog = ''] = /<div class="dialog" popover id="mark-STATUS">.*?<\/form>/s.exec(
        text.replaceAll(`mark-${status}"`, 'mark-STATUS"').replace(/popovertarget="mark-STATUS"/g, ''),
      ) ?? [''];
      expect(dialog).toContain('Another one is being sent, or may have left: it cannot be stopped.');
      expect(dialog.includes('all the same')).toBe(status === 'paid');
      await sender.founder.post(`/documents/${record.id}/status`, { status, emails: 'send' });
      const states = await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
        trx
          .selectFrom('deliveries')
          .select(['state', 'though_paid'])
          .where('document_id', '=', record.id)
          .orderBy('created_at')
          .execute(),
      );
      expect(states).toEqual([
        status === 'paid' ? { state: 'held', though_paid: true } : { state: 'cancelled', though_paid: false },
        { state: 'unconfirmed', though_paid: false },
      ]);
    },
  );
});
