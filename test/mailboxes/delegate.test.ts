import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tellEndings } from '../../src/deliveries/mailbox-notices.ts';
import { createAccessTokens } from '../../src/mailboxes/access-token.ts';
import { checkDelegation, findVoucher, removeDelegation } from '../../src/mailboxes/delegate.ts';
import { listDelegations, openDelegation } from '../../src/mailboxes/delegations.ts';
import { senderFor } from '../../src/mailboxes/sender-rules.ts';
import { KeyRingError } from '../../src/platform/key-ring.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { wrongBy } from '../support/clock.ts';
import { company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { sendOnly, type Workspace, workspace } from '../support/workspace.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead();
});
afterAll(() => letterhead.close());

/** A company whose service account is allowed to send, and stored. */
async function delegated(): Promise<Workspace> {
  const one = await workspace(letterhead);
  one.authorise(sendOnly);
  expect(await one.store()).toMatchObject({ kind: 'active', domain: one.domain });
  return one;
}

const inside = <T>({ tenantId }: Workspace, work: Parameters<typeof inTenant<T>>[2]) =>
  inTenant(letterhead.database.db, tenantId, work);
const tomsSender = (one: Workspace) =>
  inside(one, async (trx) => (await senderFor(trx, one.tenantId, one.tom.memberId, null)).resolution);
const delegation = async (one: Workspace) => (await inside(one, (trx) => listDelegations(trx, one.tenantId)))[0];
const again = async (one: Workspace) => {
  const { memberId, tenantId } = one;
  const voucher = await inside(one, (trx) => findVoucher(trx, tenantId, { memberId }));
  if (!voucher) throw new Error('Nobody vouches');
  return checkDelegation(letterhead.context, tenantId, voucher, []);
};

