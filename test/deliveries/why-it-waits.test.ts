import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answered, isAnswer } from '../../src/deliveries/answers.ts';
import { heldReasons, remedyOf } from '../../src/deliveries/remedy.ts';
import type { HeldReason } from '../../src/deliveries/state.ts';
import { whyItWaits } from '../../src/deliveries/why-it-waits.ts';
import { sendingPill } from '../../src/web/record-words.ts';
import { headlineOf } from '../../src/web/remedy-words.ts';
import { propertyRuns } from '../support/at-length.ts';
import { aTold } from '../support/told.ts';

const now = new Date('2026-11-30T09:00:00Z');
const then = new Date('2026-12-01T09:00:00Z');
const tenant = { name: 'Brightwater', country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' };
const reader = { viewer: { memberId: 'dana', role: 'admin', tenant, locale: 'en-IE' }, now } as const;

const byPerson = [
  ...(['mailbox_paused', 'mailbox_needs_reconnect', 'mailbox_disconnected'] as const),
  ...(['sender_changed', 'from_changed', 'not_allowed'] as const),
] satisfies HeldReason[];
const hindrances = fc.option(
  fc.constantFrom(...byPerson).map((reason) => ({ reason, words: 'Because of that.' })),
  { nil: null },
);
const laters = fc.option(
  fc
    .constantFrom(...(['rate', 'trouble', 'budget', 'sending_limit', 'hours', 'retry'] as const))
    .map((why) => ({ why, until: then })),
  { nil: null },
);
const waiters = fc.record({
  state: fc.constantFrom('queued' as const, 'held' as const),
  heldReason: fc.constantFrom(...heldReasons),
  notBefore: fc.option(fc.constant(then), { nil: null }),
  runStops: fc.constantFrom(null, 'running' as const, 'paused' as const),
});
const runs = { numRuns: propertyRuns(3_000) };

describe('what an email waits for', () => {
  it('is whatever needs a person, before anything that ends with time', () => {
    fc.assert(
      fc.property(waiters, hindrances, laters, (waiter, hindrance, later) => {
        const waits = whyItWaits(waiter, hindrance, later);
        const settles = waiter.state === 'held' && (waiter.heldReason === 'restored' || isAnswer(waiter.heldReason));
        const stopped = hindrance !== null || waiter.runStops === 'paused';
        if (settles) return;
        if (stopped) expect(waits?.kind).toBe('stays');
        if (waits?.kind === 'leaves') expect([waiter.state, later]).toEqual(['queued', null]);
        if (waits?.kind === 'stays' && waits.time) expect(waits.time.until).toEqual(then);
      }),
      runs,
    );
  });

  it('is said by its headline and its button, and nothing that a person keeps is promised to go by itself', () => {
    fc.assert(
      fc.property(waiters, hindrances, laters, (waiter, hindrance, later) => {
        const { state, heldReason } = waiter;
        const isTimed = ['sending_limit', 'operator', 'outside_hours', 'scheduled', 'undo'].includes(heldReason);
        const notBefore = isTimed ? then : null;
        const delivery = aTold({ ...waiter, notBefore, heldReason: state === 'queued' ? null : heldReason });
        const remedy = remedyOf(delivery, hindrance, later);
        const headline = headlineOf(delivery, remedy, hindrance, reader);
        if (remedy.waits?.kind !== 'stays') return;
        const { why } = remedy.waits;
        expect(remedy.trouble).toBe(why);
        expect(headline?.title).toBeTruthy();
        expect(`${headline?.title} ${headline?.more}`).not.toMatch(/by itself\.|goes out by itself/);
        if (hindrance && why === hindrance.reason) expect(remedy.decisions).not.toContain('send_now');
        if (why === 'mailbox_paused') expect(remedy.mend).toBe('resume_mailbox');
        if (why === 'run_paused') expect(remedy.mend).toBe('resume_run');
      }),
      runs,
    );
  });

  it('is nothing where it does not wait, and its settling where it may have been sent', () => {
    const hindrance = { reason: 'mailbox_paused' } as const;
    for (const state of ['sending', 'sent', 'failed', 'unconfirmed', 'cancelled'] as const)
      expect(whyItWaits({ state, heldReason: null, notBefore: null, runStops: null }, hindrance, null)).toBeNull();
    for (const heldReason of ['restored', ...answered] as const) {
      const waiter = { state: 'held', heldReason, notBefore: then, runStops: 'paused' } as const;
      expect(whyItWaits(waiter, hindrance, null)).toEqual({ kind: 'later', why: heldReason, until: then });
    }
    expect(sendingPill(aTold({ state: 'queued' })).word).toBe('Queued');
  });
});
