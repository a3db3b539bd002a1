import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { anInvoiceWithFiles } from '../support/send-page.ts';
import { type FormFields, type Page, said, type Visitor, visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let office: Company;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  office = await company(letterhead);
});
afterAll(() => letterhead.close());

/** The fields of a contact's form. */
const party = (fields: Record<string, string>) =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [`party[${name}]`, value]));

/** Somebody whose session ended while a form was open; they send it now, and sign in from the page that answers. */
async function sendTooLate(
  at: { readonly page: string; readonly action: string },
  form: FormFields,
  { account = office.account, action = `${at.action}?company=${office.tenantId}` } = {},
): Promise<{ late: Visitor; page: Page }> {
  const late = visitor(letterhead);
  const headers = { 'sec-fetch-site': 'same-origin', referer: `${letterhead.url}${at.page}` };
  const refused = await late.postRaw(action, form, headers);
  expect([refused.status, said(refused)]).toEqual([401, expect.stringContaining('What you typed is kept')]);
  const kept = /name="kept" value="([^"]*)"/.exec(refused.text)?.[1] ?? '';
  const start = await late.post('/sign-in/google', { kept: unescaped(kept), returnTo: '/' });
  let page = await late.bring(await letterhead.google.approve(start.location ?? '', { account }));
  for (let hop = 0; page.location && hop < 4; hop += 1) page = await late.get(page.location);
  return { late, page };
}

describe('a form that is sent when the session has expired', () => {
  it('is filled in again on its page after signing in, and is saved when it is sent once more', async () => {
    const contact = party({ name: 'Zoë <Late> & Co', email: 'zoe@late.example', city: 'Cork', country: 'IE' });
    const { late, page } = await sendTooLate({ page: '/parties/new', action: '/parties' }, contact);
    expect(said(page)).toContain(
      'Not saved yet. You were signed out when you sent this. What you typed is filled in below',
    );
    expect(page.text).toContain('value="Zoë &lt;Late&gt; &amp; Co"');
    expect(page.text).toContain('value="Cork"');
    expect((await late.get('/parties')).text).not.toContain('Late');
    expect((await late.post('/parties', contact)).status).toBe(303);
    expect((await late.get('/parties/new?kept=yes')).text).not.toContain('Cork');
    expect((await late.get('/kept')).location).toBe('/');
  });

  it('of a record shows every line that was typed, and saves nothing by itself', async () => {
    const line = (index: number) => ({
      [`lines[${index}][name]`]: `Line no ${index}`,
      [`lines[${index}][quantity]`]: '1',
      [`lines[${index}][unitPrice]`]: '5',
    });
    const form = {
      kind: 'invoice',
      do: 'save',
      issueDate: '2026-11-30',
      currency: 'EUR',
      'party[name]': 'Late Ltd',
      ...line(0),
      ...line(3),
      ...line(17),
    };
    const { late, page } = await sendTooLate({ page: '/documents/new?kind=invoice', action: '/documents' }, form);
    for (const name of ['Late Ltd', 'Line no 0', 'Line no 3', 'Line no 17'])
      expect(page.text).toContain(`value="${name}"`);
    expect((await late.get('/documents?kind=invoice')).text).not.toContain('Late Ltd');
  });

  it('of an email keeps the files that were ticked to go along', async () => {
    const file = (name: string) => ({ name, mediaType: 'text/plain', bytes: Buffer.from(name) });
    const { id } = await anInvoiceWithFiles(letterhead, office, ['a.txt', 'b.txt', 'c.txt'].map(file));
    const action = `/documents/${id}/deliveries`;
    const { page } = await sendTooLate({ page: `${action}/new`, action }, [
      ...Object.entries({ to: 'late@northgate.example', subject: 'Late', message: 'Typed.' }),
      ...['0', '2'].map((place): [string, string] => ['files', place]),
    ]);
    expect(page.text).toContain('value="late@northgate.example"');
    const boxes = [...page.text.matchAll(/<input type="checkbox" name="files"[^>]*>/g)].map(([box]) => box);
    expect(boxes.map((box) => / checked(?=[ >])/.test(box))).toEqual([true, false, true]);
  });

  it('whose page has no place for all of it can be sent as it was', async () => {
    const { late, page } = await sendTooLate(
      { page: '/parties', action: '/parties' },
      party({ name: 'Offered Ltd', country: 'IE' }),
    );
    expect(said(page)).toContain('Send it as you had it');
    expect(page.text).toMatch(/<form method="post" action="\/parties">[\s\S]*Offered Ltd/);
    await late.post('/parties', party({ name: 'Offered Ltd', country: 'IE' }));
    expect((await late.get('/parties')).text).toContain('Offered Ltd');
  });

  it('is shown to nobody who is no member of its company, and is never sent elsewhere', async () => {
    const stranger = await company(letterhead);
    const secret = party({ name: 'Secret Ltd', country: 'IE' });
    const { page } = await sendTooLate({ page: '/parties/new', action: '/parties' }, secret, {
      account: stranger.account,
    });
    expect(page.text).not.toContain('Secret Ltd');
    const late = visitor(letterhead);
    for (const action of ['https://evil.example/', '//evil.example/', 'x']) {
      const kept = JSON.stringify({ action, page: '//evil.example', fields: [{ name: 'a', value: 'b' }] });
      const start = await late.post('/sign-in/google', { kept });
      const page = await late.bring(await letterhead.google.approve(start.location ?? '', { account: office.account }));
      expect(page.location).toBe('/');
    }
  });

  it('of another company than the one they come back to is kept, and named', async () => {
    await office.founder.post('/welcome', {
      name: 'Third Ltd',
      country: 'IE',
      currency: 'EUR',
      timeZone: 'Europe/Dublin',
    });
    const { page } = await sendTooLate(
      { page: '/parties/new', action: '/parties' },
      party({ name: 'Back Ltd', country: 'IE' }),
    );
    expect([page.status, said(page)]).toEqual([409, expect.stringContaining('This page belongs to Company 1 Ltd')]);
    expect(page.text).toContain('Back Ltd');
  });
});

function unescaped(html: string): string {
  const signs: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&#34;': '"', '&#39;': "'" };
  return html.replaceAll(/&(?:amp|lt|gt|#34|#39);/g, (sign) => signs[sign] ?? sign);
}
