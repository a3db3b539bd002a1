import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Budget } from '../../src/deliveries/budget.ts';
import type { SenderResolution } from '../../src/mailboxes/sender.ts';
import type { Database } from '../../src/platform/database.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { leavesWords } from '../../src/web/run-leaves.ts';
import { type Company, company } from '../support/company.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { manyRecords } from '../support/many-records.ts';
import { runForm, startRunOf } from '../support/run-page.ts';
import { deliveriesOf } from '../support/runs.ts';
import { said } from '../support/visitor.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
});

const within = <T>({ tenantId }: Company, work: (trx: Database) => Promise<T>) =>
  inTenant(letterhead.context.db, tenantId, work);
const all = 'kind=invoice&all=1';

/** How nobody knows of an email whether it was sent. */
const doubts = {
  'without an answer': { state: 'sending', held_reason: null },
  unconfirmed: { state: 'unconfirmed', held_reason: null },
  'just found': { state: 'held', held_reason: 'found' },
  'just not found': { state: 'held', held_reason: 'not_found' },
  'after a restore': { state: 'held', held_reason: 'restored' },
} as const;

/** A run of as many, all of them in doubt. */
async function inDoubt(how: keyof typeof doubts, count = 2) {
  const sender = await company(letterhead);
  await within(sender, (trx) => manyRecords(trx, sender.tenantId, count));
  const runId = await startRunOf(sender.founder, all);
  const ids = (await deliveriesOf(letterhead.context, sender, runId)).map(({ id }) => id);
  const now = letterhead.context.clock();
  await within(sender, async (trx) => {
    await trx
      .updateTable('deliveries')
      .set({ ...doubts[how], not_before: new Date(now.getTime() + 3_600_000) })
      .where('id', 'in', ids)
      .execute();
    if (how === 'without an answer')
      for (const id of ids)
        await sql`insert into attempts (tenant_id, delivery_id, number, owner, started_at, deadline, via, outcome, finished_at)
          values (${sender.tenantId}, ${id}, 1, 'gone', ${now}, ${now}, 'message', 'unknown', ${now})`.execute(trx);
  });
  return { sender, runId, ids };
}

describe('a run of which all that is open is in doubt', () => {
  it.each(['without an answer', 'just found', 'just not found'] as const)(
    'is in doubt, and offers no end of what may have left (%s)',
    async (how) => {
      const { sender, runId } = await inDoubt(how);
      const page = await sender.founder.get(`/runs/${runId}`);
      expect(page.text).toContain('data-phase="in_doubt"');
      expect(said(page)).not.toMatch(/not left yet, and never will|Cancel (all|the rest)|held, for the reasons/);
      expect(said(await sender.founder.get('/runs'))).toMatch(/In doubt/);
      await sender.founder.post(`/runs/${runId}/control`, { control: 'cancel' });
      const after = said(await sender.founder.get(`/runs/${runId}`));
      expect(after).toMatch(/Cancelled by [^.]*\. Of 2 emails nobody knows yet whether they were sent\./);
      expect(after).not.toMatch(/not left yet|Nothing of it was sent/);
    },
  );

  it('asks whoever opens it where only a person can tell', async () => {
    const { sender, runId } = await inDoubt('unconfirmed');
    const page = await sender.founder.get(`/runs/${runId}`);
    expect(page.text).toContain('data-phase="needs_you"');
    expect(said(page)).not.toMatch(/never will/);
  });
});