describe('a delegation', () => {
  it('sends as each member of the domain who has no Gmail of their own', async () => {
    const one = await delegated();
    expect(await tomsSender(one)).toMatchObject({
      ok: true,
      sender: { fromEmail: one.tom.account, fromName: 'Tom Brady', mailboxEmail: one.tom.account },
      because: 'emails come from whoever is signed in, and your company’s Google Workspace lets Letterhead send as you',
    });
    const ids = [await one.sendAsTom(), await one.send()];
    for (const id of ids) await one.reaches(id, 'sent');
    expect(ids.flatMap((id) => one.accepted(id))).toMatchObject([
      { account: one.tom.account, from: { address: one.tom.account }, clientId: one.clientId },
      { account: one.account, from: { address: one.account }, clientId: one.clientId },
    ]);
  });

  it('stands behind a member’s own Gmail, and before an address of the company’s', async () => {
    const one = await delegated();
    await one.tom.visitor.connect(one.tom.account, { kind: 'personal' });
    const id = await one.sendAsTom();
    await one.reaches(id, 'sent');
    expect(one.accepted(id)).toMatchObject([{ account: one.tom.account, clientId: letterhead.config.google.clientId }]);
    // His own connection is another mailbox: taking it back leaves the delegation.
    const own = await inside(one, (trx) =>
      trx.selectFrom('mailboxes').select('id').where('kind', '=', 'personal').where('delegated', '=', false).execute(),
    );
    expect(own).toHaveLength(1);
    await one.tom.visitor.post(`/mailboxes/${own[0]?.id}/disconnection`);
    const second = await one.sendAsTom();
    await one.reaches(second, 'sent');
    expect(one.accepted(second)).toMatchObject([{ clientId: one.clientId }]);
  });

  it('that nobody authorised yet waits, and works when somebody looks again after it was', async () => {
    const one = await workspace(letterhead);
    expect(await one.store()).toEqual({
      ...{ kind: 'refused', domain: one.domain, trouble: 'not_authorized', kept: true, active: false },
    });
    expect(await delegation(one)).toMatchObject({ state: 'waiting', stateReason: 'not_authorized', scopes: [] });
    expect(await tomsSender(one)).toMatchObject({ ok: false, reason: 'aliases_unreadable' });
    one.authorise(sendOnly);
    expect(await again(one)).toMatchObject({ kind: 'active' });
    expect(await tomsSender(one)).toMatchObject({ ok: true });
  });

  it('uses what else the administrator allowed, and says what is missing', async () => {
    const one = await workspace(letterhead);
    const settings = 'https://www.googleapis.com/auth/gmail.settings.basic';
    one.authorise([...sendOnly, settings]);
    expect(await one.store(['send', 'safe_retry', 'aliases'])).toMatchObject({
      kind: 'active',
      missing: ['safe_retry'],
    });
    expect(await delegation(one)).toMatchObject({ scopes: [...sendOnly, settings] });
    await tomsSender(one);
    const kept = await inside(one, (trx) =>
      trx.selectFrom('grants').select('scopes').where('kind', '=', 'delegated').execute(),
    );
    expect(kept).toEqual([{ scopes: [...sendOnly, settings] }]);
  });

  it('is not for accounts that no Workspace manages, though they bear its domain', async () => {
    const one = await delegated();
    await inside(one, (trx) =>
      trx.updateTable('members').set({ hd: null }).where('id', '=', one.tom.memberId).execute(),
    );
    expect(await tomsSender(one)).toMatchObject({ ok: false });
  });

  it('is for its own company alone, and for its own domain alone', async () => {
    await delegated();
    const other = await workspace(letterhead);
    expect(await tomsSender(other)).toMatchObject({ ok: false });
  });

  it('never sends as somebody else who has the address by now', async () => {
    const one = await delegated();
    letterhead.google.accounts.delete(one.tom.account);
    letterhead.google.accounts.add({ email: one.tom.account, name: 'Another Tom' });
    const id = await one.sendAsTom();
    expect(await one.reaches(id, 'held', 'sent')).toMatchObject({ state: 'held' });
    expect(one.accepted(id)).toEqual([]);
    expect(await one.tomsMailbox()).toMatchObject({
      state: 'needs_reconnect',
      state_reason: 'other_person',
    });
    expect(await delegation(one)).toMatchObject({ state: 'active' });
  });

  it('loses one mailbox, and not all of them, where the domain has no such account any more', async () => {
    const one = await delegated();
    letterhead.google.accounts.delete(one.tom.account);
    const id = await one.sendAsTom();
    await one.reaches(id, 'held');
    expect(await one.tomsMailbox()).toMatchObject({ state_reason: 'no_such_person' });
    expect(await delegation(one)).toMatchObject({ state: 'active' });
    await one.reaches(await one.send(), 'sent');
  });

  it('says so where the account has no Gmail', async () => {
    const one = await delegated();
    letterhead.google.accounts.setMailEnabled(one.tom.account, false);
    const id = await one.sendAsTom();
    await one.reaches(id, 'held');
    expect(await one.tomsMailbox()).toMatchObject({ state: 'needs_reconnect', state_reason: 'no_gmail' });
    const page = await one.founder.get(`/deliveries/${id}`);
    expect(page.text).toContain('has no Gmail mailbox');
  });
});

