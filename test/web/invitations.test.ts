import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { colleague } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { invitationLink } from '../support/invitation-link.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { founder, type Page, said, type Visitor, visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let office: Company;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  office = await company(letterhead);
});
afterAll(() => letterhead.close());

const members = '/settings/members';
const invite = ({ founder: owner }: Pick<Company, 'founder'>, email: string, role = 'member') =>
  owner.post(`${members}/invitations`, { email, role });
let made = 0;
/** Somebody with a Google account; one that no Workspace manages where `hd` is null. */
function account(domain: string, hd?: string | null): string {
  made += 1;
  const email = `somebody${made}@${domain}`;
  letterhead.google.accounts.add({ email, name: `Somebody ${made}`, ...(hd !== undefined && { hd }) });
  return email;
}
async function signedIn(email: string): Promise<Visitor> {
  const pages = visitor(letterhead);
  await pages.signIn(email);
  return pages;
}
/** The forms of an invitation's page. */
function answerOf({ text }: Page): { address: string; form: Record<string, string> } {
  const [, form = ''] =
    /<form method="post" action="\/invitations\/[^"]+\/acceptance">([\s\S]*?)<\/form>/.exec(text) ?? [];
  const fields = [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]);
  const [, address = ''] = /action="(\/invitations\/[^"]+)\/acceptance"/.exec(text) ?? [];
  return { address, form: Object.fromEntries(fields) };
}
const companyOf = async (pages: Visitor) =>
  /class="who-company">([^<]*)</.exec((await pages.get('/settings/company')).text)?.[1];

describe('whoever is invited', () => {
  it('is asked before they join: a company that took the name of theirs gets nobody by inviting', async () => {
    const mallory = account('mallory.example');
    const evil = await founder(letterhead, mallory, 'Company 1 Ltd');
    await invite({ founder: evil }, office.account, 'admin');
    await office.founder.post('/sign-out');
    await office.founder.signIn(office.account);
    expect(await companyOf(office.founder)).toBe('Company 1 Ltd');
    expect((await office.founder.get(members)).text).not.toContain(mallory);
    // What they connect now is connected where they are.
    const { text } = await office.founder.get('/');
    expect(text).toContain('You are invited to a company');
    const list = await office.founder.get('/companies');
    expect(said(list)).toContain(`Invited by Somebody ${made}, ${mallory}`);
    const [, invitation = ''] = /href="(\/invitations\/[^"]+)"/.exec(list.text) ?? [];
    const page = await office.founder.get(invitation);
    expect(said(page)).toContain(`Its owner ${mallory}`);
    expect(said(page)).toContain('Anybody can give a company any name.');
    const { address, form } = answerOf(page);
    const declined = await office.founder.post(`${address}/decline`, form);
    expect([declined.status, declined.location]).toEqual([303, '/companies']);
    expect((await office.founder.get('/')).text).not.toContain('You are invited');
    expect((await office.founder.post(`${address}/acceptance`, form)).status).toBe(404);
    expect(said(await evil.get(members))).toContain('Declined');
  });

  it('stays in the company they are in, and switches by their own hand', async () => {
    const email = account('two.example');
    const own = await founder(letterhead, email, 'Own Ltd');
    await invite(office, email);
    await own.join(email);
    expect(await companyOf(own)).toBe('Own Ltd');
    const list = await own.get('/companies');
    expect(said(list)).toContain(office.account);
    await own.post('/tenant-switch', { tenantId: office.tenantId });
    await own.post('/sign-out');
    await own.signIn(email);
    expect(await companyOf(own)).toContain('Company 1 Ltd');
  });

  it('lands where they were at their next sign-in, though they never switched and the other name comes first', async () => {
    const email = account('quiet.example');
    const quiet = await founder(letterhead, email, 'Quiet Works');
    expect(await companyOf(quiet)).toBe('Quiet Works');
    const other = await founder(letterhead, account('aardvark.example'), 'Aardvark Ltd');
    await invite({ founder: other }, email);
    await quiet.join(email);
    expect(await companyOf(quiet)).toBe('Quiet Works');
    await quiet.post('/sign-out');
    await quiet.signIn(email);
    expect(await companyOf(quiet)).toBe('Quiet Works');
  });

  it('without a company lands in the one they accept', async () => {
    const email = account('fresh.example');
    await invite(office, email);
    const fresh = await signedIn(email);
    expect((await fresh.get('/')).location).toBe('/welcome');
    expect(said(await fresh.get('/welcome'))).toContain('You are invited');
    await fresh.join(email);
    expect(said(await fresh.get('/'))).toContain('You are a member of Company 1 Ltd now.');
  });

  it('in another spelling of their Gmail address is found, and told so', async () => {
    letterhead.google.accounts.add({ email: 'jo.hn.smith@gmail.com', name: 'John Smith' });
    await invite(office, 'JohnSmith+work@googlemail.com');
    const john = await signedIn('jo.hn.smith@gmail.com');
    const [, invitation = ''] = /href="(\/invitations\/[^"]+)"/.exec((await john.get('/welcome')).text) ?? [];
    expect(said(await john.get(invitation))).toContain('that is the same mailbox');
    await john.join('jo.hn.smith@gmail.com');
    expect(await companyOf(john)).toBe('Company 1 Ltd');
  });

  it('at another address than the one they signed in with is told both', async () => {
    const [invited, other] = [account('right.example'), account('wrong.example')];
    await invite(office, invited);
    const wrong = await signedIn(other);
    expect(said(await wrong.get('/welcome'))).toContain(
      `You signed in as ${other} . If you were invited, it was at another address`,
    );
    const link = await invitationLink(letterhead, office.tenantId, invited);
    const page = await wrong.get(link);
    expect(said(page)).toContain(`You were invited as ${invited} , and you are signed in as ${other} .`);
    expect(page.text).not.toContain('/acceptance');
    // The way back after signing out leads to the link.
    const out = await wrong.post('/sign-out', { returnTo: link });
    expect(out.location).toBe(`/sign-in?next=${encodeURIComponent(link)}`);
  });
});

