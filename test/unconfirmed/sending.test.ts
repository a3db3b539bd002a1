import type { QuotaSettings, Unconfirmed } from 'local-google';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Capability } from '../../src/platform/capability.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import type { Sender } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { untilAllIsSaid } from '../support/fault-table.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';
import { received } from '../support/received.ts';

const tracked: Capability[] = ['send', 'tracking'];
const all: Capability[] = ['send', 'safe_retry', 'tracking'];
const mira = 'mira@northgate.example';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead();
});
afterEach(() => {
  letterhead.google.policies.setUnconfirmed({ dateHeader: 'kept', searchLagMs: 180_000 });
  letterhead.google.quotas.clear();
  letterhead.google.faults.clear();
});
afterAll(() => letterhead.close());

const google = (outcomes: Partial<Unconfirmed>) => letterhead.google.policies.setUnconfirmed(outcomes);

/** Has the answer to a send lost after Gmail did the work, and waits for what the product makes of it. */
async function lostAnswer(sender: Sender, method: string) {
  const lost = { method, account: sender.account, effect: { kind: 'drop', when: 'after' } } as const;
  letterhead.google.faults.add(lost);
  const id = await sender.send();
  await eventually(
    () => sender.delivery(id),
    ({ attempts }) => attempts[0]?.outcome != null,
  );
  await untilAllIsSaid(letterhead);
  const delivery = await sender.delivery(id);
  return { delivery, accepted: sender.accepted(id) };
}

describe.each(['kept', 'replaced'] as const)('where the Date that we write is %s', (dateHeader) => {
  it('an email leaves, and Gmail’s time is what counts', async () => {
    google({ dateHeader });
    const sender = await permittedSender(letterhead, all);
    const before = letterhead.google.clock.now();
    const id = await sender.send();
    const sent = await sender.reaches(id, 'sent');
    const [mail] = await received(letterhead.google, mira, id);
    const date = new Date(mail?.date ?? '').getTime();
    // To the second, as the header has it.
    expect(date).toBeGreaterThanOrEqual(before - 1_000);
    expect(date).toBeLessThanOrEqual(sent.sentAt?.getTime() ?? 0);
    expect(sender.accepted(id)).toHaveLength(1);
  });

  it.each([
    ['as a message', tracked, 'messages.send'],
    ['by draft', all, 'drafts.send'],
    ['by a draft whose making was not answered', all, 'drafts.create'],
  ] as const)('one whose answer was lost is found, and not sent twice: %s', async (_how, capabilities, method) => {
    google({ dateHeader });
    const sender = await permittedSender(letterhead, capabilities);
    // Hours after others, so that a look by the wrong time would end too early or too late.
    await sender.reaches(await sender.send(), 'sent');
    letterhead.google.clock.forward(3 * 3_600_000);
    const { delivery, accepted } = await lostAnswer(sender, method);
    expect(delivery.state).toBe('sent');
    expect(accepted).toMatchObject([{ id: delivery.providerMessageId }]);
  });
});

describe.each([0, 180_000, 3_600_000])('where Gmail’s search lags behind by %i ms', (searchLagMs) => {
  it.each([
    ['a message', tracked, 'messages.send'],
    ['a sent draft', all, 'drafts.send'],
    ['a draft that is there', all, 'drafts.create'],
  ] as const)('what was not answered is found all the same: %s', async (_what, capabilities, method) => {
    google({ searchLagMs });
    const sender = await permittedSender(letterhead, capabilities);
    const { delivery, accepted } = await lostAnswer(sender, method);
    expect(delivery.state).toBe('sent');
    expect(accepted).toHaveLength(1);
    expect(letterhead.google.drafts.ids(sender.account)).toEqual([]);
  });
});

