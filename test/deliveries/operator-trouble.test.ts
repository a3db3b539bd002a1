import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { probeTrouble, releaseAfterTrouble } from '../../src/deliveries/let-go.ts';
import { openTroubles, recentTroubles } from '../../src/mailboxes/operator-troubles.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';

const minute = 60_000;
let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ timeStands: true });
});
afterEach(() => {
  const { policies } = letterhead.google;
  policies.setClientDeleted(testClient.clientId, false);
  policies.setApp(testClient.clientId, { apiEnabled: true });
});
afterAll(() => letterhead.close());

const open = async () => (await openTroubles(letterhead.database.system, testClient.clientId)).map(({ kind }) => kind);
const alerts = (kind: string) =>
  letterhead
    .logged()
    .split('\n')
    .filter((line) => line.includes(`"trouble":"${kind}"`) && line.includes('"level":50'));
const mailboxOf = ({ tenantId, mailboxId }: Company) =>
  inTenant(letterhead.database.db, tenantId, (trx) =>
    trx
      .selectFrom('mailboxes')
      .select(['state', 'state_reason as reason'])
      .where('id', '=', mailboxId)
      .executeTakeFirst(),
  );
/** Lets the access tokens come to their end, so that the next send asks for new ones. */
const dropTokens = (some: readonly Company[]) =>
  Promise.all(
    some.map(({ tenantId }) =>
      inTenant(letterhead.database.db, tenantId, (trx) =>
        trx.updateTable('grants').set({ access_token: null, access_token_expires_at: null }).execute(),
      ),
    ),
  );

describe.each([
  [
    'client_refused',
    'the OAuth client was deleted',
    async (some: readonly Company[]): Promise<void> => {
      await dropTokens(some);
      letterhead.google.policies.setClientDeleted(testClient.clientId, true);
    },
    (): void => letterhead.google.policies.setClientDeleted(testClient.clientId, false),
  ],
  [
    'api_disabled',
    'the Gmail API was switched off',
    async (): Promise<void> => void letterhead.google.policies.setApp(testClient.clientId, { apiEnabled: false }),
    (): void => void letterhead.google.policies.setApp(testClient.clientId, { apiEnabled: true }),
  ],
] as const)('a trouble of the operator: %s, %s', (kind, _what, begin, stop) => {
  it('holds what is sent, alerts once, tells no company to reconnect, and lets everything go when it is over', async () => {
    const some = [await company(letterhead), await company(letterhead), await company(letterhead)];
    const earlier = alerts(kind).length;
    await begin(some);
    const sent = await Promise.all(
      some.flatMap((one) => Array.from({ length: 4 }, async () => ({ one, id: await one.send() }))),
    );
    for (const { one, id } of sent) {
      const held = await one.reaches(id, 'held');
      expect(held).toMatchObject({ heldReason: 'operator' });
      expect(held.notBefore).not.toBeNull();
    }
    await eventually(open, (kinds) => kinds.includes(kind));
    expect(alerts(kind)).toHaveLength(earlier + 1);
    for (const one of some) {
      expect(await mailboxOf(one)).toEqual({ state: 'active', reason: null });
      const page = (await one.founder.get('/')).text;
      expect(page).not.toContain('must be connected again');
    }
    // Nobody's address, nor that it was them, stands in what the operator sees.
    const seen = JSON.stringify(await recentTroubles(letterhead.database.system, new Date(0))) + alerts(kind).join('');
    for (const one of some)
      for (const secret of [one.account, one.tenantId, one.mailboxId]) expect(seen).not.toContain(secret);

    // It lasts: the one that tries is held again, and the others stay where they are.
    expect(await releaseAfterTrouble(letterhead.context)).toBe(0);
    expect(await probeTrouble(letterhead.context)).toBe(1);
    await eventually(
      () => Promise.all(sent.map(({ one, id }) => one.delivery(id))),
      (all) => all.every(({ state }) => state === 'held'),
    );
    expect(await open()).toContain(kind);

    stop();
    // Long before any of them would have been tried by itself.
    letterhead.google.clock.forward(minute);
    await eventually(
      async () => {
        await probeTrouble(letterhead.context);
        return open();
      },
      (kinds) => !kinds.includes(kind),
    );
    await releaseAfterTrouble(letterhead.context);
    for (const { one, id } of sent) {
      await one.reaches(id, 'sent');
      expect(one.accepted(id)).toHaveLength(1);
    }
    expect(alerts(kind)).toHaveLength(earlier + 1);
    expect(letterhead.logged()).toContain('Google answers again');
  });
});

describe('while the operator’s trouble lasts', () => {
  it('what is wrong with a mailbox itself is still told apart', async () => {
    const one = await company(letterhead);
    const other = await company(letterhead);
    letterhead.google.accounts.removeAccess(one.account, testClient.clientId);
    const dead = await one.send();
    await one.reaches(dead, 'held');
    letterhead.google.policies.setApp(testClient.clientId, { apiEnabled: false });
    const id = await other.send();
    expect(await other.reaches(id, 'held')).toMatchObject({ heldReason: 'operator' });
    expect(await mailboxOf(one)).toMatchObject({ state: 'needs_reconnect' });
    expect(await mailboxOf(other)).toMatchObject({ state: 'active' });
    expect(await one.delivery(dead)).toMatchObject({ heldReason: 'mailbox_needs_reconnect' });
  });

  it('is noticed at a sign-in, too', async () => {
    letterhead.google.policies.setApp(testClient.clientId, { apiEnabled: true });
    const one = await company(letterhead);
    const start = await one.founder.post('/mailboxes/connection', { kind: 'shared' });
    const callback = await letterhead.google.approve(start.location ?? '', { account: one.account });
    letterhead.google.policies.setClientDeleted(testClient.clientId, true);
    await one.founder.get(callback);
    expect((await one.founder.get('/google/answer')).status).toBe(502);
    await eventually(open, (kinds) => kinds.includes('client_refused'));
  });
});