describe('the link', () => {
  it('is mailed once from the company’s mailbox, and by it an address that Google does not vouch for is proven', async () => {
    const email = account('firm.example', null);
    const page = await invite(office, email, 'viewer');
    expect(page.status).toBe(303);
    expect(said(await office.founder.get(members))).toContain(`an email is on its way from ${office.account}`);
    const [delivery] = await inTenant(letterhead.database.db, office.tenantId, (trx) =>
      trx
        .selectFrom('deliveries')
        .selectAll()
        .where('purpose', '=', 'invitation')
        .orderBy('created_at', 'desc')
        .execute(),
    );
    expect(delivery).toMatchObject({ from_email: office.account, state: 'queued', document_id: null });
    expect(delivery?.recipients).toMatchObject({ to: [{ email }], cc: [], bcc: [] });

    const link = await invitationLink(letterhead, office.tenantId, email);
    const nobody = visitor(letterhead);
    const opened = await nobody.get(link);
    expect(said(opened)).toContain(`Sign in as ${email}`);
    expect(opened.text).not.toContain('/acceptance');
    // Signing in shows no invitation by itself, whether there is one or not.
    const somebody = await signedIn(email);
    expect((await somebody.get('/welcome')).text).not.toContain('You are invited');
    const { address, form } = answerOf(await somebody.get(link));
    expect((await somebody.get(address)).status).toBe(404);
    const { token: _, ...without } = form;
    expect((await somebody.post(`${address}/acceptance`, without)).status).toBe(404);
    expect((await somebody.post(`${address}/acceptance`, { ...form, role: 'admin' })).status).toBe(404);
    expect((await somebody.post(`${address}/acceptance`, form)).status).toBe(303);
    expect(await companyOf(somebody)).toBe('Company 1 Ltd');
    // Used, it says so, and leads whoever joined by it on; nobody who is signed in is asked to sign in.
    const used = await somebody.get(link);
    expect([used.status, said(used)]).toEqual([404, expect.stringContaining('You are a member of Company 1 Ltd')]);
    expect(used.text).toMatch(/<a class="button primary" href="\/">Go to Company 1 Ltd</);
    expect(said(used)).toContain('A link works once');
    const unknown = await nobody.get(link);
    expect([unknown.status, said(unknown)]).toEqual([404, expect.stringContaining('This invitation is used')]);
    expect(unknown.text).toContain('href="/sign-in"');
    const other = await signedIn(account('other.example'));
    expect(said(await other.get(link))).toContain('If you joined with another address, sign out');
    expect((await other.get(address)).text).not.toContain('Company 1 Ltd');
  });

  it('that was used leads to its company from another one, and says of one that was declined that it was', async () => {
    const email = account('both.example');
    const both = await founder(letterhead, email, 'Both Ltd');
    await invite(office, email);
    const link = await invitationLink(letterhead, office.tenantId, email);
    await both.join(email);
    const used = await both.raw(link);
    expect(used.text).toContain(`href="/?company=${office.tenantId}"`);
    expect(said(await both.get(`/?company=${office.tenantId}`))).toContain('Switch to Company 1 Ltd');

    const no = account('no.example');
    await invite(office, no);
    const declined = await invitationLink(letterhead, office.tenantId, no);
    const somebody = await signedIn(no);
    const { address, form } = answerOf(await somebody.get(declined));
    await somebody.post(`${address}/decline`, form);
    expect(said(await somebody.get(declined))).toContain('This invitation was declined');
    expect((await somebody.post(`${address}/acceptance`, form)).status).toBe(404);
  });

  it('is shown to be handed over where the company has no mailbox yet, and is in no log', async () => {
    const bare = await founder(letterhead, account('bare.example'), 'Bare Ltd');
    const email = account('firm.example', null);
    const page = await invite({ founder: bare }, email);
    expect([page.status, said(page)]).toEqual([200, expect.stringContaining('give them this link')]);
    const [link = '', token = ''] = /http[^"]*\/invitation\?token=([\w-]{43})/.exec(page.text) ?? [];
    const somebody = await signedIn(email);
    const opened = await somebody.get(link.replace(letterhead.url, ''));
    expect(said(opened)).toContain('Bare Ltd');
    // Asked for again, the first link is worth nothing.
    await invite({ founder: bare }, email);
    expect((await somebody.get(link.replace(letterhead.url, ''))).status).toBe(404);
    expect(letterhead.logged()).not.toContain(token);
  });

  it('that is forwarded, guessed, old or withdrawn lets nobody in', async () => {
    const email = account('firm.example', null);
    await invite(office, email);
    const link = await invitationLink(letterhead, office.tenantId, email);
    const thief = await signedIn(account('thief.example'));
    expect((await thief.get(link)).text).not.toContain('/acceptance');
    const somebody = await signedIn(email);
    const { address, form } = answerOf(await somebody.get(link));
    for (const action of ['acceptance', 'decline'])
      expect((await thief.post(`${address}/${action}`, form)).status).toBe(404);
    for (const wrong of ['', 'x', `${form['token']}x`, "' or 1=1"])
      expect((await somebody.get(`/invitation?token=${encodeURIComponent(wrong)}`)).status).toBe(404);
    const id = address.replace('/invitations/', '');
    await office.founder.post(`${members}/invitations/${id}/withdrawal`);
    expect((await somebody.post(`${address}/acceptance`, form)).status).toBe(404);
    expect((await somebody.get('/activity')).location).toBe('/welcome');
  });

  it('of an admin who was removed meanwhile lets nobody in', async () => {
    const ada = await colleague(letterhead, office, 'Ada', 'admin');
    const email = account('firm.example');
    await invite({ founder: ada.pages }, email, 'admin');
    const friend = await signedIn(email);
    expect(said(await friend.get('/welcome'))).toContain('You are invited');
    const link = await invitationLink(letterhead, office.tenantId, email);
    await office.founder.post(`${members}/${ada.memberId}/removal`);
    expect((await friend.get(link)).status).toBe(404);
    expect(said(await friend.get('/welcome'))).not.toContain('You are invited');
  });

  it('that came from another site is not answered', async () => {
    const email = account('firm.example');
    await invite(office, email);
    const somebody = await signedIn(email);
    const link = await invitationLink(letterhead, office.tenantId, email);
    const { address, form } = answerOf(await somebody.get(link));
    expect((await somebody.post(`${address}/acceptance`, form, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await somebody.get('/activity')).location).toBe('/welcome');
  });
});
