import type { FaultEffect } from 'local-google';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Company, company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ timeStands: true });
});
afterAll(() => letterhead.close());

/** Lets one send go wrong, and moves the clock on until a person is asked. */
async function goneWrong(sender: Company, effect: FaultEffect) {
  const { clock, faults } = letterhead.google;
  const fault = faults.add({ method: 'messages.send', account: sender.account, effect });
  const id = await sender.send();
  await eventually(
    () => fault.fired,
    (fired) => fired === 1,
  );
  // An answer that never comes is waited for until the attempt's deadline.
  if (effect.kind === 'hang') clock.forward(letterhead.config.sendDeadlineMs);
  const waiting = await eventually(
    () => sender.delivery(id),
    ({ attempts }) => attempts[0]?.outcome === 'unknown',
  );
  clock.forward(letterhead.config.sendDeadlineMs + letterhead.config.settleMs);
  return { id, waiting, unconfirmed: await sender.reaches(id, 'unconfirmed') };
}

/** What goes wrong, and how many emails Google really accepted. */
const troubles: [what: string, effect: FaultEffect, accepted: number][] = [
  ['the connection breaks before Gmail reads it', { kind: 'drop', when: 'before' }, 0],
  ['the connection breaks after Gmail accepted it', { kind: 'drop', when: 'after' }, 1],
  ['Gmail answers 503 and did nothing', { kind: 'serverError', status: 503, when: 'before' }, 0],
  ['Gmail answers 503 and did it all the same', { kind: 'serverError', status: 503, when: 'after' }, 1],
  ['Gmail answers 500 and did it all the same', { kind: 'serverError', status: 500, when: 'after' }, 1],
  ['Gmail never answers and did nothing', { kind: 'hang', when: 'before' }, 0],
  ['Gmail never answers and did it all the same', { kind: 'hang', when: 'after' }, 1],
];

describe('what nobody saw arrive', () => {
  describe('when nobody knows whether it was sent', () => {
    it.each(troubles)('it is never sent a second time, and a person is asked: %s', async (_what, effect, accepted) => {
      const sender = await company(letterhead);
      const { id, waiting, unconfirmed } = await goneWrong(sender, effect);
      expect(waiting.state).toBe('sending');
      const [attempt] = unconfirmed.attempts;
      // Not before the deadline and the settle time: the request might still be inside Google.
      const { sendDeadlineMs, settleMs } = letterhead.config;
      const earliest = (attempt?.startedAt.getTime() ?? 0) + sendDeadlineMs + settleMs;
      expect(waiting.notBefore?.getTime()).toBeGreaterThanOrEqual(earliest);
      expect(unconfirmed.stateAt.getTime()).toBeGreaterThanOrEqual(earliest);
      expect(unconfirmed.attempts).toHaveLength(1);
      expect(sender.accepted(id)).toHaveLength(accepted);
    });
  });

  describe('the person who looked in Gmail', () => {
    it('lets it be sent again, once, however often the button is pressed', async () => {
      const sender = await company(letterhead);
      const { id } = await goneWrong(sender, { kind: 'drop', when: 'before' });
      const press = () => sender.founder.post(`/deliveries/${id}/decision`, { decision: 'send_again' });
      await Promise.all([press(), press(), press()]);
      const sent = await sender.reaches(id, 'sent');
      expect(sent.attempts).toHaveLength(2);
      expect(sender.accepted(id)).toHaveLength(1);
      await press();
      expect((await sender.delivery(id)).state).toBe('sent');
    });

    it('marks it as sent, and it is not sent again', async () => {
      const sender = await company(letterhead);
      const { id } = await goneWrong(sender, { kind: 'drop', when: 'after' });
      await sender.founder.post(`/deliveries/${id}/decision`, { decision: 'mark_as_sent' });
      expect(await sender.delivery(id)).toMatchObject({ state: 'held', heldReason: 'found' });
      const sent = await sender.reaches(id, 'sent');
      expect(sent.sentAt).not.toBeNull();
      expect(sent.events[0]).toMatchObject({
        state: 'sent',
        memberName: `Company ${sender.account.match(/\d+/)?.[0]}`,
      });
      await sender.founder.post(`/deliveries/${id}/decision`, { decision: 'send_again' });
      expect((await sender.delivery(id)).state).toBe('sent');
      expect(sender.accepted(id)).toHaveLength(1);
    });

    it.each(['send_again', 'mark_as_sent'])('may undo %s for a minute, and is asked again', async (decision) => {
      const sender = await company(letterhead);
      const { id } = await goneWrong(sender, { kind: 'drop', when: 'before' });
      const decide = (word: string) => sender.founder.post(`/deliveries/${id}/decision`, { decision: word });
      await decide(decision);
      await decide('take_back');
      const { state, heldReason, attempts, events } = await sender.delivery(id);
      expect([state, heldReason, attempts.length, sender.accepted(id).length]).toEqual(['unconfirmed', null, 1, 0]);
      expect(events[0]).toMatchObject({ detail: 'The answer was undone.', memberName: expect.any(String) });
      // It can be answered otherwise then.
      await decide('send_again');
      await sender.reaches(id, 'sent');
      expect(sender.accepted(id)).toHaveLength(1);
      await decide('take_back');
      expect((await sender.delivery(id)).state).toBe('sent');
    });
  });
});
