import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDelegation } from '../../src/mailboxes/delegate.ts';
import { pauseMailbox } from '../../src/mailboxes/health.ts';
import { readKeyFile } from '../../src/mailboxes/key-file.ts';
import { noteChange } from '../../src/tenants/rights-changes.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Colleague, colleague, letOnly } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import type { Page } from '../support/visitor.ts';
import { sendOnly, workspace } from '../support/workspace.ts';

const address = '/settings/changes';

let letterhead: TestLetterhead;
let office: Company;
let tom: Colleague;
let ada: Colleague;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  office = await company(letterhead, { sendAs: [{ email: 'accounts@company1.example', status: 'accepted' }] });
  tom = await colleague(letterhead, office, 'Tom');
  ada = await colleague(letterhead, office, 'Ada', 'admin');
});
afterAll(() => letterhead.close());

/** The lines of a page: who, what, and what stands below. */
function lines({ text }: Page): string[] {
  const rows = [...text.matchAll(/<tr>\s*<td data-label="When">([\s\S]*?)<\/tr>/g)];
  return rows.map(([, row = '']) =>
    row
      .replace(/[\s\S]*?<\/time>/, '')
      .replace(/<[^>]+>/g, ' ')
      .replaceAll('&#39;', '’')
      .replace(/\s+/g, ' ')
      .trim(),
  );
}
const see = async ({ founder }: Pick<Company, 'founder'> = office) => lines(await founder.get(address));
/** Does something; returns the lines that are there since, oldest first. */
async function since(work: () => Promise<unknown>, one: Pick<Company, 'founder'> = office): Promise<string[]> {
  const before = (await see(one)).length;
  await work();
  const now = await see(one);
  return now.slice(0, now.length - before).reverse();
}
const members = '/settings/members';
const mailbox = () => `/mailboxes/${office.mailboxId}`;

