import { sql } from 'kysely';
import PostalMime from 'postal-mime';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DocumentRecord } from '../../src/documents/store.ts';
import { openDatabase } from '../../src/platform/database.ts';
import { wallTimeOf } from '../../src/platform/zoned-time.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { mostAttachedBytes } from '../../src/transport/attachments.ts';
import { colleague, letOnly } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { deliverNow } from '../support/hand-delivery.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';
import { received } from '../support/received.ts';
import { filledIn } from '../support/run-page.ts';
import { anInvoice, anInvoiceWithFiles, type EmbeddedFile, openSendPage } from '../support/send-page.ts';
import { said } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let sender: Company;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
  sender = await company(letterhead);
});

const mira = 'mira@northgate.example';
const everyByte = Uint8Array.from({ length: 3_000 }, (_, index) => (index * 7) % 256);
const plan: EmbeddedFile = { name: 'plan.dwg', mediaType: 'image/vnd.dwg', bytes: Buffer.from('AC1032 the plan') };
const hours: EmbeddedFile = {
  ...{ name: 'Stundenzettel für Mäßig.csv', mediaType: 'text/csv', description: 'Hours in November' },
  bytes: Buffer.from('day;hours\nMon;7,5\r\nTue;8\r', 'latin1'),
};
const photo: EmbeddedFile = { name: 'photo.png', mediaType: 'image/png', bytes: everyByte };

/** Posts the page with these boxes ticked. */
async function send(record: DocumentRecord, files: readonly string[], over: Record<string, string> = {}, by = sender) {
  const form = { ...(await openSendPage(by.founder, record)), to: mira, ...over };
  const pairs = Object.entries(form).map(([name, value]): [string, string] => [name, value]);
  return by.founder.post(`/documents/${record.id}/deliveries`, [
    ...pairs,
    ...files.map((place): [string, string] => ['files', place]),
  ]);
}
async function sent(record: DocumentRecord, files: readonly string[], over: Record<string, string> = {}) {
  const page = await send(record, files, over);
  const [, id] = page.location?.match(/^\/deliveries\/([0-9a-f-]{36})$/) ?? [];
  if (id === undefined) throw new Error(`Not sent: ${page.status} ${said(page).slice(-800)}`);
  return id;
}
const decide = (id: string, decision: string, more: Record<string, string> = {}) =>
  sender.founder.post(`/deliveries/${id}/decision`, { decision, ...more });
const tomorrow = () => wallTimeOf(new Date(letterhead.google.clock.now() + 26 * 3_600_000), 'Europe/Dublin');
/** Sends it at last; returns what came in, less the record's own PDF. */
async function arrives(id: string) {
  await decide(id, 'send_now');
  await deliverNow(letterhead, sender, id);
  const mails = await received(letterhead.google, mira, id);
  expect(mails).toHaveLength(1);
  const [pdf, ...files] = mails[0]?.attachments ?? [];
  expect(pdf?.filename).toMatch(/^Invoice .+\.pdf$/);
  return files.map(({ filename, mimeType, disposition, content }) => ({
    ...{ filename, mimeType, disposition },
    bytes: bytesOf({ content }),
  }));
}
function bytesOf({ content = '' }: { content?: string | ArrayBuffer | Uint8Array } = {}): Buffer {
  return typeof content === 'string' ? Buffer.from(content) : Buffer.from(new Uint8Array(content));
}
const ticked = ({ text }: { text: string }) =>
  [...text.matchAll(/<input type="checkbox" name="files" value="(\d+)"[^>]*?( checked)?>/g)].flatMap(([, place, is]) =>
    is ? [place] : [],
  );
/** As whoever may do anything to the database. */
async function asOwner(statement: ReturnType<typeof sql>) {
  const { db, close } = openDatabase(letterhead.database.urls.owner, 1, () => {});
  await statement.execute(db);
  await close();
}
const deliveriesOf = ({ id }: DocumentRecord) =>
  inTenant(letterhead.database.db, sender.tenantId, (trx) =>
    trx.selectFrom('deliveries').selectAll().where('document_id', '=', id).orderBy('created_at').execute(),
  );
const attachment = ({ name: filename, mediaType: mimeType, bytes }: EmbeddedFile) => ({
  ...{ filename, mimeType, disposition: 'attachment', bytes: Buffer.from(bytes) },
});

