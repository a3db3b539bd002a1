import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPacer } from '../../src/deliveries/pacer.ts';
import type { HeldReason } from '../../src/deliveries/state.ts';
import { openSwap } from '../../src/mailboxes/from-swaps.ts';
import type { Database } from '../../src/platform/database.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { setSendingRules } from '../../src/tenants/sending-rules.ts';
import { blockAccount } from '../../src/tenants/system-queue.ts';
import { someRows } from '../support/at-length.ts';
import { type Colleague, colleague } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { anotherWorker, deliverNow } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { aDelivery, aPausedRun } from '../support/rows.ts';
import type { Page } from '../support/visitor.ts';

/** Every button that lets emails go, with everything that may hold them still: what it says is what becomes of them. */

const pace = { unitsPerMinute: 6_000, projectUnitsPerMinute: null, inFlight: 5 };
let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, pace, timeStands: true });
});
afterAll(() => letterhead.close());

/** An email of a run, sent by somebody who is not the founder. */
interface Scene {
  readonly one: Company;
  readonly mo: Colleague;
  readonly runId: string;
  readonly id: string;
}

const ahead = (ms: number) => new Date(letterhead.google.clock.now() + ms);
const within = <Result>({ one }: Pick<Scene, 'one'>, work: (trx: Database) => Promise<Result>) =>
  inTenant(letterhead.database.db, one.tenantId, work);
const noticeOf = ({ text }: Page) =>
  /<p class="notice \w+" role="\w+">[\s\S]*?<span>([\s\S]*?)<\/span>/.exec(text)?.[1] ?? '';

async function scene(): Promise<Scene> {
  const one = await company(letterhead);
  const mo = await colleague(letterhead, one, 'Mo');
  const id = await one.send({ memberId: mo.memberId });
  const runId = await within({ one }, async (trx) => {
    const runId = await aPausedRun(trx, one);
    await trx.updateTable('runs').set({ state: 'running' }).where('id', '=', runId).execute();
    await trx.updateTable('deliveries').set({ run_id: runId, lane: 1, any_time: false }).where('id', '=', id).execute();
    return runId;
  });
  return { one, mo, runId, id };
}

const setDelivery = (all: Scene, held: HeldReason) =>
  within(all, (trx) =>
    trx
      .updateTable('deliveries')
      .set({ state: 'held', held_reason: held, state_at: ahead(-60_000), not_before: null })
      .where('id', '=', all.id)
      .execute(),
  );
const setMailbox = (all: Scene, state: 'paused' | 'needs_reconnect') =>
  within(all, (trx) =>
    trx
      .updateTable('mailboxes')
      .set({ state, ...(state === 'needs_reconnect' && { state_reason: 'revoked', state_sure: false }) })
      .execute(),
  );
const setRun = (all: Scene, state: 'paused' | 'running') =>
  within(all, (trx) => trx.updateTable('runs').set({ state }).where('id', '=', all.runId).execute());
const setRole = ({ mo, one }: Scene, role: 'viewer' | 'member') =>
  within({ one }, (trx) => trx.updateTable('members').set({ role }).where('id', '=', mo.memberId).execute());
const swap = ({ one, id }: Scene) =>
  within({ one }, async (trx) => {
    const at = ahead(-60_000);
    const swapped = { mailboxId: one.mailboxId, email: one.account, sentFrom: 'x@else.example', deliveryId: id, at };
    await openSwap(trx, one.tenantId, swapped, at);
  });
/** Open on no day but tomorrow. */
const closed = ({ one }: Scene) =>
  within({ one }, (trx) => {
    const days = [(new Date(letterhead.google.clock.now()).getUTCDay() + 1) % 7 || 7];
    const hours = { days, from: '08:00', to: '18:00', holidays: [] };
    return setSendingRules(trx, one.tenantId, { undoSeconds: 0, hours });
  });
const sentBefore = ({ one }: Scene, limit: number | null) =>
  within({ one }, async (trx) => {
    const { account } = await trx.selectFrom('mailboxes').select('account').executeTakeFirstOrThrow();
    const before = await aDelivery(trx, one.tenantId, one.memberId, 'sent', one.mailboxId);
    await trx
      .updateTable('deliveries')
      .set({ account, sent_at: ahead(-3_600_000) })
      .where('id', '=', before)
      .execute();
    await trx.updateTable('mailboxes').set({ daily_limit: limit }).execute();
    return account;
  });

/** A button: how its email stands before, and what is pressed. */
interface Button {
  readonly before: (all: Scene) => Promise<unknown>;
  readonly press: (all: Scene) => Promise<Page>;
  /** What cannot stand in its way, or is what it ends. */
  readonly never?: readonly string[];
  /** A person says of this very email that it leaves now: hours and runs do not stop it. */
  readonly byWord?: true;
}

