import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { founder, type Page, type Visitor, visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let dana: Visitor;
let tom: Visitor;
let vera: Visitor;

const rules = '/settings/email/rules';

beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  const { accounts } = letterhead.google;
  accounts.add({ email: 'tom@joinery.example', name: 'Tom Baker' });
  accounts.add({ email: 'vera@joinery.example', name: 'Vera Gray' });
  accounts.add({
    email: 'desk@joinery.example',
    name: 'Desk',
    sendAs: [
      { email: 'bills@joinery.example', status: 'accepted' },
      { email: 'late@joinery.example', status: 'pending' },
    ],
  });
  dana = await founder(letterhead);
  await dana.connect('desk@joinery.example');
  await dana.permit('aliases', 'desk@joinery.example');
  await dana.connect('dana@brightwater.example', { kind: 'personal' });
  const joins = async (email: string, role: string) => {
    await dana.post('/settings/members/invitations', { email, role });
    const person = visitor(letterhead);
    await person.join(email);
    return person;
  };
  tom = await joins('tom@joinery.example', 'member');
  vera = await joins('vera@joinery.example', 'viewer');
});
afterAll(() => letterhead.close());

/** The form's value for an address in the lists. */
async function choiceFor(email: string): Promise<string> {
  const { text } = await dana.get(rules);
  const value = new RegExp(`value="([\\w-]+ ${email})"`).exec(text)?.[1];
  if (value === undefined) throw new Error(`${email} cannot be chosen`);
  return value;
}

/** The overview as lines of words: one for each member. */
function overview({ text }: Page): string[] {
  const body = /<tbody>([\s\S]*?)<\/tbody>/.exec(text)?.[1] ?? '';
  return body.split('</tr>').flatMap((row) => {
    const words = row
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim();
    return words === '' ? [] : [words];
  });
}