describe('a file that came embedded in the record', () => {
  it('goes along only when it is ticked, and then byte for byte under its name', async () => {
    const record = await anInvoiceWithFiles(letterhead, sender, [plan, hours, photo]);
    const { text } = await sender.founder.get(`/documents/${record.id}/deliveries/new`);
    expect(ticked({ text })).toEqual([]);
    expect(text).toContain('Hours in November');
    const none = await sent(record, []);
    expect(await arrives(none)).toEqual([]);
    const two = await sent(record, ['2', '1'], { again: none });
    expect(await arrives(two)).toEqual([attachment(hours), attachment(photo)]);
  });

  it('is kept once, beside the record, however often it is sent', async () => {
    const record = await anInvoiceWithFiles(letterhead, sender, [photo]);
    const first = await sent(record, ['0']);
    await sent(record, ['0'], { again: first });
    const count = (table: 'document_files' | 'delivery_files') =>
      inTenant(letterhead.database.db, sender.tenantId, (trx) =>
        trx.selectFrom(table).select('place').where('document_id', '=', record.id).execute(),
      );
    expect(await count('document_files')).toHaveLength(1);
    expect(await count('delivery_files')).toHaveLength(2);
    const copies = await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
      trx.selectFrom('delivery_attachments').select('media_type').where('delivery_id', '=', first).execute(),
    );
    expect(copies).toEqual([{ media_type: 'application/pdf' }]);
  });

  it('of the same name as another, or as the PDF, is told apart from it', async () => {
    const first = await anInvoiceWithFiles(letterhead, sender, [plan, { ...plan, name: 'PLAN.dwg', bytes: everyByte }]);
    expect(await arrives(await sent(first, ['0', '1']))).toEqual([
      attachment(plan),
      attachment({ ...plan, name: 'PLAN (2).dwg', bytes: everyByte }),
    ]);
  });

  it('has a name that is safe wherever it is saved, and a type that no mail program takes for a part of the email', async () => {
    const record = await anInvoiceWithFiles(letterhead, sender, [
      { ...photo, name: '../../etc/pass\u202Egnp.wd\r\nBcc: all@northgate.example', mediaType: 'multipart/mixed' },
      { ...photo, name: '=?utf-8?Q?pay=2Eexe?=', mediaType: 'message/rfc822; name="a"' },
    ]);
    const files = await arrives(await sent(record, ['0', '1']));
    expect(files.map(({ filename, mimeType }) => [filename, mimeType])).toEqual([
      ['-..-etc-passgnp.wd Bcc- all@northgate.example', 'application/octet-stream'],
      ['=-utf-8-Q-pay=2Eexe-=', 'application/octet-stream'],
    ]);
    expect(files.every(({ bytes }) => bytes.equals(everyByte))).toBe(true);
  });

  it('is not lost from what waits when the record changes: the old email keeps it, and the new version takes it over', async () => {
    const record = await anInvoiceWithFiles(letterhead, sender, [plan, hours]);
    const waiting = await sent(record, ['1'], { when: 'later', sendAt: tomorrow() });
    const edit = async (dueDate: string, emails: string) => {
      const [now] = await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
        trx.selectFrom('documents').select('version').where('id', '=', record.id).execute(),
      );
      const waits = (await deliveriesOf(record)).filter(({ state }) => state === 'held').map(({ id }) => id);
      const page = await sender.founder.post(`/documents/${record.id}`, {
        ...{ version: String(now?.version), waits: waits.join(','), emails, dueDate },
      });
      expect(page.status).toBe(303);
    };
    await edit('2027-01-10', 'old');
    expect(said(await sender.founder.get(`/deliveries/${waiting}`))).toContain(hours.name);
    await edit('2027-01-31', 'new');
    const next = (await deliveriesOf(record)).find(({ state }) => state === 'held');
    expect(next?.id).not.toBe(waiting);
    expect(await arrives(next?.id ?? '')).toEqual([attachment(hours)]);
    // The one it took the place of still says what it would have carried.
    expect(said(await sender.founder.get(`/deliveries/${waiting}`))).toContain(hours.name);
  });

  it('can be neither changed nor deleted by the product once it is kept', async () => {
    const record = await anInvoiceWithFiles(letterhead, sender, [plan]);
    await sent(record, ['0']);
    const within = (statement: ReturnType<typeof sql>) =>
      inTenant(letterhead.database.db, sender.tenantId, (trx) => statement.execute(trx));
    await expect(within(sql`update document_files set bytes = 'x' where document_id = ${record.id}`)).rejects.toThrow(
      /permission denied/,
    );
    await expect(within(sql`delete from document_files where document_id = ${record.id}`)).rejects.toThrow(
      /permission denied/,
    );
    await expect(within(sql`delete from documents where id = ${record.id}`)).rejects.toThrow(/foreign key/);
  });

  it('is ticked again where the email is taken back to be sent otherwise', async () => {
    const record = await anInvoiceWithFiles(letterhead, sender, [plan, hours, photo]);
    const waiting = await sent(record, ['0', '2'], { when: 'later', sendAt: tomorrow() });
    const back = await decide(waiting, 'cancel', { next: 'send_anew' });
    expect(back.location).toContain('/deliveries/new?from=');
    const page = await sender.founder.get(back.location ?? '');
    expect(ticked(page)).toEqual(['0', '2']);
  });

  it('stays ticked when something else is wrong, and when the page is shown anew', async () => {
    const record = await anInvoiceWithFiles(letterhead, sender, [plan, hours, photo]);
    const wrong = await send(record, ['1', '2'], { to: 'nobody' });
    expect([wrong.status, ticked(wrong)]).toEqual([422, ['1', '2']]);
    const form = Object.entries(await openSendPage(sender.founder, record));
    const anew = await sender.founder.post(`/documents/${record.id}/deliveries/new`, [...form, ['files', '0']]);
    expect([anew.status, ticked(anew)]).toEqual([200, ['0']]);
    expect(await deliveriesOf(record)).toEqual([]);
  });

  it('is not sent twice by a second click, and another choice of files under the same key is another email', async () => {
    const record = await anInvoiceWithFiles(letterhead, sender, [plan, hours]);
    const form = await openSendPage(sender.founder, record);
    const post = (...places: string[]) =>
      sender.founder.post(`/documents/${record.id}/deliveries`, [
        ...Object.entries(form),
        ...places.map((place): [string, string] => ['files', place]),
      ]);
    const first = await post('0', '1');
    expect((await post('1', '0')).location).toBe(first.location);
    expect((await post('0')).status).toBe(409);
    expect(await deliveriesOf(record)).toHaveLength(1);
  });
});

