import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { listMailboxes } from '../../src/mailboxes/mailboxes.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import { type Page, type Visitor, visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;

beforeAll(async () => {
  letterhead = await startTestLetterhead();
});
afterEach(() => letterhead.google.faults.clear());
afterAll(() => letterhead.close());

let strangers = 0;
const stranger = () => {
  strangers += 1;
  return letterhead.google.accounts.add({ email: `other-${strangers}@elsewhere.example`, name: 'Other' }).email;
};
const titleOf = ({ text }: Page) => /<h1[^>]*>([^<]*)/.exec(text)?.[1]?.trim();
const noticeOf = ({ text }: Page) =>
  /<p class="notice \w+" role="\w+">[\s\S]*?<span>([\s\S]*?)<\/span>/.exec(text)?.[1];
const mailboxesOf = ({ tenantId, memberId }: Company) =>
  inTenant(letterhead.database.db, tenantId, (trx) => listMailboxes(trx, tenantId, memberId));
const cutOff = (one: Company) => letterhead.google.accounts.removeAccess(one.account, testClient.clientId);

/** Reconnects a mailbox, and chooses another account at Google; returns the address of the choice. */
async function chooseWrongly(
  who: Visitor,
  mailboxId: string,
  account: string,
  kind: 'shared' | 'personal' = 'shared',
): Promise<string> {
  const start = await who.post('/mailboxes/connection', { kind, mailboxId });
  const back = await who.get(await letterhead.google.approve(start.location ?? '', { account }));
  expect(back.location).toMatch(/^\/mailboxes\/connection\/choices\/[\w-]{36}$/);
  return back.location ?? '';
}

describe('another Google account than the mailbox’s', () => {
  it('leads to a choice that names both, and changes nothing', async () => {
    const one = await company(letterhead);
    const before = await mailboxesOf(one);
    const other = stranger();
    const page = await one.founder.get(await chooseWrongly(one.founder, one.mailboxId, other));
    expect([page.status, titleOf(page)]).toEqual([200, 'That is another Google account']);
    expect(page.text).toContain(
      `You chose <b>${other}</b> at Google, but this was about <b>${one.account}</b>, which belongs to`,
    );
    expect(page.text).toContain(`Connect ${other} as another mailbox`);
    expect(await mailboxesOf(one)).toEqual(before);
    expect(await letterhead.context.tokens.of(one.tenantId, one.mailboxId)).toBeTruthy();
  });

  it('can be left for the right one: Google opens again for it, and what waits goes out', async () => {
    const one = await company(letterhead);
    cutOff(one);
    const held = await one.send();
    await one.reaches(held, 'held');
    const choice = await chooseWrongly(one.founder, one.mailboxId, stranger());
    const start = await one.founder.post(choice, { choice: 'right_one' });
    expect(new URL(start.location ?? '').searchParams.get('login_hint')).toBe(one.account);
    const back = await one.founder.get(await letterhead.google.approve(start.location ?? '', { account: one.account }));
    expect(noticeOf(await one.founder.get(back.location ?? ''))).toContain('1 email is going out now.');
    await one.reaches(held, 'sent');
    expect(await mailboxesOf(one)).toMatchObject([{ id: one.mailboxId, state: 'active' }]);
  });

  it('goes on asking for what was being switched on, once the right one is chosen', async () => {
    const one = await company(letterhead);
    const address = `/mailboxes/${one.mailboxId}/permissions/safe_retry`;
    const start = await one.founder.post(address, { switch: 'on' });
    const back = await one.founder.get(await letterhead.google.approve(start.location ?? '', { account: stranger() }));
    const again = await one.founder.post(back.location ?? '', { choice: 'right_one' });
    expect(new URL(again.location ?? '').searchParams.get('scope')).toContain('gmail.compose');
  });

  it('can be connected as another mailbox, without going to Google again', async () => {
    const one = await company(letterhead);
    cutOff(one);
    const held = await one.send();
    await one.reaches(held, 'held');
    const other = stranger();
    const choice = await chooseWrongly(one.founder, one.mailboxId, other);
    letterhead.google.truth.resetCalls();
    const done = await one.founder.post(choice, { choice: 'another' });
    expect(noticeOf(await one.founder.get(done.location ?? ''))).toBe(`${other} is connected.`);
    expect(letterhead.google.truth.calls('authorize') + letterhead.google.truth.calls('revoke')).toBe(0);
    expect(await mailboxesOf(one)).toMatchObject([
      { id: one.mailboxId, email: one.account, state: 'needs_reconnect', isDefault: true },
      { email: other, state: 'active', isDefault: false, capabilities: ['send'] },
    ]);
    // What waits for one account never leaves from another.
    expect((await one.delivery(held)).state).toBe('held');
  });

  it('that is connected here already is renewed, not doubled', async () => {
    const one = await company(letterhead);
    const other = stranger();
    await one.founder.connect(other);
    const choice = await chooseWrongly(one.founder, one.mailboxId, other);
    expect((await one.founder.get(choice)).text).toContain(`Renew the connection of ${other}`);
    await one.founder.post(choice, { choice: 'another' });
    expect((await mailboxesOf(one)).map(({ email }) => email)).toEqual([one.account, other]);
  });

  it('takes the place of one’s own Gmail only where that is said, and ends the other', async () => {
    const one = await company(letterhead);
    const [own, other] = [stranger(), stranger()];
    await one.founder.connect(own, { kind: 'personal' });
    const mine = (await mailboxesOf(one)).find(({ kind }) => kind === 'personal');
    const choice = await chooseWrongly(one.founder, mine?.id ?? '', other, 'personal');
    expect((await one.founder.get(choice)).text).toContain(`so ${own} is disconnected`);
    await one.founder.post(choice, { choice: 'another' });
    expect((await mailboxesOf(one)).filter(({ kind }) => kind === 'personal')).toMatchObject([
      { email: own, state: 'disconnected' },
      { email: other, state: 'active' },
    ]);
  });
});

