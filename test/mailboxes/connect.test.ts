import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openGrant } from '../../src/mailboxes/grant-vault.ts';
import { listMailboxes } from '../../src/mailboxes/mailboxes.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { passingUntil } from '../support/eventually.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';

let letterhead: TestLetterhead;

beforeAll(async () => {
  letterhead = await sharedLetterhead();
});
afterEach(() => letterhead.google.faults.clear());
afterAll(() => letterhead.close());

const mailboxesOf = ({ tenantId, memberId }: Company) =>
  inTenant(letterhead.database.db, tenantId, (trx) => listMailboxes(trx, tenantId, memberId));

async function grantOf({ tenantId }: Company, mailboxId: string) {
  const grant = await inTenant(letterhead.database.db, tenantId, (trx) =>
    openGrant(trx, letterhead.context.keys, tenantId, mailboxId),
  );
  if (!grant) throw new Error('There is no grant');
  return grant;
}

/** Whether a company can still get a token from Google. */
async function renew({ tenantId, mailboxId }: Company): Promise<string> {
  await inTenant(letterhead.database.db, tenantId, (trx) =>
    trx.updateTable('grants').set({ access_token_expires_at: new Date() }).execute(),
  );
  return (await letterhead.context.tokens.of(tenantId, mailboxId)).token;
}

const aliased = () => ({
  sendAs: [{ email: `accounts-${Math.random()}@alias.example`, name: 'Accounts', status: 'accepted' as const }],
});
const revocations = () => letterhead.google.truth.calls('revoke');
const another = (email: string) => letterhead.google.accounts.add({ email, name: 'Another' }).email;

describe('connecting', () => {
  it('makes the first shared mailbox the default, a second one not', async () => {
    const one = await company(letterhead);
    await one.founder.connect(another('second@first.example'));
    expect((await mailboxesOf(one)).map(({ email, isDefault }) => [email, isDefault])).toEqual([
      [one.account, true],
      ['second@first.example', false],
    ]);
  });

  it('keeps granted scopes, and reads the aliases with them', async () => {
    const one = await company(letterhead, aliased());
    const [mailbox] = await mailboxesOf(one);
    expect(mailbox).toMatchObject({
      state: 'active',
      capabilities: ['send', 'aliases'],
      connectedByName: expect.any(String),
    });
    expect(mailbox?.sendAs).toHaveLength(2);
  });

  it('leaves no token anywhere in the database, nor in the log', async () => {
    const one = await company(letterhead);
    const grant = await grantOf(one, one.mailboxId);
    await renew(one);
    const renewed = await grantOf(one, one.mailboxId);
    const secrets = [grant.refreshToken, grant.access?.token, renewed.access?.token].map((token) => token ?? '');
    const owner = new pg.Client({ connectionString: letterhead.database.urls.owner });
    await owner.connect();
    const tables = await owner.query<{ name: string }>(
      `select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
       where table_schema in ('public', 'pgboss') and table_type = 'BASE TABLE'`,
    );
    const holding = async (text: string) => {
      const found: string[] = [];
      // bytea is written in hexadecimal.
      for (const { name } of tables.rows) {
        const { rows } = await owner.query(`select 1 from ${name} t where t::text like any ($1) limit 1`, [
          [`%${text}%`, `%${Buffer.from(text).toString('hex')}%`],
        ]);
        if (rows.length > 0) found.push(name);
      }
      return found;
    };
    try {
      expect(await holding(one.account)).toContain('public.mailboxes');
      for (const secret of secrets) {
        expect(secret.length).toBeGreaterThan(20);
        expect(await holding(secret)).toEqual([]);
        expect(letterhead.logged()).not.toContain(secret);
      }
    } finally {
      await owner.end();
    }
  });
});

describe('connecting again', () => {
  it('keeps the mailbox and replaces its grant, without revoking the old one', async () => {
    const one = await company(letterhead);
    const before = await grantOf(one, one.mailboxId);
    letterhead.google.truth.resetCalls();
    await one.founder.connect(one.account, { mailboxId: one.mailboxId });
    expect((await mailboxesOf(one)).map(({ id, isDefault }) => [id, isDefault])).toEqual([[one.mailboxId, true]]);
    expect((await grantOf(one, one.mailboxId)).refreshToken).not.toBe(before.refreshToken);
    expect(revocations()).toBe(0);
  });

  it('finds its mailbox by the Google account, also without being asked for it', async () => {
    const one = await company(letterhead);
    await one.founder.connect(one.account);
    expect(await mailboxesOf(one)).toHaveLength(1);
  });

  it('without a lasting permission is refused, and the one that is there stays in use', async () => {
    const one = await company(letterhead);
    const before = await grantOf(one, one.mailboxId);
    const { founder, account, mailboxId } = one;
    const start = await founder.post('/mailboxes/connection', { kind: 'shared', mailboxId });
    const asked = new URL(start.location ?? '');
    // As if Google had not taken our word for it: an answer without a refresh token.
    asked.searchParams.set('access_type', 'online');
    await founder.get(await letterhead.google.approve(asked.href, { account }));
    const page = await founder.get('/google/answer');
    expect([page.status, page.text]).toEqual([502, expect.stringContaining('Google gave no lasting permission')]);
    expect((await grantOf(one, mailboxId)).refreshToken).toBe(before.refreshToken);
    expect(await renew(one)).toMatch(/./);
  });

  it('without the box about settings forgets the aliases: nobody may check them any more', async () => {
    const one = await company(letterhead, aliased());
    letterhead.google.accounts.removeAccess(one.account, letterhead.context.google.clientId);
    await one.founder.connect(one.account, { mailboxId: one.mailboxId, tick: ['gmail.send'] });
    expect(await mailboxesOf(one)).toMatchObject([{ state: 'active', capabilities: ['send'], sendAs: [] }]);
  });

  it('keeps the aliases that are known, when Gmail does not tell them just now', async () => {
    const one = await company(letterhead, aliased());
    letterhead.google.faults.add({ method: 'sendAs.list', times: 10, effect: { kind: 'notFound' } });
    const page = await one.founder.connect(one.account, { mailboxId: one.mailboxId });
    expect(page.text).toContain('Gmail did not tell its other addresses just now');
    expect((await mailboxesOf(one))[0]?.sendAs).toHaveLength(2);
  });
});

