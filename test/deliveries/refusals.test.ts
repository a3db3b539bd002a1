import type { FaultEffect } from 'local-google';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ timeStands: true });
});
afterAll(() => letterhead.close());

const fault = (sender: Company, effect: FaultEffect, times = 1, method = 'messages.send') =>
  letterhead.google.faults.add({ method, account: sender.account, times, effect });
const mailboxOf = (sender: Company) =>
  inTenant(letterhead.database.db, sender.tenantId, (trx) =>
    trx.selectFrom('mailboxes').select(['state', 'state_reason']).executeTakeFirstOrThrow(),
  );

describe('a refusal', () => {
  describe('when Gmail refuses for now', () => {
    it('a refused token is renewed, and the email is sent once', async () => {
      const sender = await company(letterhead);
      letterhead.google.accounts.expireAccessTokens(sender.account);
      const id = await sender.send();
      const delivery = await sender.reaches(id, 'sent');
      expect(delivery.attempts).toMatchObject([
        { number: 2, outcome: 'sent' },
        { number: 1, outcome: 'refused_retry', httpStatus: 401, reason: 'authError' },
      ]);
      expect(sender.accepted(id)).toHaveLength(1);
      expect((await mailboxOf(sender)).state).toBe('active');
    });

    it('a token that is refused time and again ends in asking for a new connection', async () => {
      const sender = await company(letterhead);
      fault(sender, { kind: 'unauthorized' }, 10);
      const id = await sender.send();
      const delivery = await sender.reaches(id, 'held');
      expect(delivery.heldReason).toBe('mailbox_needs_reconnect');
      expect(delivery.attempts).toHaveLength(3);
      expect(await mailboxOf(sender)).toEqual({ state: 'needs_reconnect', state_reason: 'refused' });
      expect(sender.accepted(id)).toEqual([]);
    });

    it('a limit with a time is waited for, and then it is sent once', async () => {
      const sender = await company(letterhead);
      const at = new Date(letterhead.google.clock.now() + 60_000);
      fault(sender, { kind: 'tooMany', limit: 'rate', retryAt: at.toISOString() });
      const id = await sender.send();
      const waiting = await eventually(
        () => sender.delivery(id),
        ({ attempts, state }) => attempts[0]?.outcome === 'refused_retry' && state === 'queued',
      );
      expect(waiting).toMatchObject({ state: 'queued', notBefore: at });
      letterhead.google.clock.forward(60_000);
      const sent = await sender.reaches(id, 'sent');
      expect(sent.sentAt?.getTime()).toBeGreaterThanOrEqual(at.getTime());
      expect(sender.accepted(id)).toHaveLength(1);
    });

    it.each([
      ['429 too many at once', { kind: 'tooMany', limit: 'concurrent' }],
      ['403 rate limit', { kind: 'forbidden', reason: 'userRateLimitExceeded' }],
    ] as const)('a limit without a time is waited for as well: %s', async (_what, effect) => {
      const sender = await company(letterhead);
      fault(sender, effect);
      const id = await sender.send();
      const sent = await sender.reaches(id, 'sent');
      const [second, first] = sent.attempts;
      if (!second || !first) throw new Error('There were not two attempts.');
      expect(second.startedAt.getTime() - first.startedAt.getTime()).toBeGreaterThanOrEqual(2_000);
      expect(sender.accepted(id)).toHaveLength(1);
    });

    it('the day’s sending limit holds it until the time that Gmail names, and then it goes by itself', async () => {
      const sender = await company(letterhead);
      const at = new Date(letterhead.google.clock.now() + 60_000);
      fault(sender, { kind: 'tooMany', limit: 'sending', retryAt: at.toISOString() });
      const id = await sender.send();
      const held = await sender.reaches(id, 'held');
      expect(held).toMatchObject({ heldReason: 'sending_limit', notBefore: at });
      letterhead.google.clock.forward(60_000);
      const sent = await sender.reaches(id, 'sent');
      expect(sent.sentAt?.getTime()).toBeGreaterThanOrEqual(at.getTime());
      expect(sender.accepted(id)).toHaveLength(1);
    });
  });

  describe('when Gmail refuses until somebody acts', () => {
    it.each([
      ['insufficientPermissions', 'mailbox_needs_reconnect', 'needs_reconnect', 'missing_permission'],
      ['domainPolicy', 'mailbox_needs_reconnect', 'needs_reconnect', 'admin_policy'],
      ['accessNotConfigured', 'operator', 'active', null],
      ['dailyLimitExceeded', 'operator', 'active', null],
    ] as const)('403 %s holds it: %s, mailbox %s', async (reason, heldReason, state, why) => {
      const sender = await company(letterhead);
      fault(sender, { kind: 'forbidden', reason });
      const id = await sender.send();
      const held = await sender.reaches(id, 'held');
      expect(held).toMatchObject({ heldReason, attempts: [{ httpStatus: 403, reason, outcome: 'refused_retry' }] });
      expect(await mailboxOf(sender)).toEqual({ state, state_reason: why });
      // The operator's trouble passes by itself; a person's does not.
      expect(held.notBefore !== null).toBe(heldReason === 'operator');
      expect(sender.accepted(id)).toEqual([]);
    });

    it('“send now” tries a held one again', async () => {
      const sender = await company(letterhead);
      fault(sender, { kind: 'forbidden', reason: 'accessNotConfigured' });
      const id = await sender.send();
      await sender.reaches(id, 'held');
      await sender.founder.post(`/deliveries/${id}/decision`, { decision: 'send_now' });
      await sender.reaches(id, 'sent');
      expect(sender.accepted(id)).toHaveLength(1);
    });
  });

  describe('when Gmail refuses for good', () => {
    it.each([
      ['400', { kind: 'invalidTo' }, 400, 'Invalid To header'],
      ['404', { kind: 'notFound' }, 404, 'Requested entity was not found.'],
    ] as const)('%s fails it and keeps what Gmail said', async (_what, effect, httpStatus, providerSaid) => {
      const sender = await company(letterhead);
      fault(sender, effect);
      const id = await sender.send();
      const failed = await sender.reaches(id, 'failed');
      expect(failed.attempts).toMatchObject([{ outcome: 'refused', httpStatus, providerSaid }]);
      expect(sender.accepted(id)).toEqual([]);
    });
  });

  describe('when our own registration is refused while a token is renewed', () => {
    it('holds it as the operator’s trouble and asks nobody to connect again', async () => {
      const sender = await company(letterhead);
      await dropToken(sender);
      fault(sender, { kind: 'invalidClient' }, 10, 'token');
      const id = await sender.send();
      const held = await sender.reaches(id, 'held');
      expect(held).toMatchObject({ heldReason: 'operator', attempts: [] });
      expect(held.notBefore?.getTime()).toBeGreaterThan(letterhead.google.clock.now());
      expect((await mailboxOf(sender)).state).toBe('active');
    });
  });
});

function dropToken(sender: Company) {
  return inTenant(letterhead.database.db, sender.tenantId, (trx) =>
    trx.updateTable('grants').set({ access_token: null, access_token_expires_at: null }).execute(),
  );
}
