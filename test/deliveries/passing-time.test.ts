import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ timeStands: true });
});
afterAll(() => letterhead.close());

const slow = (account: string, ms: number) =>
  letterhead.google.faults.add({ method: 'messages.send', account, effect: { kind: 'slow', ms } });

describe('time that a test lets go on', () => {
  it('stands while anything is under way, however long that takes', async () => {
    const sender = await permittedSender(letterhead, ['send']);
    slow(sender.account, 400);
    const before = letterhead.google.clock.now();
    await sender.reaches(await sender.send(), 'sent');
    // A round of the pacer may have been waited for, before there was anything to do.
    expect(letterhead.google.clock.now() - before).toBeLessThan(2_500);
  });

  it('goes on to the deadline of what Google never answers, and no further than it is asked to', async () => {
    const sender = await permittedSender(letterhead, ['send']);
    const never = slow(sender.account, 600_000);
    const before = letterhead.google.clock.now();
    const id = await sender.send();
    await eventually(
      () => sender.delivery(id),
      ({ attempts }) => attempts[0]?.outcome === 'unknown',
      letterhead.time,
    );
    const waited = letterhead.google.clock.now() - before;
    expect(waited).toBeGreaterThanOrEqual(letterhead.config.sendDeadlineMs);
    expect(waited).toBeLessThan(letterhead.config.sendDeadlineMs + 5_000);
    letterhead.google.faults.remove(never.id);
  });
});
