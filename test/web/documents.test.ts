import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MemberRole } from '../../src/platform/database-types.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { founder, type Page, type Visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let dana: Visitor;

beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  dana = await founder(letterhead);
});
afterAll(() => letterhead.close());

const invoice = {
  kind: 'invoice',
  issueDate: '2026-11-21',
  dueDate: '2026-12-05',
  currency: 'EUR',
  'party[name]': 'Northgate Café',
  'party[email]': 'mira@northgate.example',
  'lines[0][name]': 'Oak counter',
  'lines[0][quantity]': '1',
  'lines[0][unitPrice]': '980.00',
  'lines[0][taxRate]': '23',
};

async function write(form: Record<string, string> = {}): Promise<string> {
  const answer = await dana.post('/documents', { ...invoice, ...form });
  expect(answer.status, answer.text).toBe(303);
  return answer.location ?? '';
}

function inputValue(page: Page, name: string): string | undefined {
  const tag = page.text.match(/<input[^>]*>/g)?.find((input) => input.includes(`name="${name}"`));
  return tag && (/ value="([^"]*)"/.exec(tag)?.[1] ?? '');
}

describe('writing a record', () => {
  it('stores it, gives it the next number, and shows what it adds up to', async () => {
    const page = await dana.get(await write());
    expect(page.text).toMatch(/Invoice INV-\d{4}-\d{4} is saved\. It is not sent yet/);
    expect(page.text).toContain('€1,205.40');
    expect(page.text).toContain('/deliveries/new');
  });

  it('says everything that is wrong, beside its field, and loses nothing that was typed', async () => {
    const page = await dana.post('/documents', {
      ...invoice,
      'party[name]': '',
      'party[email]': 'mira@',
      'lines[0][unitPrice]': '15.00.0',
      notes: '<b>Thank you</b>',
    });
    expect(page.status).toBe(422);
    expect(page.text).toContain('3 things to fix');
    expect(page.text).toContain('Line 1: Price is not a number: “15.00.0”.');
    expect(page.text).toContain('href="#party[email]"');
    expect(inputValue(page, 'lines[0][unitPrice]')).toBe('15.00.0');
    expect(inputValue(page, 'lines[0][name]')).toBe('Oak counter');
    expect(page.text).toContain('&lt;b&gt;Thank you&lt;/b&gt;');
  });

  it('adds and removes lines without scripts', async () => {
    const added = await dana.post('/documents', { ...invoice, do: 'add-line' });
    expect(inputValue(added, 'lines[1][name]')).toBe('');
    expect(inputValue(added, 'lines[1][taxRate]')).toBe('23');
    const two = { ...invoice, 'lines[1][name]': 'Shelves', 'lines[1][unitPrice]': '60' };
    const removed = await dana.post('/documents', { ...two, do: 'remove-line:0' });
    expect(inputValue(removed, 'lines[0][name]')).toBe('Shelves');
    expect(inputValue(removed, 'lines[1][name]')).toBeUndefined();
  });

  it('asks which contact is meant where only its name was typed, and fills in the rest', async () => {
    await write({ 'party[name]': 'Harbour Hotel', 'party[city]': 'Galway', 'party[country]': 'IE' });
    const { 'party[email]': _, ...bare } = { ...invoice, 'party[name]': 'harbour hotel' };
    const asked = await dana.post('/documents', bare);
    expect(asked.status).toBe(422);
    expect(asked.text).toContain('You have a contact called harbour hotel. Say who it is.');
    const partyId = /name="partyId" value="([0-9a-f-]{36})"/.exec(asked.text)?.[1] ?? '';
    const answer = await dana.post('/documents', { ...bare, partyId });
    expect((await dana.get(answer.location ?? '')).text).toContain('Galway');
    const other = await dana.post('/documents', { ...bare, partyId: 'new' });
    expect((await dana.get(other.location ?? '')).text).not.toContain('Galway');
  });

  it('refuses a number that is taken, and keeps the form', async () => {
    await write({ number: 'A-1' });
    const again = await dana.post('/documents', { ...invoice, number: 'A-1' });
    expect(again.status).toBe(422);
    expect(again.text).toContain('The number A-1 is already used');
    expect(inputValue(again, 'lines[0][name]')).toBe('Oak counter');
  });

  it('adds up what makes sense so far, with the amount of each row', async () => {
    const sums = await dana.post('/documents/totals', {
      kind: 'invoice',
      currency: 'EUR',
      'lines[0][unitPrice]': '0.10',
      'lines[0][quantity]': '3',
      'lines[1][unitPrice]': 'x',
      'lines[2][unitPrice]': '2',
    });
    expect(sums.text).toContain('€2.30');
    expect([...sums.text.matchAll(/class="net" value="([^"]*)"/g)].map((match) => match[1])).toEqual([
      '0.30',
      '',
      '2.00',
    ]);
  });
});