const posted = async ({ one }: Scene, path: string, form: Record<string, string> = {}) => {
  const page = await one.founder.post(path, form);
  expect([page.status, path]).toEqual([303, path]);
  return one.founder.get(page.location ?? '/');
};
const ofMailbox = { never: ['its mailbox'] };
const buttons: Readonly<Record<string, Button>> = {
  'Resume on the mailbox': {
    before: async (all) => [await setDelivery(all, 'mailbox_paused'), await setMailbox(all, 'paused')],
    press: (all) => posted(all, `/mailboxes/${all.one.mailboxId}/resumption`),
    ...ofMailbox,
  },
  'Check now': {
    before: async (all) => [
      await setDelivery(all, 'mailbox_needs_reconnect'),
      await setMailbox(all, 'needs_reconnect'),
    ],
    press: (all) => posted(all, `/mailboxes/${all.one.mailboxId}/recheck`),
    ...ofMailbox,
  },
  Reconnect: {
    before: async (all) => [
      await setDelivery(all, 'mailbox_needs_reconnect'),
      await setMailbox(all, 'needs_reconnect'),
    ],
    press: ({ one }) => one.founder.connect(one.account, { mailboxId: one.mailboxId }),
    ...ofMailbox,
  },
  'Send now on the list of what waits': {
    before: (all) => setDelivery(all, 'waited_too_long'),
    press: (all) =>
      posted(all, `/mailboxes/${all.one.mailboxId}/waiting`, {
        decision: 'send_now',
        heldUntil: ahead(0).toISOString(),
      }),
    // It asks for the mailbox to be connected first.
    never: ['its mailbox', 'the sending hours'],
    byWord: true,
  },
  'Go on from an address': {
    before: async (all) => [await setDelivery(all, 'from_changed'), await swap(all)],
    press: (all) => posted(all, `/mailboxes/${all.one.mailboxId}/from-go-on`, { email: all.one.account }),
    never: ['its address'],
  },
  'Send now on the email': {
    before: (all) => setDelivery(all, 'not_sent'),
    press: (all) => posted(all, `/deliveries/${all.id}/decision`, { decision: 'send_now' }),
    byWord: true,
  },
  'Send now of ticked ones in Activity': {
    before: (all) => setDelivery(all, 'not_sent'),
    press: (all) => posted(all, '/activity/decisions', { decision: 'send_now', which: 'ticked', id: all.id }),
    byWord: true,
  },
  'Send all now in Activity': {
    before: (all) => setDelivery(all, 'not_sent'),
    press: (all) => posted(all, '/activity/decisions', { decision: 'send_now', which: 'all', why: 'held' }),
    byWord: true,
  },
  'Resume on the run': {
    before: async (all) => [await setDelivery(all, 'run_paused'), await setRun(all, 'paused')],
    press: (all) => posted(all, `/runs/${all.runId}/control`, { control: 'resume' }),
    never: ['its run'],
  },
  'Send now on a run that was scheduled': {
    before: (all) => setDelivery(all, 'scheduled'),
    press: (all) => posted(all, `/runs/${all.runId}/control`, { control: 'send_now' }),
    never: ['its run', 'the sending hours'],
  },
  'Send again on a run': {
    before: (all) =>
      within(all, (trx) => trx.updateTable('deliveries').set({ state: 'failed' }).where('id', '=', all.id).execute()),
    press: (all) => posted(all, `/runs/${all.runId}/resends`, { which: 'failed' }),
    // It is sent by whoever presses, from what their rule says: nothing is written where that is refused.
    never: ['its run', 'its address', 'the right to send'],
  },
  'no sending hours any more': {
    before: async (all) => [await setDelivery(all, 'outside_hours'), await closed(all)],
    press: (all) => posted(all, '/settings/sending', { when: 'any', undoSeconds: '0' }),
    never: ['the sending hours'],
  },
  'a role that sends': {
    before: async (all) => [await setDelivery(all, 'not_allowed'), await setRole(all, 'viewer')],
    press: (all) => posted(all, `/settings/members/${all.mo.memberId}/role`, { role: 'member' }),
    never: ['the right to send'],
  },
  'everybody may use the mailbox': {
    before: (all) => setDelivery(all, 'not_allowed'),
    press: (all) => posted(all, `/mailboxes/${all.one.mailboxId}/access`, { access: 'everybody' }),
    never: ['the right to send'],
  },
  'a higher limit for a day': {
    // A round of the pacer has written down that the day is used up.
    before: async (all) => [await sentBefore(all, 1), await createPacer(anotherWorker(letterhead)).tick()],
    press: (all) => posted(all, `/mailboxes/${all.one.mailboxId}/daily-limit`, { limit: '3' }),
    never: ['the limit of a day', 'others before it'],
  },
};

