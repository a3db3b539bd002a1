import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NoticeContext, tellEndings } from '../../src/deliveries/mailbox-notices.ts';
import { recipientsSchema } from '../../src/deliveries/recipients.ts';
import { endMailbox, recoverMailbox } from '../../src/mailboxes/health.ts';
import { saveRule } from '../../src/mailboxes/sender-rules.ts';
import type { Database } from '../../src/platform/database.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { colleague, letOnly } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { deliverNow } from '../support/hand-delivery.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
});
afterAll(() => letterhead.close());

const inside = <T>({ tenantId }: Company, work: (trx: Database) => Promise<T>) =>
  inTenant(letterhead.database.db, tenantId, work);
const tell = () => tellEndings(letterhead.context satisfies NoticeContext);
const end = (one: Company, mailboxId = one.mailboxId) =>
  inside(one, (trx) =>
    endMailbox(trx, one.tenantId, mailboxId, {
      ...({ reason: 'password_changed', sure: true, from: 'connection' } as const),
      at: letterhead.context.clock(),
    }),
  );
const notices = (one: Company) =>
  inside(one, (trx) =>
    trx
      .selectFrom('deliveries')
      .select(['id', 'mailbox_id as mailboxId', 'from_email as from', 'recipients', 'subject', 'message', 'state'])
      .where('purpose', '=', 'notice')
      .orderBy('created_at')
      .execute(),
  );
const untold = (one: Company) =>
  inside(one, (trx) =>
    trx.selectFrom('mailbox_events').select('id').where('noticed_at', 'is', null).where('kind', '=', 'ended').execute(),
  );
const toOf = (notice: { recipients: unknown } | undefined) =>
  recipientsSchema
    .parse(notice?.recipients)
    .to.map(({ email }) => email)
    .sort();

/** A further shared Gmail of the company. */
async function another(one: Company, name = 'sales'): Promise<{ id: string; email: string }> {
  const email = one.account.replace('office', name);
  letterhead.google.accounts.add({ email, name });
  await one.founder.connect(email);
  return inside(one, (trx) =>
    trx.selectFrom('mailboxes').select(['id', 'email']).where('email', '=', email).executeTakeFirstOrThrow(),
  );
}

describe('an ended connection', () => {
  it('is told by one email through another mailbox, however many workers look, to owners and admins', async () => {
    const one = await company(letterhead);
    const sales = await another(one);
    const admin = await colleague(letterhead, one, 'Ada', 'admin');
    await colleague(letterhead, one, 'Mo');
    // The company's own rule would send from the dead one.
    await inside(one, (trx) =>
      saveRule(trx, one.tenantId, null, { mode: 'default' }, { memberId: null, at: new Date() }),
    );
    await one.send();
    await end(one);
    const waiting = await one.send();
    const written = await Promise.all(Array.from({ length: 6 }, tell));
    expect(written.reduce((sum, count) => sum + count, 0)).toBe(1);
    const [notice, ...others] = await notices(one);
    expect(others).toEqual([]);
    expect(notice).toMatchObject({ mailboxId: sales.id, from: sales.email, state: 'queued' });
    expect(toOf(notice)).toEqual([one.account, admin.account].sort());
    expect(notice?.subject).toBe(`${one.account} must be connected to Gmail again`);
    for (const said of [
      'The password of',
      'Connect it again.',
      'One email waits',
      `${letterhead.url}/mailboxes/${one.mailboxId}`,
      sales.email,
    ])
      expect(notice?.message).toContain(said);
    // It really leaves, from there, and looks like any other email of the company in Activity.
    await deliverNow(letterhead, one, notice?.id ?? '');
    expect(one.accepted(notice?.id ?? '')).toMatchObject([{ account: sales.email }]);
    expect((await one.founder.get('/activity')).text).toContain('Notice');
    const { events } = await one.delivery(notice?.id ?? '');
    // Nobody of the company wrote it.
    expect(events.every(({ memberName }) => memberName === null)).toBe(true);
    expect((await one.founder.get(`/deliveries/${notice?.id}`)).text).toContain('Letterhead, by itself');
    expect((await one.delivery(waiting)).state).toBe('held');
    expect(await tell()).toBe(0);
  });

  it('is told again when it ends again, once each time', async () => {
    const one = await company(letterhead);
    await another(one);
    await end(one);
    await tell();
    await one.founder.connect(one.account, { mailboxId: one.mailboxId });
    await end(one);
    await Promise.all([tell(), tell()]);
    expect(await notices(one)).toHaveLength(2);
  });

  it('that was over before anybody was told of it is not told together with the next', async () => {
    const one = await company(letterhead);
    await another(one);
    await end(one);
    await one.founder.connect(one.account, { mailboxId: one.mailboxId });
    letterhead.google.clock.forward(1_000);
    await end(one);
    expect(await tell()).toBe(1);
    expect(await notices(one)).toHaveLength(1);
    expect(await untold(one)).toEqual([]);
  });

  it('that works again before anybody was told is not told', async () => {
    const one = await company(letterhead);
    await another(one);
    await end(one);
    await inside(one, (trx) => recoverMailbox(trx, one.tenantId, one.mailboxId, letterhead.context.clock(), 'token'));
    expect(await tell()).toBe(0);
    expect(await notices(one)).toEqual([]);
    expect(await untold(one)).toEqual([]);
  });

  it('is not told by email where no other mailbox works: the pages tell it', async () => {
    const one = await company(letterhead);
    const sales = await another(one);
    await end(one, sales.id);
    await tell();
    await end(one);
    expect(await tell()).toBe(0);
    expect(await notices(one)).toHaveLength(1);
    expect(await untold(one)).toEqual([]);
  });

  it('goes through no mailbox that is paused, or that none of the recipients may use', async () => {
    const one = await company(letterhead);
    const sales = await another(one);
    const member = await colleague(letterhead, one, 'Mo');
    await letOnly(one.founder, sales.id, [member]);
    await end(one);
    expect(await tell()).toBe(0);

    const other = await company(letterhead);
    const second = await another(other);
    await other.founder.post(`/mailboxes/${second.id}/pause`);
    await end(other);
    expect(await tell()).toBe(0);
    expect(await notices(other)).toEqual([]);
  });

  it('of somebody’s own Gmail is told to them alone', async () => {
    const one = await company(letterhead);
    const member = await colleague(letterhead, one, 'Mo');
    await member.pages.connect(member.account, { kind: 'personal' });
    const own = await inside(one, (trx) =>
      trx.selectFrom('mailboxes').select('id').where('kind', '=', 'personal').executeTakeFirstOrThrow(),
    );
    await end(one, own.id);
    expect(await tell()).toBe(1);
    const [notice] = await notices(one);
    expect(notice).toMatchObject({ mailboxId: one.mailboxId, from: one.account });
    expect(toOf(notice)).toEqual([member.account]);
  });

  it('of one company is told to nobody of another that uses the same Google account', async () => {
    const one = await company(letterhead);
    const other = await company(letterhead);
    await other.founder.connect(one.account);
    await end(one);
    await tell();
    expect(await notices(other)).toEqual([]);
  });
});
