import type { FaultEffect } from 'local-google';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { afterDelivery } from '../../src/deliveries/after.ts';
import { decide } from '../../src/deliveries/decide.ts';
import type { Capability } from '../../src/platform/capability.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import type { Sender } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { untilAllIsSaid } from '../support/fault-table.ts';
import { anotherWorker } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ timeStands: true });
});
afterAll(() => letterhead.close());

const byDraft: Capability[] = ['send', 'safe_retry'];
const both: Capability[] = ['send', 'safe_retry', 'tracking'];
const lostBefore: FaultEffect = { kind: 'drop', when: 'before' };
const lostAfter: FaultEffect = { kind: 'drop', when: 'after' };
const slowDown: FaultEffect = { kind: 'tooMany', limit: 'rate' };

/** Lets one call of the first attempt go wrong, and waits until that attempt is over; the next one comes when time does. */
async function begun(
  capabilities: Capability[],
  method: string,
  effect: FaultEffect,
  prepare: (sender: Sender) => void = () => {},
) {
  const sender = await permittedSender(letterhead, capabilities);
  prepare(sender);
  const fault = letterhead.google.faults.add({ method, account: sender.account, effect });
  const id = await sender.send();
  const { attempts } = await eventually(
    () => sender.delivery(id),
    ({ attempts }) => attempts[0]?.outcome != null,
  );
  if (fault.fired !== 1 || attempts.length !== 1)
    throw new Error(`Another thing went wrong: ${JSON.stringify(attempts)}`);
  return { sender, id };
}
const draftsOf = ({ account }: Sender) => letterhead.google.drafts.ids(account);
const onlyDraftOf = (sender: Sender) => {
  const [id, ...more] = draftsOf(sender);
  if (id === undefined || more.length > 0) throw new Error(`There is not one draft, but ${more.length}.`);
  return id;
};
const edit = (sender: Sender) => {
  const draft = onlyDraftOf(sender);
  const raw = letterhead.google.drafts.raw(sender.account, draft).toString('latin1');
  letterhead.google.drafts.edit(sender.account, draft, raw.replaceAll('Here it is.', 'Here it is!'));
};
const discard = (sender: Sender) => letterhead.google.drafts.discard(sender.account, onlyDraftOf(sender));
/** As a person presses Send on it in Gmail. */
const sendByHand = async (sender: Sender) => {
  const { token } = await letterhead.context.tokens.of(sender.tenantId, sender.mailboxId);
  const response = await fetch(`${letterhead.google.url}/gmail/v1/users/me/drafts/send`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ id: onlyDraftOf(sender) }),
  });
  expect(response.status).toBe(200);
};
const press = ({ tenantId, memberId }: Sender, id: string, decision: 'send_now' | 'send_again' | 'cancel') =>
  inTenant(letterhead.database.db, tenantId, (trx) =>
    decide(letterhead.context, trx, tenantId, [id], decision, memberId),
  );
/** What left, as Gmail keeps it. */
const sentText = (sender: Sender, id: string) => {
  const [sent] = sender.accepted(id);
  const copy = letterhead.google.mail.messages(sender.account).find((each) => each.id === sent?.id);
  return copy && letterhead.google.mail.raw(copy).toString();
};
/** Clears up after it as the worker does, which may not have come to it yet. */
const clearedUp = ({ tenantId }: Sender, deliveryId: string) =>
  afterDelivery(anotherWorker(letterhead), { tenantId, deliveryId });
const afterAllIsSaid = async (sender: Sender, id: string) => {
  await untilAllIsSaid(letterhead);
  const { state, heldReason } = await sender.delivery(id);
  return { state, heldReason, accepted: sender.accepted(id).length };
};

describe('a draft that somebody changed in Gmail', () => {
  it.each<[string, string, FaultEffect]>([
    ['while nobody knows whether it was sent', 'drafts.send', lostBefore],
    ['while Gmail has us wait', 'drafts.send', slowDown],
  ])('is not sent, and is left to them: %s', async (_when, method, effect) => {
    const { sender, id } = await begun(both, method, effect);
    edit(sender);
    expect(await afterAllIsSaid(sender, id)).toEqual({ state: 'held', heldReason: 'draft_edited', accepted: 0 });

    await press(sender, id, 'send_now');
    expect(await afterAllIsSaid(sender, id)).toMatchObject({ state: 'sent', accepted: 1 });
    expect(sentText(sender, id)).toContain('Here it is.');
    await clearedUp(sender, id);
    expect(letterhead.google.drafts.raw(sender.account, onlyDraftOf(sender)).toString()).toContain('Here it is!');
  });

  it('is not sent either where we never heard that it had been made', async () => {
    const { sender, id } = await begun(byDraft, 'drafts.create', lostAfter);
    // Too late for the attempt that made it; what waits for its retry is held up, so that we find it so.
    letterhead.google.clock.forward(200_000);
    edit(sender);
    const { state, heldReason } = await sender.reaches(id, 'held', 'sent');
    expect([state, heldReason, sender.accepted(id).length]).toEqual(['held', 'draft_edited', 0]);

    await press(sender, id, 'send_now');
    expect(await afterAllIsSaid(sender, id)).toMatchObject({ state: 'sent', accepted: 1 });
    expect(sentText(sender, id)).toContain('Here it is.');
    await clearedUp(sender, id);
    expect(letterhead.google.drafts.raw(sender.account, onlyDraftOf(sender)).toString()).toContain('Here it is!');
  });
});