describe('files that cannot go along', () => {
  it('are named with their size where they are more than an email takes; nothing is sent', async () => {
    const large = { ...photo, name: 'drawings.zip', bytes: new Uint8Array(mostAttachedBytes - 20_000) };
    const record = await anInvoiceWithFiles(letterhead, sender, [hours, large]);
    const page = await send(record, ['0', '1']);
    expect(page.status).toBe(422);
    expect(said(page)).toMatch(
      /With the PDF the files come to 18 MB; an email takes 18 MB\. Untick “drawings\.zip” \(18 MB\)/,
    );
    expect(ticked(page)).toEqual(['0', '1']);
    expect(await deliveriesOf(record)).toEqual([]);
    expect((await send(record, ['0'])).status).toBe(303);
  });

  it('cannot be ticked where Gmail refuses every email with such a file', async () => {
    const record = await anInvoiceWithFiles(letterhead, sender, [{ ...photo, name: 'setup.EXE' }]);
    const { text } = await sender.founder.get(`/documents/${record.id}/deliveries/new`);
    expect(text).toMatch(/name="files" value="0"[^>]* disabled/);
    const page = await send(record, ['0']);
    expect([page.status, said(page)]).toEqual([
      422,
      expect.stringContaining('Gmail refuses every email with a file of the kind .exe. Untick “setup.EXE”.'),
    ]);
  });

  it.each([['1'], ['-1'], ['0.5'], ['1e0'], ['']])('are refused where the record has none at %j', async (place) => {
    const record = await anInvoiceWithFiles(letterhead, sender, [plan]);
    const page = await send(record, ['0', place]);
    expect([page.status, said(page)]).toEqual([
      422,
      expect.stringContaining('A file was ticked that this record does not have.'),
    ]);
    expect(await deliveriesOf(record)).toEqual([]);
  });

  it('of another company are no files of this one, by whatever name', async () => {
    const other = await company(letterhead);
    const theirs = await anInvoiceWithFiles(letterhead, other, [plan]);
    const ours = await anInvoice(letterhead, sender);
    for (const place of ['0', theirs.id, `${theirs.id}/0`]) {
      const page = await send(ours, [place]);
      expect(page.status).toBe(422);
      expect(page.text).not.toContain(plan.name);
    }
    const form = Object.entries(await openSendPage(sender.founder, ours));
    const nested = await sender.founder.post(`/documents/${ours.id}/deliveries`, [...form, ['files[0]', '0']]);
    expect(nested.status).toBe(422);
    expect(await deliveriesOf(ours)).toEqual([]);
  });
});