/** What may hold it still, and what is said of that. */
const holds: Readonly<
  Record<string, { readonly put: (all: Scene) => Promise<unknown>; readonly said: RegExp; readonly byRun?: true }>
> = {
  nothing: { put: async () => {}, said: /1 email is going out now\./ },
  'the sending hours': { put: closed, said: /leaves .*\d\d:00: it waits for your sending hours\./ },
  'the limit of a day': {
    put: (all) => sentBefore(all, 1),
    said: /leaves .*: the emails that this account may send in one day are used up\./,
  },
  'Gmail’s own limit': {
    put: async (all) =>
      blockAccount(letterhead.database.system, await sentBefore(all, null), ahead(5 * 3_600_000), 'sending_limit'),
    said: /leaves .*: Gmail says that this account’s limit for one day is used up\./,
  },
  'others before it': {
    put: async (all) => {
      const { one } = all;
      const account = await sentBefore(all, null);
      await within(all, async (trx) => {
        for (let count = 0; count < 120; count += 1) {
          const id = await aDelivery(trx, one.tenantId, one.memberId, 'queued', one.mailboxId);
          await trx
            .updateTable('deliveries')
            .set({ account, from_email: one.account, any_time: true, created_at: ahead(-3_600_000) })
            .where('id', '=', id)
            .execute();
        }
      });
    },
    said: /leaves in about \d+ minutes: others go first\./,
  },
  'its run': { put: (all) => setRun(all, 'paused'), said: /1 email still waits: its run is paused\./, byRun: true },
  'its mailbox': { put: (all) => setMailbox(all, 'paused'), said: /still waits: .* is paused: nothing leaves until/ },
  'its address': { put: swap, said: /still waits: .*x@else\.example/ },
  'the right to send': { put: (all) => setRole(all, 'viewer'), said: /still waits: .*Mo/ },
};

/** Whether it leaves now: the pacer takes it, and a worker sends it. */
async function leaves(all: Scene): Promise<boolean> {
  await createPacer(anotherWorker(letterhead)).tick();
  const { one, id } = all;
  const row = await within(all, (trx) =>
    trx.selectFrom('deliveries').select(['replaced_by']).where('id', '=', id).executeTakeFirstOrThrow(),
  );
  const last = row.replaced_by ?? id;
  const { released_at } = await within(all, (trx) =>
    trx.selectFrom('deliveries').select('released_at').where('id', '=', last).executeTakeFirstOrThrow(),
  );
  if (released_at) await deliverNow(letterhead, one, last);
  return (await one.delivery(last)).state === 'sent';
}

const cells = Object.entries(buttons).flatMap(([button, { never = [] }]) =>
  Object.keys(holds)
    .filter((hold) => !never.includes(hold))
    .map((hold) => [button, hold] as const),
);

describe('what a button says of the emails that it lets go is what becomes of them', () => {
  it.each(someRows(cells))('%s, and what holds them still: %s', async (button, hold) => {
    const { before, press, byWord } = buttons[button] ?? expect.fail(button);
    const { put, said, byRun } = holds[hold] ?? expect.fail(hold);
    const all = await scene();
    await before(all);
    await put(all);
    const notice = noticeOf(await press(all));
    const goes = await leaves(all);
    const overruled = byWord && (byRun || hold === 'the sending hours');
    const told = overruled ? /1 email is going out now\./ : said;
    expect(goes).toBe(hold === 'nothing' || overruled === true);
    // The page of one email shows it leave, and says nothing besides.
    if (goes && button === 'Send now on the email') expect(notice).toBe('');
    else expect(notice).toMatch(told);
    if (!goes) expect(notice).not.toMatch(/going out now\./);
  });

  it('of many it says how many leave now and of the rest why not, each reason once', async () => {
    const all = await scene();
    const { one, runId } = all;
    const ids = [all.id, await one.send(), await one.send(), await one.send(), await one.send()];
    await within(all, async (trx) => {
      await trx.updateTable('deliveries').set({ run_id: runId, lane: 1 }).where('id', 'in', ids.slice(0, 2)).execute();
      await trx.updateTable('deliveries').set({ state: 'held', held_reason: 'mailbox_paused' }).execute();
    });
    await setRun(all, 'paused');
    await setMailbox(all, 'paused');
    await sentBefore(all, 3);
    expect(noticeOf(await posted(all, `/mailboxes/${one.mailboxId}/resumption`))).toMatch(
      /is resumed\. 2 emails are going out now\. 1 leaves .*used up\. 2 still wait: their run is paused\.$/,
    );
  });
});