describe('a choice', () => {
  it('is made once', async () => {
    const one = await company(letterhead);
    const choice = await chooseWrongly(one.founder, one.mailboxId, stranger());
    const answers = await Promise.all([1, 2, 3].map(() => one.founder.post(choice, { choice: 'another' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 404, 404]);
    const page = await one.founder.get(choice);
    expect([page.status, titleOf(page)]).toEqual([404, 'This choice is not open any more']);
    expect(await mailboxesOf(one)).toHaveLength(2);
  });

  it('ends after ten minutes', async () => {
    const other = await startTestLetterhead({ worker: false });
    try {
      const one = await company(other);
      other.google.accounts.add({ email: 'late@elsewhere.example', name: 'Late' });
      const start = await one.founder.post('/mailboxes/connection', { kind: 'shared', mailboxId: one.mailboxId });
      const back = await one.founder.get(
        await other.google.approve(start.location ?? '', { account: 'late@elsewhere.example' }),
      );
      const choice = back.location ?? '';
      other.google.clock.forward(9 * 60_000);
      expect((await one.founder.get(choice)).status).toBe(200);
      other.google.clock.forward(2 * 60_000);
      expect((await one.founder.get(choice)).status).toBe(404);
      expect((await one.founder.post(choice, { choice: 'another' })).status).toBe(404);
    } finally {
      await other.close();
    }
  });

  it('belongs to the browser that came back from Google, and to who was signed in there', async () => {
    const one = await company(letterhead);
    const choice = await chooseWrongly(one.founder, one.mailboxId, stranger());
    const elsewhere = visitor(letterhead);
    await elsewhere.signIn(one.account);
    const email = stranger();
    await one.founder.post('/settings/members/invitations', { email, role: 'admin' });
    expect((await elsewhere.get(choice)).status).toBe(404);
    expect((await elsewhere.post(choice, { choice: 'another' })).status).toBe(404);
    // The same browser, another person of the same company.
    await one.founder.join(email);
    expect((await one.founder.get(choice)).status).toBe(404);
    await one.founder.signIn(one.account);
    expect((await one.founder.get(choice)).status).toBe(200);
  });

  it('keeps no token that could be read in the database', async () => {
    const one = await company(letterhead);
    const choice = await chooseWrongly(one.founder, one.mailboxId, stranger());
    const owner = new pg.Client({ connectionString: letterhead.database.urls.owner });
    await owner.connect();
    try {
      const id = choice.split('/').at(-1) ?? '';
      const { rows } = await owner.query<{ sess: { sealed: string } }>('select sess from sessions where sid = $1', [
        `choice/${id}`,
      ]);
      expect(Object.keys(rows[0]?.sess ?? {})).toEqual(['sealed']);
      const bytes = Buffer.from(rows[0]?.sess.sealed ?? '', 'base64').toString('latin1');
      expect(bytes.length).toBeGreaterThan(200);
      expect(bytes).not.toMatch(/ya29|1\/\/0|elsewhere\.example/);
    } finally {
      await owner.end();
    }
  });
});