describe('a page that starts a run', () => {
  it.each(Object.keys(doubts) as (keyof typeof doubts)[])(
    'names what is in doubt, and opens its email (%s)',
    async (how) => {
      const { sender, ids } = await inDoubt(how, 1);
      const page = await sender.founder.get(`/runs/new?${all}`);
      expect(said(page)).toMatch(/In doubt since [^:]*:\d\d: nobody knows yet whether it was sent/);
      expect(said(page)).not.toContain('Waits to be sent');
      expect(page.text).toContain(`<a href="/deliveries/${ids[0]}">Open the email</a>`);
    },
  );

  it('says of the record it previews that it was sent lately, and is left out; not where it is ticked', async () => {
    const sender = await company(letterhead);
    const [id = ''] = await within(sender, (trx) => manyRecords(trx, sender.tenantId, 1));
    await startRunOf(sender.founder, all);
    const skipped = /It is left out\. Waits to be sent since [^.]*\. Tick it/;
    expect(said(await sender.founder.get(`/runs/new?${all}`))).toMatch(skipped);
    const form = await runForm(sender.founder, all);
    for (const tick of [{ again: id }, { againAll: '1' }])
      expect(said(await sender.founder.post('/runs/new', { ...form, ...tick }))).not.toMatch(skipped);
  });

  it.each([
    ['paused', {}, /Leaves When office@\S+ is resumed\./],
    ['needs_reconnect', { state_reason: 'revoked' }, /Leaves When office@\S+ /],
  ] as const)('says when it really leaves: its mailbox is %s', async (state, over, words) => {
    const sender = await company(letterhead);
    await within(sender, async (trx) => {
      await manyRecords(trx, sender.tenantId, 1);
      await trx
        .updateTable('mailboxes')
        .set({ state, ...over })
        .where('id', '=', sender.mailboxId)
        .execute();
    });
    const page = said(await sender.founder.post('/runs/confirmation', await runForm(sender.founder, all)));
    expect(page).toMatch(words);
    expect(page).not.toMatch(/Now\.|leave in/);
  });
});

describe('when a run leaves', () => {
  const at = (date: Date) => date.toISOString().slice(11, 16);
  const later = new Date('2026-12-01T20:03:00Z');
  const sender = { mailboxEmail: 'office@brightwater.example' };
  const resolution = (over: object = {}) =>
    ({ ok: true, sender, because: '', ...over }) as unknown as Extract<SenderResolution, { ok: true }>;
  const room = (soon: number, over: number, more: Partial<Budget> = {}): Budget => ({
    ...{ mailboxEmail: sender.mailboxEmail, used: 0, limit: 500, standsStill: null },
    ...{ laterFrom: over > 0 ? later : null, ...more },
    forecast: { soon, later: over, takesMs: soon * 1_210, days: 0 },
  });
  const still = { until: later, reason: 'trouble', everybody: false } as const;
  it.each([
    ['now', {}, 'Now. For 10 seconds you can undo it; after that you can stop what has not left.'],
    ['nothing to undo', { undoSeconds: 0 }, 'Now. You can stop what has not left.'],
    ['a time', { chosen: 'Friday 09:00' }, 'On Friday 09:00. Until then you can cancel it.'],
    [
      'a time, and paused',
      { chosen: 'Friday 09:00', resolution: resolution({ paused: true }) },
      'On Friday 09:00. Until then you can cancel it. Should office@brightwater.example not work by then, it waits until it is resumed.',
    ],
    [
      'paused',
      { resolution: resolution({ paused: true }), opening: later },
      'When office@brightwater.example is resumed. Until then it waits, and you can cancel it.',
    ],
    ['outside the hours', { opening: later }, 'When your sending hours begin, 20:03. Until then you can cancel it.'],
    [
      'its account stands still',
      { budget: room(3, 0, { standsStill: still }) },
      'From 20:03 on. Gmail’s answers got lost; one email at a time tries whether it is over. Until then you can cancel it.',
    ],
    [
      'its day is used up',
      { budget: room(0, 3) },
      'From 20:03 on. The emails of this day are used up. Until then you can cancel it.',
    ],
    [
      'its day is used up on the way',
      { budget: room(2, 3), undoSeconds: 0 },
      '2 now. 3 leave from 20:03 on: the emails of this day are used up then. You can stop what has not left.',
    ],
    [
      'slow',
      { budget: room(600, 0), undoSeconds: 0 },
      'Now. One after the other; the last leaves in about 13 minutes. You can stop what has not left.',
    ],
  ])('%s', (_name, over, words) => {
    const facts = {
      ...{ chosen: null, resolution: resolution(), opening: null, budget: room(3, 0), undoSeconds: 10, ...over },
    };
    const { when, more } = leavesWords(facts, at, 'en-IE');
    expect(`${when} ${more}`).toBe(words);
  });
});