describe('a Gmail of one’s own', () => {
  it('is one per member: another is refused until the first is disconnected', async () => {
    const one = await company(letterhead);
    const own = another('own@personal.example');
    const second = another('second@personal.example');
    await one.founder.connect(own, { kind: 'personal' });
    const refused = await one.founder.connect(second, { kind: 'personal' });
    expect([refused.status, refused.text]).toEqual([
      409,
      expect.stringContaining(`${own} is connected as your own Gmail`),
    ]);

    const personal = (await mailboxesOf(one)).find(({ kind }) => kind === 'personal');
    await one.founder.post(`/mailboxes/${personal?.id}/disconnection`);
    const page = await one.founder.connect(second, { kind: 'personal' });
    expect(page.text).toContain(`${second} is connected.`);
    const all = (await mailboxesOf(one)).filter(({ kind }) => kind === 'personal');
    // The first keeps its row: what was sent from it must not seem to have come from the second.
    expect(all.map(({ email, state }) => [email, state])).toEqual([
      [own, 'disconnected'],
      [second, 'active'],
    ]);
  });

  it('may be the same Google account as the company’s, and never becomes the default', async () => {
    const one = await company(letterhead);
    await one.founder.connect(one.account, { kind: 'personal' });
    expect((await mailboxesOf(one)).map(({ kind, isDefault }) => [kind, isDefault])).toEqual([
      ['shared', true],
      ['personal', false],
    ]);
  });
});

describe('disconnecting', () => {
  it('deletes the tokens here and revokes them at Google', async () => {
    const one = await company(letterhead);
    letterhead.google.truth.resetCalls();
    await one.founder.post(`/mailboxes/${one.mailboxId}/disconnection`);
    const { text } = await one.founder.get('/settings/email');
    expect(text).toContain(`${one.account} is disconnected, and Google has been told.`);
    expect(revocations()).toBe(1);
    await expect(grantOf(one, one.mailboxId)).rejects.toThrow('no grant');
  });

  it('does not revoke while another company uses the same Google account; the last one does', async () => {
    const one = await company(letterhead);
    const other = await company(letterhead);
    await other.founder.connect(one.account);
    const theirs = (await mailboxesOf(other)).find(({ email }) => email === one.account);
    letterhead.google.truth.resetCalls();

    await one.founder.post(`/mailboxes/${one.mailboxId}/disconnection`);
    expect((await one.founder.get('/settings/email')).text).toContain('another mailbox uses the same Google account');
    expect(revocations()).toBe(0);
    expect(await renew({ ...other, mailboxId: theirs?.id ?? '' })).toMatch(/^ya29/);

    await other.founder.post(`/mailboxes/${theirs?.id}/disconnection`);
    expect(revocations()).toBe(1);
  });

  it('is done here even when Google cannot be told, and says so', async () => {
    const one = await company(letterhead);
    letterhead.google.faults.add({
      method: 'revoke',
      times: 20,
      effect: { kind: 'serverError', status: 503, when: 'before' },
    });
    await passingUntil(letterhead.time, one.founder.post(`/mailboxes/${one.mailboxId}/disconnection`));
    expect((await one.founder.get('/settings/email')).text).toContain('Google could not be told');
    expect(await mailboxesOf(one)).toMatchObject([{ state: 'disconnected', scopes: [] }]);
  });

  it('hands the place of the default on to the next one that is connected', async () => {
    const one = await company(letterhead);
    await one.founder.post(`/mailboxes/${one.mailboxId}/disconnection`);
    const next = another('next@default.example');
    await one.founder.connect(next);
    expect((await mailboxesOf(one)).map(({ email, isDefault }) => [email, isDefault])).toEqual([
      [next, true],
      [one.account, false],
    ]);
  });
});