describe('a delegation that Google ends', () => {
  it('holds what goes through it, once for all its mailboxes, until it is authorised again', async () => {
    const one = await delegated();
    await one.reaches(await one.sendAsTom(), 'sent');
    await tomsSender(one);
    one.authorise([]);
    letterhead.google.clock.forward(3_600_000);
    const id = await one.sendAsTom();
    await one.reaches(id, 'held');
    expect(await delegation(one)).toMatchObject({ state: 'ended', stateReason: 'not_authorized' });
    expect(await one.tomsMailbox()).toMatchObject({ state: 'needs_reconnect', state_reason: 'delegation_ended' });
    // Of Tom's alone: what tells the owners of it sends through another mailbox.
    const calls = letterhead.google.truth.calls('token', one.tom.account);
    expect(calls).toBeGreaterThan(0);
    expect(await tomsSender(one)).toMatchObject({ ok: true, needsReconnect: true });
    expect(await one.reaches(await one.sendAsTom(), 'held')).toBeDefined();
    expect(letterhead.google.truth.calls('token', one.tom.account)).toBe(calls);

    one.authorise(sendOnly);
    const check = await again(one);
    expect(check).toMatchObject({ kind: 'active' });
    expect(check?.kind === 'active' && check.mailboxIds).toContain((await one.tomsMailbox()).id);
    await one.reaches(await one.sendAsTom(), 'sent');
  });

  it('is told once, to owners and admins, by a mailbox that works', async () => {
    const one = await delegated();
    for (const member of [one.memberId, one.tom.memberId])
      await inside(one, (trx) => senderFor(trx, one.tenantId, member, null));
    one.authorise([]);
    expect(await again(one)).toMatchObject({ kind: 'refused', active: false });
    const notices = () =>
      inside(one, (trx) =>
        trx
          .selectFrom('deliveries')
          .select(['id', 'subject', 'recipients', 'message'])
          .where('purpose', '=', 'notice')
          .execute(),
      );
    await tellEndings({ ...letterhead.context });
    await tellEndings({ ...letterhead.context });
    const [notice, ...more] = await notices();
    expect(more).toEqual([]);
    expect(notice).toMatchObject({
      subject: 'Google Workspace must be looked after in Letterhead',
      recipients: { to: [{ email: one.account }] },
      message: expect.stringContaining('Settings → Email → Google Workspace'),
    });
    await one.reaches(notice?.id ?? '', 'sent');
  });

  it('is the company’s own trouble where the Gmail API is off in its project, and not the operator’s', async () => {
    const one = await delegated();
    await one.reaches(await one.sendAsTom(), 'sent');
    letterhead.google.policies.setApp(JSON.parse(one.keyFile).client_email, { apiEnabled: false });
    await one.reaches(await one.sendAsTom(), 'held');
    expect(await again(one)).toMatchObject({ kind: 'refused', trouble: 'api_disabled', active: true });
    expect(letterhead.logged()).not.toContain('api_disabled');
  });

  it('tells a deleted key from a missing permission', async () => {
    const one = await delegated();
    await letterhead.google.addServiceAccount(JSON.parse(one.keyFile).client_email);
    expect(await again(one)).toMatchObject({ kind: 'refused', trouble: 'key_refused' });
    expect(await delegation(one)).toMatchObject({ state: 'ended', stateReason: 'key_refused' });
  });

  it('is not ended by this machine’s clock', async () => {
    const one = await delegated();
    await tomsSender(one);
    const { db } = letterhead.database;
    const slow = wrongBy(letterhead.context.clock, -3_600_000);
    const tokens = createAccessTokens({ ...letterhead.context, db, clock: slow });
    await expect(tokens.of(one.tenantId, (await one.tomsMailbox()).id)).rejects.toMatchObject({ code: 'wrong_clock' });
    expect(await one.tomsMailbox()).toMatchObject({ state: 'active' });
    expect(await delegation(one)).toMatchObject({ state: 'active' });
  });

  it('removed, holds what is queued, and its key is gone', async () => {
    const one = await delegated();
    await tomsSender(one);
    const id = (await delegation(one))?.id ?? '';
    const mailbox = await one.tomsMailbox();
    expect(
      await inside(one, (trx) => removeDelegation(trx, one.tenantId, id, { memberId: null, at: new Date() })),
    ).toEqual({
      domain: one.domain,
      mailboxIds: [mailbox.id],
    });
    expect(await one.tomsMailbox()).toMatchObject({ state: 'disconnected' });
    expect(await delegation(one)).toBeUndefined();
    expect(
      await inside(one, (trx) => trx.selectFrom('grants').select('kind').where('kind', '=', 'delegated').execute()),
    ).toEqual([]);
    expect(await tomsSender(one)).toMatchObject({ ok: false });
    one.authorise(sendOnly);
    await one.store();
    expect(await one.tomsMailbox()).toEqual({ ...mailbox, state: 'active' });
  });

  it('is not replaced by a key file that does not work', async () => {
    const one = await delegated();
    const other = await letterhead.google.addServiceAccount('another@project.iam.gserviceaccount.com');
    expect(await one.store([], JSON.stringify(other))).toMatchObject({ trouble: 'not_authorized', kept: false });
    expect(await delegation(one)).toMatchObject({ state: 'active', clientId: one.clientId });
    await one.reaches(await one.sendAsTom(), 'sent');
  });
});