describe('the page of changes', () => {
  it('tells how a company began: who founded it, connected Gmail, invited whom, and that they came', async () => {
    const { account } = office;
    const by = `Company 1 ${account}`;
    expect((await see()).reverse()).toEqual([
      `${by} Founded Company 1 Ltd Whoever founds a company is its owner.`,
      `${by} Connected ${account} Letterhead may send email and check which other addresses it may send from.`,
      `${by} Invited ${tom.account} as a member`,
      `Tom ${tom.account} Joined as a member They had been invited.`,
      `${by} Invited ${ada.account} as an admin`,
      `Ada ${ada.account} Joined as an admin They had been invited.`,
    ]);
  });

  it('is for owners and admins; others do not even see that it is there', async () => {
    expect((await ada.pages.get(address)).status).toBe(200);
    expect((await ada.pages.get('/settings/company')).text).toContain(address);
    expect((await tom.pages.get(address)).status).toBe(403);
    expect((await tom.pages.get('/settings/company')).text).not.toContain(address);
    const other = await company(letterhead);
    expect(await see(other)).toHaveLength(2);
    expect((await other.founder.get(address)).text).not.toContain(office.account);
  });

  it('tells each change of roles and members once, with how it was before', async () => {
    const { founder } = office;
    expect(
      await since(async () => {
        await founder.post(`${members}/invitations`, { email: 'pat@company1.example', role: 'viewer' });
        const [, id] = /invitations\/([^/]+)\/withdrawal/.exec((await founder.get(members)).text) ?? [];
        await founder.post(`${members}/invitations/${id}/withdrawal`);
        await founder.post(`${members}/invitations/${id}/withdrawal`);
        await founder.post(`${members}/${tom.memberId}/role`, { role: 'viewer' });
        await ada.pages.post(`${members}/${tom.memberId}/role`, { role: 'member' });
        await founder.post(`${members}/${tom.memberId}/role`, { role: 'member' });
        // Refused.
        await ada.pages.post(`${members}/${tom.memberId}/role`, { role: 'owner' });
        await tom.pages.post(`${members}/${ada.memberId}/role`, { role: 'viewer' });
      }),
    ).toEqual([
      `Company 1 ${office.account} Invited pat@company1.example as a viewer`,
      `Company 1 ${office.account} Withdrew the invitation of pat@company1.example They were invited as a viewer.`,
      `Company 1 ${office.account} Made Tom a viewer ${tom.account} was a member before.`,
      `Ada ${ada.account} Made Tom a member ${tom.account} was a viewer before.`,
    ]);
  });

  it('tells who was let use a mailbox, and from whom it was taken', async () => {
    const { founder, account } = office;
    const everybody = { access: 'everybody' };
    expect(
      await since(async () => {
        await letOnly(founder, office.mailboxId, [tom], [ada]);
        await letOnly(founder, office.mailboxId, [tom], [ada]);
        await letOnly(founder, office.mailboxId, [ada], [tom]);
        await founder.post(`${mailbox()}/access`, everybody);
        await founder.post(`${mailbox()}/access`, everybody);
      }),
    ).toEqual([
      `Company 1 ${account} Let only chosen members use ${account} Given to Tom.`,
      `Company 1 ${account} Changed who may use ${account} Given to Ada. Taken from Tom.`,
      `Company 1 ${account} Let everybody use ${account}`,
    ]);
  });

  it('tells whom emails come from now, and came from before', async () => {
    const { founder, account } = office;
    const alias = `${office.mailboxId} accounts@company1.example`;
    const standIn = { standsIn: 'yes' };
    expect(
      await since(async () => {
        await founder.post('/settings/email/sender-rule', { mode: 'alias', alias });
        await founder.post('/settings/email/sender-rule', { mode: 'alias', alias });
        await founder.post('/settings/email/rules', { 'rule[quote]': 'current_user' });
        await founder.post('/settings/email/rules', { 'rule[quote]': '' });
        await founder.post('/settings/email/sender-rule', { mode: 'default' });
        await founder.post('/settings/email/stand-in', standIn);
        await founder.post('/settings/email/stand-in', standIn);
        await founder.post('/settings/email/stand-in');
        await tom.pages.post('/settings/email/own-default', { mailboxId: office.mailboxId });
        await tom.pages.post('/settings/email/own-default', { mailboxId: '' });
        await founder.post(`${mailbox()}/name`, { name: 'Accounts', replyTo: 'hello@company1.example' });
      }),
    ).toEqual(
      [
        'Changed whom emails come from Now: accounts@company1.example. Before: the company’s Gmail account.',
        'Changed whom quotes come from Now: whoever is signed in. Before: the same as everything else.',
        'Changed whom quotes come from Now: the same as everything else. Before: whoever is signed in.',
        'Changed whom emails come from Now: the company’s Gmail account. Before: accounts@company1.example.',
        'Let the default Gmail stand in for members without an address of their own',
        'Stopped the default Gmail from standing in for members without an address of their own',
        `Chose ${account} for their own emails`,
        'Went back to the company’s default for their own emails',
        `Changed the name or replies of ${account} Now “Accounts”, before “Company 1 Ltd”. Replies now go to hello@company1.example, before to the address they come from.`,
      ].map((line) => (/their own emails/.test(line) ? `Tom ${tom.account} ${line}` : `Company 1 ${account} ${line}`)),
    );
  });

  it('tells who paused, resumed, disconnected and connected what, their own Gmail too', async () => {
    const { founder, account } = office;
    const second = 'sales@company1.example';
    letterhead.google.accounts.add({ email: second, name: 'Sales' });
    expect(
      await since(async () => {
        await founder.post(`${mailbox()}/pause`);
        await ada.pages.post(`${mailbox()}/pause`);
        await ada.pages.post(`${mailbox()}/resumption`);
        await founder.post(`${mailbox()}/permissions/aliases`, { switch: 'off' });
        await founder.post(`${mailbox()}/permissions/aliases`, { switch: 'on' });
        await founder.connect(second);
        const id = await mailboxOf(second);
        await founder.post(`/mailboxes/${id}/default`);
        await founder.post(`/mailboxes/${id}/default`);
        await founder.post(`/mailboxes/${id}/disconnection`);
        await tom.pages.connect(tom.account, { kind: 'personal' });
        await founder.post(`${members}/${tom.memberId}/removal`);
      }),
    ).toEqual(
      [
        `Paused ${account}`,
        `Resumed ${account}`,
        `Switched “Other addresses” off for ${account}`,
        `Switched “Other addresses” on for ${account}`,
        `Connected ${second} Letterhead may send email.`,
        `Made ${second} the company’s default Gmail Before, it was ${account}.`,
        `Disconnected ${second}`,
        `Connected their own Gmail, ${tom.account} Letterhead may send email.`,
        `Disconnected ${tom.account}, the own Gmail of Tom`,
        `Removed Tom ${tom.account} was a member.`,
      ].map((line) => {
        if (line.startsWith('Resumed')) return `Ada ${ada.account} ${line}`;
        return line.includes('their own Gmail') ? `Tom ${tom.account} ${line}` : `Company 1 ${account} ${line}`;
      }),
    );
  });

  it('tells who set up sending for a Workspace and who ended it, whoever runs Letterhead too, and holds no key', async () => {
    const one = await workspace(letterhead);
    one.authorise(sendOnly);
    const { founder, account, domain, tenantId, memberId, keyFile } = one;
    const give = () =>
      founder.upload('/settings/email/workspace', 'keyFile', [{ name: 'key.json', bytes: Buffer.from(keyFile) }]);
    const by = `Company 3 ${account}`;
    const allowed = `Switched on sending as the people of ${domain} Google lets Letterhead send email for each of them.`;
    const stored = expect.stringMatching(/Stored a key file .* service account letterhead-1@project\.iam/);
    expect(
      await since(async () => {
        await give();
        const [, id] = /workspace\/([^/"]+)\/removal/.exec((await founder.get('/settings/email/workspace')).text) ?? [];
        await founder.post('/settings/email/workspace/check');
        await founder.post(`/settings/email/workspace/${id}/removal`);
        const voucher = { memberId, email: account, googleSub: letterhead.google.accounts.get(account).sub };
        await addDelegation(letterhead.context, tenantId, voucher, await readKeyFile(keyFile), [], true);
      }, one),
    ).toEqual([
      stored,
      `${by} ${allowed}`,
      `${by} Stopped sending as the people of ${domain} The key was deleted.`,
      stored,
      `Whoever runs Letterhead ${allowed}`,
    ]);
    const { private_key: key } = JSON.parse(keyFile);
    const kept = await keptOf(one);
    expect(kept).toContain('letterhead-1@project');
    for (const part of key.split('\n').filter((line: string) => line.length > 20)) expect(kept).not.toContain(part);
  });

  it('holds nothing of any token or key', async () => {
    const text = await keptOf(office);
    expect(text.length).toBeGreaterThan(2_000);
    expect(text).not.toMatch(/private|BEGIN|ya29|1\/\/|token|secret/i);
  });
});

describe('a change', () => {
  it('that is taken back leaves no line, and none is made without its line', async () => {
    const { tenantId, memberId, mailboxId } = office;
    const before = await see();
    const by = { memberId, at: letterhead.context.clock() };
    const failing = inTenant(letterhead.database.db, tenantId, async (trx) => {
      expect(await pauseMailbox(trx, tenantId, mailboxId, by)).toBe(true);
      throw new Error('after the change');
    });
    await expect(failing).rejects.toThrow('after the change');
    expect(await see()).toEqual(before);
    // By somebody who is no member: the line cannot be written, so nothing is paused.
    const nobody = { ...by, memberId: tenantId };
    const refused = inTenant(letterhead.database.db, tenantId, (trx) => pauseMailbox(trx, tenantId, mailboxId, nobody));
    await expect(refused).rejects.toThrow(/foreign key/);
    expect((await office.founder.get(mailbox())).text).not.toContain('Resume');
    expect(await see()).toEqual(before);
  });

  it('is shown at the company’s own clock, and of many a page at a time', async () => {
    const one = await company(letterhead);
    const { tenantId, memberId, founder } = one;
    const at = new Date('2026-03-01T23:30:00Z');
    await inTenant(letterhead.database.db, tenantId, async (trx) => {
      for (let number = 0; number < 60; number += 1)
        await noteChange(trx, tenantId, { memberId, at }, { kind: 'mailbox_paused', mailbox: `m${number}@x.example` });
    });
    const company1 = { name: 'C', country: 'JP', currency: 'JPY', timeZone: 'Asia/Tokyo' };
    const letter = ['street', 'extraStreet', 'city', 'postalCode', 'region', 'taxId', 'email', 'phone', 'website'];
    const rest = Object.fromEntries([...letter, 'paymentDetails'].map((field) => [field, '']));
    expect((await founder.post('/settings/company', { ...company1, ...rest })).status).toBe(303);
    const first = await founder.get(address);
    expect(first.text).toContain('Mon, Mar 2, 2026, 08:30');
    expect(first.text).toContain('Times are those of Asia/Tokyo');
    expect(lines(first)).toHaveLength(50);
    const [, more = ''] = /href="(\/settings\/changes\?before=\d+)"/.exec(first.text) ?? [];
    const second = await founder.get(more);
    expect(lines(second)).toHaveLength(13);
    expect(lines(second).at(-1)).toContain('Founded');
    expect(second.text).toContain('First page');
    for (const odd of ['before=x', 'before=-1', `before=${'9'.repeat(40)}`, 'before[]=1'])
      expect((await founder.get(`${address}?${odd}`)).status, odd).toBe(200);
    expect((await founder.get(`${address}?before=1`)).text).toContain('That was everything');
  });

  it('that a newer version wrote is shown, and breaks nothing', async () => {
    const one = await company(letterhead);
    await inTenant(letterhead.database.db, one.tenantId, (trx) =>
      trx
        .insertInto('rights_changes')
        .values({ tenant_id: one.tenantId, at: new Date(), change: JSON.stringify({ kind: 'from_the_future' }) })
        .execute(),
    );
    expect((await see(one))[0]).toBe(
      'Whoever runs Letterhead Changed something that this version of Letterhead has no words for',
    );
  });
});

async function mailboxOf(email: string): Promise<string> {
  const { id } = await inTenant(letterhead.database.db, office.tenantId, (trx) =>
    trx.selectFrom('mailboxes').select('id').where('email', '=', email).executeTakeFirstOrThrow(),
  );
  return id;
}

/** All that is written down of a company, as it is kept. */
async function keptOf({ tenantId }: Pick<Company, 'tenantId'>): Promise<string> {
  const rows = await inTenant(letterhead.database.db, tenantId, (trx) =>
    trx.selectFrom('rights_changes').selectAll().execute(),
  );
  return JSON.stringify(rows);
}