describe('changing a record', () => {
  it('shows both versions to whoever comes second, and saves theirs only on purpose', async () => {
    const path = await write();
    const form = await dana.get(`${path}/edit`);
    const version = inputValue(form, 'version') ?? '';
    const number = inputValue(form, 'number') ?? '';
    await dana.post(path, { ...invoice, number, version, reference: 'first' });

    const second = await dana.post(path, { ...invoice, number, version, reference: 'second' });
    expect(second.status).toBe(409);
    expect(second.text).toMatch(
      /This invoice was changed while you had it open[\s\S]*You changed it yourself, in another tab or browser: \d\d:\d\d\./,
    );
    expect(second.text).toMatch(/first<\/td>[\s\S]*second<\/td>/);
    expect(inputValue(second, 'reference')).toBe('second');
    expect((await dana.get(path)).text).toContain('first');

    const onPurpose = await dana.post(path, {
      ...invoice,
      number,
      version: inputValue(second, 'version') ?? '',
      reference: 'second',
    });
    expect(onPurpose.status).toBe(303);
    expect((await dana.get(path)).text).toContain('second');
  });

  it('moves its status, and refuses a move that does not fit', async () => {
    const path = await write();
    expect((await dana.post(`${path}/status`, { status: 'paid' })).status).toBe(303);
    const paid = (await dana.get(path)).text;
    expect(paid).toContain('Mark as open');
    // What is paid needs no sending: that is not its main button any more.
    expect(paid).not.toMatch(/class="button primary"[^>]*deliveries\/new/);
    expect((await dana.post(`${path}/status`, { status: 'cancelled' })).status).toBe(409);
    expect((await dana.post(`${path}/status`, { status: 'no such' })).status).toBe(409);
  });
});

describe('looking at records', () => {
  it('lists a kind, finds by number and name, and says what to do when there is none', async () => {
    await write({ number: 'FIND-ME', 'party[name]': 'Elm & Sons' });
    expect((await dana.get('/documents?kind=invoice&q=elm')).text).toContain('FIND-ME');
    expect((await dana.get('/documents?kind=invoice&q=nothing%00like')).text).toContain('Nothing found');
    const empty = await dana.get('/documents?kind=credit_note');
    expect(empty.text).toContain('No credit notes yet');
    expect(empty.text).toContain('/documents/new?kind=credit_note');
  });

  it('shows long lists in pages', async () => {
    for (let index = 0; index < 52; index += 1) await write({ kind: 'purchase_order', number: `LONG-${index}` });
    const first = await dana.get('/documents?kind=purchase_order');
    const next = /href="([^"]*after=[^"]*)"/.exec(first.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const second = await dana.get(next);
    const numbers = (page: Page) => [...page.text.matchAll(/>(LONG-\d+)</g)].map((match) => match[1]);
    expect(numbers(first)).toHaveLength(50);
    expect(new Set([...numbers(first), ...numbers(second)])).toHaveLength(52);
  });

  it('answers with a PDF that only our own pages may frame', async () => {
    const pdf = await dana.get(`${await write({ number: 'Ü 1/2' })}/pdf`);
    expect(pdf.status).toBe(200);
    expect(pdf.text.slice(0, 5)).toBe('%PDF-');
    expect(pdf.headers.get('content-type')).toBe('application/pdf');
    expect(pdf.headers.get('content-disposition')).toMatch(/^inline; filename="[\w.-]+\.pdf"; filename\*=UTF-8''/);
    expect(pdf.headers.get('cache-control')).toBe('private, no-store');
    expect(pdf.headers.get('content-security-policy')).toBe("frame-ancestors 'self'");
  });
});

describe('who may not', () => {
  it('is told the same of another company’s record, a record that never was, and an id that is none', async () => {
    const path = await write();
    const rival = await founder(letterhead, 'mira@northgate.example', 'Northgate Café');
    for (const id of [path, '/documents/5f0f0f0f-0000-4000-8000-000000000000', '/documents/no-uuid']) {
      for (const page of ['', '/edit', '/pdf']) expect((await rival.get(id + page)).status, id + page).toBe(404);
      expect((await rival.post(id, invoice)).status).toBe(404);
      expect((await rival.post(`${id}/status`, { status: 'paid' })).status).toBe(404);
    }
    expect((await rival.post('/documents/totals', { kind: 'invoice', id: 'no-uuid' })).status).toBe(404);
  });

  it('is a viewer: looks at everything and writes nothing', async () => {
    const path = await write();
    await asRole('viewer', async () => {
      const page = await dana.get(path);
      expect(page.status).toBe(200);
      expect(page.text).not.toContain('/edit');
      expect((await dana.get(`${path}/edit`)).status).toBe(403);
      expect((await dana.get('/documents/new')).status).toBe(403);
      expect((await dana.post('/documents', invoice)).status).toBe(403);
      expect((await dana.post(path, invoice)).status).toBe(403);
      expect((await dana.post(`${path}/status`, { status: 'paid' })).status).toBe(403);
    });
  });
});

async function asRole(role: MemberRole, work: () => Promise<void>): Promise<void> {
  const { db, system } = letterhead.database;
  const { id, tenantId } = await system
    .selectFrom('members')
    .select(['id', 'tenant_id as tenantId'])
    .where('email', '=', 'dana@brightwater.example')
    .executeTakeFirstOrThrow();
  const become = (next: MemberRole) =>
    inTenant(db, tenantId, (trx) => trx.updateTable('members').set({ role: next }).where('id', '=', id).execute());
  await become(role);
  try {
    await work();
  } finally {
    await become('owner');
  }
}