describe('its access tokens', () => {
  it('are fetched once for 50 callers, kept sealed, and fetched again ahead of their end', async () => {
    const one = await delegated();
    await tomsSender(one);
    const { id } = await one.tomsMailbox();
    letterhead.google.truth.resetCalls();
    letterhead.google.faults.add({ method: 'token', times: 1, effect: { kind: 'slow', ms: 200 } });
    const given = await Promise.all(Array.from({ length: 50 }, () => letterhead.context.tokens.of(one.tenantId, id)));
    expect(new Set(given.map(({ token }) => token)).size).toBe(1);
    expect(letterhead.google.truth.calls('token', one.tom.account)).toBe(1);
    const token = given[0]?.token ?? '';
    const row = await inside(one, (trx) =>
      trx.selectFrom('grants').selectAll().where('mailbox_id', '=', id).executeTakeFirstOrThrow(),
    );
    expect(row).toMatchObject({
      kind: 'delegated',
      client_id: one.clientId,
      refresh_token: null,
      access_key_id: 'test',
    });
    expect(row.access_token?.toString('latin1')).not.toContain(token);
    letterhead.google.clock.forward(56 * 60_000);
    expect((await letterhead.context.tokens.of(one.tenantId, id)).token).not.toBe(token);
    expect(letterhead.google.truth.calls('token', one.tom.account)).toBe(2);
  });
});

describe('its key', () => {
  it('stands in no column and in no log, and opens in its own place only', async () => {
    const [one, other] = [await delegated(), await delegated()];
    const key = JSON.parse(one.keyFile).private_key as string;
    const inner = key.split('\n')[1] ?? '';
    const row = await inside(one, (trx) => trx.selectFrom('delegations').selectAll().executeTakeFirstOrThrow());
    for (const [column, value] of Object.entries(row)) {
      expect(Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value), column).not.toContain(inner);
    }
    expect(letterhead.logged()).not.toContain(inner);
    await inside(other, (trx) => trx.updateTable('delegations').set({ private_key: row.private_key }).execute());
    const { keys } = letterhead.context;
    const opening = inside(other, (trx) => openDelegation(trx, keys, other.tenantId, other.domain));
    await expect(opening).rejects.toBeInstanceOf(KeyRingError);
  });

  it('signs for Google’s address and no other, whatever its file says', async () => {
    const asked: string[] = [];
    const thief = createServer((req, res) => {
      asked.push(req.url ?? '');
      res.end('{}');
    });
    await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
    const { port } = thief.address() as AddressInfo;
    const one = await workspace(letterhead);
    one.authorise(sendOnly);
    const bad = { token_uri: `http://127.0.0.1:${port}/token`, auth_uri: `http://127.0.0.1:${port}/auth` };
    const file = JSON.stringify({ ...JSON.parse(one.keyFile), ...bad, universe_domain: `127.0.0.1:${port}` });
    expect(await one.store([], file)).toMatchObject({ kind: 'active' });
    expect(asked).toEqual([]);
    await new Promise((resolve) => thief.close(resolve));
  });
});

describe('who may vouch for a domain', () => {
  const voucher = (one: Workspace, who: Parameters<typeof findVoucher>[2]) =>
    inside(one, (trx) => findVoucher(trx, one.tenantId, who));

  it('is an owner or admin whose Google account a Workspace manages', async () => {
    const one = await workspace(letterhead);
    expect(await voucher(one, { memberId: one.memberId })).toMatchObject({ email: one.account });
    expect(await voucher(one, { email: one.account })).toMatchObject({ memberId: one.memberId });
    expect(await voucher(one, { memberId: one.tom.memberId })).toBeUndefined();
    await inside(one, (trx) => trx.updateTable('members').set({ hd: null }).execute());
    expect(await voucher(one, { memberId: one.memberId })).toBeUndefined();
  });

  it('is nobody of another company', async () => {
    const [one, other] = [await workspace(letterhead), await company(letterhead)];
    expect(await voucher(one, { memberId: other.memberId })).toBeUndefined();
  });

  it('is not whoever has the address but is another person to Google', async () => {
    const one = await workspace(letterhead);
    one.authorise(sendOnly);
    await inside(one, (trx) =>
      trx.updateTable('members').set({ google_sub: '1' }).where('id', '=', one.memberId).execute(),
    );
    expect(await one.store()).toMatchObject({ kind: 'refused', trouble: 'other_person' });
    expect(await delegation(one)).toMatchObject({ state: 'waiting' });
  });
});