describe('a sender per kind of record', () => {
  it('is not there at first: one column answers for every kind', async () => {
    const page = await dana.get(rules);
    expect(page.text).toContain('>Every kind</th>');
    expect(overview(page)).toEqual([
      'Dana Reyes (you) dana@brightwater.example Ready desk@joinery.example',
      'Tom Baker tom@joinery.example Ready desk@joinery.example',
    ]);
    expect((await dana.get('/settings/email')).text).toContain(`href="${rules}"`);
  });

  it('makes invoices come from one address, and quotes from whoever is signed in', async () => {
    const bills = await choiceFor('bills@joinery.example');
    const saved = await dana.post(rules, { 'rule[invoice]': bills, 'rule[quote]': 'current_user' });
    expect(saved.location).toBe(rules);
    const page = await dana.get(rules);
    expect(page.text).toContain('>Invoices</th>');
    expect(page.text).toContain('>Credit notes and purchase orders</th>');
    expect(overview(page)).toEqual([
      'Dana Reyes (you) dana@brightwater.example Ready bills@joinery.example Ready desk@joinery.example Ready dana@brightwater.example',
      'Tom Baker tom@joinery.example Ready bills@joinery.example Ready desk@joinery.example Refused',
    ]);
    expect((await dana.get('/settings/email')).text).toContain(
      'invoices come from bills@joinery.example and quotes come from whoever is signed in',
    );
  });

  it('is what the page shows on which an email is written', async () => {
    const form = {
      ...{ do: 'save', kind: 'quote', number: 'Q-1', issueDate: '2026-11-21', currency: 'EUR', 'party[name]': 'Café' },
      ...{ 'lines[0][name]': 'Counter', 'lines[0][quantity]': '1', 'lines[0][unitPrice]': '10' },
    };
    const quote = (await tom.post('/documents', form)).location ?? '';
    const sending = await tom.get(`${quote}/deliveries/new`);
    expect(sending.text).toContain('tom@joinery.example is not connected');
    expect((await dana.get(`${quote}/deliveries/new`)).text).toContain('dana@brightwater.example');
  });

  it('stays as it is where a form leaves the kind out, and ends with “as for everything”', async () => {
    await dana.post(rules, { 'rule[purchase_order]': 'current_user' });
    expect((await dana.get(rules)).text).toContain('>Quotes and purchase orders</th>');
    await dana.post(rules, { 'rule[purchase_order]': '' });
    const page = await dana.get(rules);
    expect(page.text).toContain('>Credit notes and purchase orders</th>');
    expect(page.text).toContain('>Quotes</th>');
  });

  it('is not saved for any kind where one address still waits in Gmail, and says so at that kind', async () => {
    const late = await choiceFor('late@joinery.example');
    const refused = await dana.post(rules, { 'rule[invoice]': 'default', 'rule[quote]': late });
    expect(refused.status).toBe(422);
    expect(refused.text).toMatch(/id="rule-quote-error">Gmail still waits for late@joinery\.example/);
    expect(refused.text).toMatch(/late@joinery\.example" selected/);
    expect(overview(await dana.get(rules))[0]).toContain('Ready bills@joinery.example');
  });

  it.each([
    ['no kind we know', { 'rule[letter]': 'default' }],
    ['another shape', { rule: 'default' }],
    ['a way of sending that is none', { 'rule[invoice]': 'everybody' }],
    ['an address of no mailbox', { 'rule[invoice]': `${crypto.randomUUID()} x@y.example` }],
  ])('is refused in words for %s', async (_what, form) => {
    const page = await dana.post(rules, form);
    expect(page.status).toBe(422);
    expect(page.text).toContain('Choose one of the');
  });

  it('is for everybody to see, and for owners and admins to change', async () => {
    for (const person of [tom, vera]) {
      const page = await person.get(rules);
      expect(page.status).toBe(200);
      expect(page.text).not.toMatch(/<form[^>]*email\/rules/);
      expect((await person.post(rules, { 'rule[invoice]': 'default' })).status).toBe(403);
    }
    expect(overview(await dana.get(rules))[0]).toContain('Ready bills@joinery.example');
  });
});

describe('who would be refused', () => {
  it('is named to an admin, with a mail that asks them to connect and the steps in Gmail', async () => {
    const { text } = await dana.get(rules);
    expect(text).toContain(
      'tom@joinery.example is not connected, and no Gmail of the company that they may use may send as it.',
    );
    expect(text).toContain('href="mailto:tom@joinery.example?subject=');
    expect(text).toContain('Open Gmail as <b>desk@joinery.example</b>');
  });

  it('may connect their own Gmail right there', async () => {
    const { text } = await tom.get(rules);
    expect(text).toContain('Connect my own Gmail');
    expect(text).not.toContain('mailto:tom');
    await tom.connect('tom@joinery.example', { kind: 'personal' });
    const page = await dana.get(rules);
    expect(page.text).not.toContain('would be refused');
    expect(overview(page)[1]).toBe(
      'Tom Baker tom@joinery.example Ready bills@joinery.example Ready desk@joinery.example Ready tom@joinery.example',
    );
  });

  it('is everybody once the fixed address may not be checked any more; no other kind is kept from changing', async () => {
    const [desk] = (await choiceFor('bills@joinery.example')).split(' ');
    await dana.post(`/mailboxes/${desk}/permissions/aliases`, { switch: 'off' });
    const page = await dana.get(rules);
    expect(page.text).toContain('<strong>Everybody</strong> · Invoices');
    expect(page.text).toContain('Letterhead may not ask Gmail whether desk@joinery.example can use it');
    expect(page.text).toMatch(/bills@joinery\.example · cannot be used/);
    const lost = await choiceFor('bills@joinery.example');
    const saved = await dana.post(rules, { 'rule[invoice]': lost, 'rule[quote]': 'default' });
    expect(saved.status).toBe(303);
    expect(overview(await dana.get(rules))[0]).toBe(
      'Dana Reyes (you) dana@brightwater.example Refused Ready desk@joinery.example',
    );
  });
});