describe('what went along', () => {
  it('is listed with the email and the record, and can be downloaded and never opened as a page', async () => {
    const page = { ...photo, name: 'Größe <b>.html', mediaType: 'text/html' };
    const record = await anInvoiceWithFiles(letterhead, sender, [plan, page]);
    const id = await sent(record, ['1']);
    await arrives(id);
    const email = await sender.founder.get(`/deliveries/${id}`);
    expect(email.text).toContain(`href="/deliveries/${id}/files/1" download>Größe -b-.html</a> · 3 KB`);
    expect(said(await sender.founder.get(`/documents/${record.id}`))).toContain('with Größe -b-.html');
    const file = await fetch(`${letterhead.url}/deliveries/${id}/files/1`, {
      headers: { cookie: '' },
      redirect: 'manual',
    });
    expect(file.status).toBe(303);
    const { headers, status } = await sender.founder.get(`/deliveries/${id}/files/1`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/octet-stream');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-disposition')).toMatch(/^attachment; .*filename\*=UTF-8''Gr%C3%B6%C3%9Fe%20-b-\.html/);
    expect(headers.get('repr-digest')).toMatch(/^sha-256=:.+:$/);
    for (const none of ['2', '0', '01', '1.0', 'x'])
      expect((await sender.founder.get(`/deliveries/${id}/files/${none}`)).status).toBe(404);
  });

  it('is for those who may see the email', async () => {
    const own = await company(letterhead);
    const record = await anInvoiceWithFiles(letterhead, own, [plan]);
    const page = await send(record, ['0'], {}, own);
    const path = `${page.location}/files/1`;
    const eva = await colleague(letterhead, own, 'Eva', 'viewer');
    expect((await eva.pages.get(path)).status).toBe(200);
    await letOnly(own.founder, own.mailboxId, [own], [eva]);
    expect((await eva.pages.get(path)).status).toBe(404);
  });

  it('is not the file that was sent any more where its bytes were damaged, and says so', async () => {
    const record = await anInvoiceWithFiles(letterhead, sender, [plan]);
    const id = await sent(record, ['0']);
    await asOwner(sql`update document_files set bytes = 'other' where document_id = ${record.id}`);
    const page = await sender.founder.get(`/deliveries/${id}/files/1`);
    expect([page.status, said(page)]).toEqual([500, expect.stringContaining('This file is damaged')]);
  });
});

it.each<['drafts.create' | 'drafts.send', 'before' | 'after']>([
  ['drafts.create', 'before'],
  ['drafts.create', 'after'],
  ['drafts.send', 'before'],
  ['drafts.send', 'after'],
])('leaves once with its file when the answer to %s is lost %s the work', async (method, lost) => {
  const own = await permittedSender(letterhead, ['send', 'safe_retry', 'tracking']);
  const record = await anInvoiceWithFiles(letterhead, own, [photo]);
  const document = { record, fileName: 'Invoice.pdf', pdf: Buffer.from('%PDF'), files: [0] };
  letterhead.google.faults.add({ method, account: own.account, effect: { kind: 'drop', when: lost } });
  const id = await own.send({ document, anyTime: true });
  for (let round = 0; round < 6 && (await own.delivery(id)).state !== 'sent'; round += 1) {
    await deliverNow(letterhead, own, id);
    letterhead.google.clock.forward(400_000);
  }
  expect(own.accepted(id)).toHaveLength(1);
  const { attachments } = await PostalMime.parse(sentBytes(own.account, id));
  expect(attachments.map(({ filename }) => filename)).toEqual(['Invoice.pdf', photo.name]);
  expect(bytesOf(attachments[1]).equals(everyByte)).toBe(true);
});

/** What Gmail keeps among the sent of an account. */
function sentBytes(account: string, deliveryId: string) {
  const mine = letterhead.google.mail
    .messages(account)
    .filter(({ labels }) => labels.includes('SENT'))
    .map((message) => letterhead.google.mail.raw(message));
  const found = mine.find((raw) => raw.includes(deliveryId));
  if (!found) throw new Error('It is not among the sent.');
  return found;
}

it('a run sends no files, and says before it starts whose stay behind', async () => {
  const own = await company(letterhead);
  const record = await anInvoiceWithFiles(letterhead, own, [plan]);
  const other = await anInvoice(letterhead, own);
  const query = `kind=invoice&id=${record.id}&id=${other.id}`;
  const words = '1 of them has files from its import, which do not go along.';
  const page = await own.founder.get(`/runs/new?${query}`);
  expect(said(page)).toContain(words);
  const fields: [string, string][] = [...Object.entries(filledIn(page)), ...new URLSearchParams(query)];
  expect(said(await own.founder.post('/runs/confirmation', fields))).toContain(words);
  expect((await own.founder.post('/runs', fields)).status).toBe(303);
  const alone = await own.founder.get(`/runs/new?kind=invoice&id=${other.id}`);
  expect(said(alone)).not.toContain('which do not go along');
  const [one] = await inTenant(letterhead.database.db, own.tenantId, (trx) =>
    trx.selectFrom('deliveries').select('id').where('document_id', '=', record.id).execute(),
  );
  await own.founder.post(`/deliveries/${one?.id}/decision`, { decision: 'send_now' });
  await deliverNow(letterhead, own, one?.id ?? '');
  const [mail] = await received(letterhead.google, mira, one?.id ?? '');
  expect(mail?.attachments).toHaveLength(1);
});
