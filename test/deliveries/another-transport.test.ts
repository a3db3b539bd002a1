import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/transport/outcome.ts';
import type { SendResult } from '../../src/transport/transport.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';
import { plainProvider } from '../support/plain-transport.ts';

/*
 * The engine over a transport that only sends: no drafts, no look, no read-back, no list of addresses. What it promises it
 * promises here as well, and Gmail is never asked.
 */

const plain = plainProvider();
let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ timeStands: true, transports: { gmail: () => plain.transport } });
});
afterAll(() => letterhead.close());

const inAMinute = () => new Date(letterhead.context.clock().getTime() + 60_000);
const refused = (outcome: Outcome): SendResult => ({
  ...{ kind: 'failed', outcome },
  failure: { kind: 'answered', status: 450, reason: '4.2.1', message: 'not now' },
});
const times = (id: string) => plain.accepted().filter((each) => each === id).length;

describe('through a transport that only sends', () => {
  // Whatever the mailbox was permitted, with the plain transport there is nothing to look with.
  it.each([
    ['no further permission', ['send']],
    ['drafts and looks, which this transport cannot use', ['send', 'safe_retry', 'tracking']],
  ] as const)('an email leaves once, with %s', async (_what, capabilities) => {
    const sender = await permittedSender(letterhead, [...capabilities]);
    const id = await sender.send();
    expect(await sender.reaches(id, 'sent')).toMatchObject({ attempts: [{ outcome: 'sent' }] });
    expect(times(id)).toBe(1);
  });

  it('what it refuses for now is tried again at the time that it named', async () => {
    const sender = await permittedSender(letterhead, ['send']);
    const at = inAMinute();
    plain.answer(refused({ kind: 'retry', at, newPermit: true, slowDown: true, words: 'Slower, please.' }));
    const id = await sender.send();
    const { attempts, sentAt } = await sender.reaches(id, 'sent', 'failed');
    expect(attempts).toMatchObject([
      { outcome: 'sent' },
      { outcome: 'refused_retry', httpStatus: 450, reason: '4.2.1' },
    ]);
    expect(sentAt?.getTime()).toBeGreaterThanOrEqual(at.getTime());
    expect(times(id)).toBe(1);
  });

  it('what it refuses for good fails, and what it holds waits for a person', async () => {
    const sender = await permittedSender(letterhead, ['send']);
    plain.answer(refused({ kind: 'refuse', words: 'Never.' }));
    const never = await sender.send();
    expect(await sender.reaches(never, 'sent', 'failed')).toMatchObject({ state: 'failed', lastDetail: 'Never.' });
    const until = inAMinute();
    plain.answer(refused({ kind: 'hold', reason: 'sending_limit', until, reconnect: null, words: 'Enough for now.' }));
    const waits = await sender.send();
    expect((await sender.reaches(waits, 'sent')).attempts).toHaveLength(2);
    expect([times(never), times(waits)]).toEqual([0, 1]);
  });

  it.each([
    ['did nothing', 'says nothing', 0],
    ['accepted it all the same', 'accepts and says nothing', 1],
  ] as const)(
    'no answer, and it %s: nothing is sent a second time, and a person is asked',
    async (_what, answer, accepted) => {
      const sender = await permittedSender(letterhead, ['send', 'safe_retry', 'tracking']);
      plain.answer(answer);
      const id = await sender.send();
      expect((await sender.reaches(id, 'unconfirmed')).attempts).toHaveLength(1);
      expect(times(id)).toBe(accepted);
    },
  );

  it('without a permit for now it is held, says why, and leaves by itself later', async () => {
    const sender = await permittedSender(letterhead, ['send']);
    plain.refuse({ kind: 'later', words: 'Its server is away.', seconds: 30 });
    const id = await sender.send();
    expect(await sender.reaches(id, 'held')).toMatchObject({
      heldReason: 'operator',
      lastDetail: 'Its server is away.',
    });
    plain.refuse(null);
    await sender.reaches(id, 'sent');
    expect(times(id)).toBe(1);
  });

  it('asks Gmail for nothing', () => {
    expect(letterhead.google.truth.calls('messages.send')).toBe(0);
    expect(letterhead.google.truth.calls('drafts.create')).toBe(0);
    expect(letterhead.google.truth.accepted()).toEqual([]);
  });
});
