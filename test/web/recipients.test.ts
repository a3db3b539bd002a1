import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseFile } from '../support/cases.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { received } from '../support/received.ts';
import { anInvoice, openSendPage, sendRecord, sent } from '../support/send-page.ts';

let letterhead: TestLetterhead;
let desk: Company;
beforeAll(async () => {
  letterhead = await startTestLetterhead();
  // As the files that are imported here name their issuer.
  desk = await company(letterhead, { name: 'Brightwater Joinery' });
});
afterAll(() => letterhead.close());

/** Sends a new invoice; returns the email as it came in at an address. */
async function mailed(over: Record<string, string>, at: string) {
  const id = await sent(desk.founder, await anInvoice(letterhead, desk), over);
  await desk.reaches(id, 'sent');
  const [mail] = await received(letterhead.google, at, id);
  return { mail, envelope: desk.accepted(id)[0] };
}

describe('what is typed into To, Cc and Bcc', () => {
  const first = 'mira@northgate.example';
  const second = 'ap@elm.example';
  const between = [' ', ' / ', ' | ', '\t', ' und ', ' and ', ' <'].map(
    (sign) => `${first}${sign}${second}${sign === ' <' ? '>' : ''}`,
  );
  it.each([...between, `<${first}> <${second}>`, `"${first}" <${second}>`])(
    'is refused where an address would be lost: %s',
    async (text) => {
      const record = await anInvoice(letterhead, desk);
      for (const field of ['to', 'cc', 'bcc']) {
        const page = await sendRecord(desk.founder, record, { [field]: text });
        expect(page.status).toBe(422);
        expect(page.text).toContain(`${field}-error`);
        expect(page.text).toContain(second);
      }
    },
  );

  it.each([',', ';', '\n', ' ; '])('goes to everybody, whatever separates them: %j', async (sign) => {
    const { mail } = await mailed(
      { to: `Mira <${first}>${sign}${second}`, cc: `books@elm.example${sign}cfo@elm.example` },
      second,
    );
    expect(mail?.to).toEqual([
      { name: 'Mira', address: first },
      { name: '', address: second },
    ]);
    expect(mail?.cc?.map(({ address }) => address)).toEqual(['books@elm.example', 'cfo@elm.example']);
  });

  it('is mailed once to each address, however often and in whatever letters it is named', async () => {
    const { mail } = await mailed(
      { to: `${first}, MIRA@Northgate.example`, cc: `${second}, ${first}`, bcc: `AP@Elm.example` },
      second,
    );
    expect(mail?.to).toEqual([{ name: '', address: first }]);
    expect(mail?.cc).toEqual([{ name: '', address: second }]);
  });

  it('holds a hundred at most, counted once each', async () => {
    const many = Array.from({ length: 101 }, (_, index) => `p${index}@x.example`).join(';');
    const page = await sendRecord(desk.founder, await anInvoice(letterhead, desk), { to: many });
    expect(page.text).toContain('Gmail takes 100 recipients at most; these are 101.');
  });

  it('loses what nobody can see, and so does the subject, on the way to Gmail', async () => {
    const subject = 'Invoice\u0007 \u202E7\u202C\u200B =?utf-8?Q?a=40b?=\r\nBcc: spy@evil.example';
    const { mail } = await mailed({ to: `Mi\u200Bra \u202EO <${first}>`, subject }, first);
    expect(mail?.subject).toBe('Invoice 7 = ?utf-8?Q?a=40b?= Bcc: spy@evil.example');
    expect(mail?.to).toEqual([{ name: 'Mira O', address: first }]);
    expect(mail?.bcc ?? []).toEqual([]);
  });
});

describe('what a page fills in', () => {
  it('is accepted: two addresses of a file go into To, and pressing Send sends to both', async () => {
    const imported = await desk.founder.upload('/imports', 'files', [
      { name: 'a.xml', bytes: caseFile('two-emails-semicolon.xml') },
    ]);
    const id = /href="\/documents\/([0-9a-f-]{36})"/.exec(imported.text)?.[1] ?? '';
    const page = await desk.founder.get(`/documents/${id}/deliveries/new`);
    const to = /id="to" name="to" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
    expect(to).toBe('ap@nordlicht.example, cfo@nordlicht.example');
    const hidden = [...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)].map(
      ([, name = '', value = '']) => [name, value],
    );
    const answer = await desk.founder.post(`/documents/${id}/deliveries`, {
      ...Object.fromEntries(hidden),
      to,
      subject: 'Invoice',
      message: 'Here it is.',
    });
    const deliveryId = answer.location?.split('/').at(-1) ?? '';
    await desk.reaches(deliveryId, 'sent');
    for (const address of ['ap@nordlicht.example', 'cfo@nordlicht.example'])
      expect(await received(letterhead.google, address, deliveryId)).toHaveLength(1);
  });

  it('comes from an electronic address that is an email, where there is no other', async () => {
    const imported = await desk.founder.upload('/imports', 'files', [
      { name: 'b.xml', bytes: caseFile('endpoint-email-only.xml') },
    ]);
    const id = /href="\/documents\/([0-9a-f-]{36})"/.exec(imported.text)?.[1] ?? '';
    expect((await desk.founder.get(`/documents/${id}/deliveries/new`)).text).toContain(
      '&lt;rechnung@nordlicht.example&gt;',
    );
  });
});

describe('an address of a contact or a record', () => {
  it.each(['a@localhost', 'a..b@x.example', 'a@x.example.', 'mailto:a@x.example?cc=b', 'a@x.example b@x.example'])(
    'is refused where it is typed, by the rule of Send: %s',
    async (email) => {
      const contact = await desk.founder.post('/parties', { 'party[name]': 'X', 'party[email]': email });
      expect(contact.status).toBe(422);
      expect(contact.text).toContain(`“${email}”`);
      expect(contact.text).toContain(`value="${email}"`);
      const record = await desk.founder.post('/documents', {
        kind: 'invoice',
        issueDate: '2026-11-21',
        currency: 'EUR',
        'party[name]': 'X',
        'party[email]': email,
        'lines[0][name]': 'Y',
        'lines[0][unitPrice]': '1',
      });
      expect(record.status).toBe(422);
      expect(record.text).toContain(`“${email}”`);
    },
  );

  it('may be several, and all are used', async () => {
    const contact = await desk.founder.post('/parties', {
      'party[name]': 'Northgate',
      'party[email]': 'ap@x.example; cfo@x.example',
    });
    expect((await desk.founder.get(contact.location ?? '')).text).toContain('ap@x.example, cfo@x.example');
    const partyId = contact.location?.split('/').at(-1) ?? '';
    const record = await desk.founder.post('/documents', {
      kind: 'invoice',
      issueDate: '2026-11-21',
      currency: 'EUR',
      partyId,
      'party[name]': 'Northgate',
      'lines[0][name]': 'Y',
      'lines[0][unitPrice]': '1',
    });
    expect((await desk.founder.get(`${record.location}/deliveries/new`)).text).toContain(
      'value="ap@x.example, cfo@x.example"',
    );
  });
});

it('a mailbox is not named by another address', async () => {
  const page = await desk.founder.post(`/mailboxes/${desk.mailboxId}/name`, {
    name: 'accounts@bank.example',
    replyTo: '',
  });
  expect(page.status).toBe(422);
  expect(page.text).toContain('The name holds an address that is not');
  const record = await anInvoice(letterhead, desk);
  expect(await openSendPage(desk.founder, record)).toBeDefined();
});