describe('a draft that somebody deleted in Gmail', () => {
  it.each<[string, FaultEffect]>([
    ['while nobody knows whether it was sent', lostBefore],
    ['while Gmail has us wait', slowDown],
  ])('is not made again: with tracking it is held (%s)', async (_when, effect) => {
    const { sender, id } = await begun(both, 'drafts.send', effect);
    discard(sender);
    expect(await afterAllIsSaid(sender, id)).toEqual({ state: 'held', heldReason: 'draft_deleted', accepted: 0 });
    await press(sender, id, 'send_now');
    expect(await afterAllIsSaid(sender, id)).toMatchObject({ state: 'sent', accepted: 1 });
  });

  it.each<[string, FaultEffect]>([
    ['while nobody knows whether it was sent', lostBefore],
    ['while Gmail has us wait', slowDown],
  ])('is not made again: without tracking a person is asked (%s)', async (_when, effect) => {
    const { sender, id } = await begun(byDraft, 'drafts.send', effect);
    discard(sender);
    expect(await afterAllIsSaid(sender, id)).toMatchObject({ state: 'unconfirmed', accepted: 0 });
    await press(sender, id, 'send_again');
    expect(await afterAllIsSaid(sender, id)).toMatchObject({ state: 'sent', accepted: 1 });
  });
});

describe('a draft that somebody sent from Gmail by hand', () => {
  it.each<[string, Capability[], string]>([
    ['with tracking it counts as sent', both, 'sent'],
    ['without tracking a person is asked', byDraft, 'unconfirmed'],
  ])('is not sent a second time: %s', async (_what, capabilities, state) => {
    const { sender, id } = await begun(capabilities, 'drafts.send', slowDown);
    await sendByHand(sender);
    expect(await afterAllIsSaid(sender, id)).toMatchObject({ state, accepted: 1 });
  });
});

describe('a draft whose making was not answered', () => {
  it('is found by its header, and no second one is made', async () => {
    letterhead.google.truth.resetCalls();
    const { sender, id } = await begun(byDraft, 'drafts.create', lostAfter);
    expect(await afterAllIsSaid(sender, id)).toMatchObject({ state: 'sent', accepted: 1 });
    expect(letterhead.google.truth.calls('drafts.create')).toBe(1);
    expect(draftsOf(sender)).toEqual([]);
  });
});

describe('what is left in the mailbox', () => {
  const invalidTo: FaultEffect = { kind: 'invalidTo' };

  it('of an email that Gmail refused for good is removed', async () => {
    const unavailable = { kind: 'serverError', status: 503, when: 'before' } as const;
    // It is removed at once, by another worker: so that we find it, Gmail lets nobody list drafts until we have looked.
    const { faults } = letterhead.google;
    const { sender, id } = await begun(byDraft, 'drafts.send', invalidTo, ({ account }) => {
      faults.add({ method: 'drafts.list', account, every: 1, effect: unavailable });
    });
    expect(draftsOf(sender)).toHaveLength(1);
    faults.clear();
    await eventually(
      () => draftsOf(sender),
      (ids) => ids.length === 0,
      letterhead.time,
    );
    expect((await sender.delivery(id)).state).toBe('failed');
  });

  it.each<[string, string, FaultEffect]>([
    ['whose id we know', 'drafts.send', slowDown],
    ['whose id we never heard', 'drafts.create', lostAfter],
  ])('of an email that was cancelled is removed: a draft %s', async (_which, method, effect) => {
    const { sender, id } = await begun(byDraft, method, effect);
    expect(draftsOf(sender)).toHaveLength(1);
    expect(await press(sender, id, 'cancel')).toEqual([id]);
    await eventually(
      () => draftsOf(sender),
      (ids) => ids.length === 0,
      letterhead.time,
    );
    expect(sender.accepted(id)).toEqual([]);
  });

  it('is removed when Gmail lets us, and what somebody changed is never removed', async () => {
    const { sender, id } = await begun(byDraft, 'drafts.send', slowDown);
    letterhead.google.faults.add({
      ...{ method: 'drafts.list', account: sender.account, times: 5 },
      effect: { kind: 'serverError', status: 503, when: 'before' },
    });
    await press(sender, id, 'cancel');
    await eventually(
      () => draftsOf(sender),
      (ids) => ids.length === 0,
      letterhead.time,
    );

    const other = await begun(byDraft, 'drafts.send', slowDown);
    edit(other.sender);
    expect(await afterAllIsSaid(other.sender, other.id)).toMatchObject({ heldReason: 'draft_edited' });
    await press(other.sender, other.id, 'cancel');
    await untilAllIsSaid(letterhead);
    expect(draftsOf(other.sender)).toHaveLength(1);
  });
});