describe.each([100, 500])('where Gmail takes %i recipients in one message', (recipientsPerMessage) => {
  const people = (count: number) => ({
    to: Array.from({ length: count }, (_, number) => ({ name: '', email: `to${number}@elsewhere.example` })),
    cc: [],
    bcc: [],
  });

  it.each([tracked, all])('the most that we allow, a hundred, go out with %j', async (...capabilities) => {
    letterhead.google.quotas.set({ recipientsPerMessage });
    const sender = await permittedSender(letterhead, capabilities);
    const id = await sender.send({ recipients: people(100) });
    await sender.reaches(id, 'sent');
    expect(sender.accepted(id)[0]?.recipients).toHaveLength(100);
  });
});

describe.each<Partial<QuotaSettings>>([
  { userAnswer: 'retryAfter' },
  { userAnswer: '429' },
  { userAnswer: '403' },
  { userAnswer: 'details' },
  { userAnswer: '429', refusedCallsCount: true },
  { userAnswer: '403', refusedCallsCount: true },
])('where Gmail says of the rate: %j', (answers) => {
  it('it is waited for, and each email goes out once', async () => {
    const sender = await permittedSender(letterhead, ['send']);
    letterhead.google.quotas.set({ userUnitsPerMinute: 200, ...answers });
    const ids = [await sender.send(), await sender.send(), await sender.send(), await sender.send()];
    const refused = () => letterhead.google.truth.methods()['messages.send']?.answers ?? {};
    await untilAllIsSaid(letterhead);
    for (const id of ids) {
      expect((await sender.delivery(id)).state).toBe('sent');
      expect(sender.accepted(id)).toHaveLength(1);
    }
    expect((refused()['403'] ?? 0) + (refused()['429'] ?? 0)).toBeGreaterThan(0);
  });
});

describe.each(['403', '429', 'details'] as const)('where Gmail says of the project’s quota: %s', (projectAnswer) => {
  it('no mailbox is told to connect again, and each email goes out once', async () => {
    const sender = await permittedSender(letterhead, ['send']);
    letterhead.google.quotas.set({ projectUnitsPerMinute: 200, projectAnswer });
    const ids = [await sender.send(), await sender.send(), await sender.send()];
    await untilAllIsSaid(letterhead);
    for (const id of ids) {
      expect((await sender.delivery(id)).state).toBe('sent');
      expect(sender.accepted(id)).toHaveLength(1);
    }
    expect(await stateOf(sender)).toBe('active');
  });
});

describe.each(['refuse', 'bounce'] as const)('over the sending limit, where Gmail is to %s', (overSendingLimit) => {
  it('nothing leaves twice, and no mailbox is told to connect again', async () => {
    const sender = await permittedSender(letterhead, tracked);
    letterhead.google.quotas.set({ messagesPerDay: 1, overSendingLimit });
    // Of two on their way at the same time the later one may come first, and then the earlier one is over the limit.
    const onItsWay = letterhead.google.faults.add({
      ...{ method: 'messages.send', account: sender.account, effect: { kind: 'slow', ms: 600_000 } },
    });
    const earlier = await sender.send();
    await eventually(
      () => onItsWay.fired,
      (fired) => fired === 1,
    );
    const later = await sender.send();
    await sender.reaches(later, 'sent');
    letterhead.google.faults.remove(onItsWay.id);
    const over = await sender.reaches(earlier, 'held', 'sent');
    expect([over.state, over.heldReason]).toEqual(
      overSendingLimit === 'refuse' ? ['held', 'sending_limit'] : ['sent', null],
    );
    expect(await stateOf(sender)).toBe('active');
    letterhead.google.clock.forward(25 * 3_600_000);
    await sender.reaches(earlier, 'sent');
    for (const id of [earlier, later]) expect(sender.accepted(id)).toHaveLength(1);
  });
});

function stateOf({ tenantId, mailboxId }: Sender): Promise<string> {
  return inTenant(letterhead.database.db, tenantId, async (trx) => {
    const { state } = await trx
      .selectFrom('mailboxes')
      .select('state')
      .where('id', '=', mailboxId)
      .executeTakeFirstOrThrow();
    return state;
  });
}
