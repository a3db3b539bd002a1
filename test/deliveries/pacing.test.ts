import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AccountFacts,
  allowedNow,
  forecast,
  isFull,
  isOutage,
  payFor,
  priceMs,
  probeAfterMs,
  roomFor,
} from '../../src/deliveries/pacing.ts';
import { limitsOf } from '../../src/transport/transports.ts';

const { costOf, dailyLimit: defaultDailyLimit } = limitsOf('gmail');

const now = new Date('2026-11-21T09:00:00Z');
const later = (ms: number) => new Date(now.getTime() + ms);
const send = 110;
const free: AccountFacts = {
  ...{ paidUntil: new Date(0), blockedUntil: null, blockedReason: null },
  ...{ underWay: 0, sentToday: 0, dailyLimit: 2_000 },
};
const facts = () => ({ ...free });
const pace = { unitsPerMinute: 6_000, projectUnitsPerMinute: 1_200_000, inFlight: 5 };
const room = (facts: Partial<AccountFacts>, at = now) => roomFor({ ...free, ...facts }, pace, send, at);

describe('a delivery costs what will be asked for it', () => {
  it.each([
    ['send alone', ['send'], 100],
    ['by draft', ['send', 'safe_retry'], 110],
    ['with a read-back', ['send', 'tracking'], 120],
    ['by draft with a read-back', ['send', 'safe_retry', 'aliases', 'tracking'], 130],
    ['nothing may be done, so the least', [], 100],
  ] as const)('%s', (_what, capabilities, wanted) => {
    expect(costOf(capabilities)).toBe(wanted);
  });
});

describe('a rate', () => {
  it('is never exceeded in any minute, however it is asked for', () => {
    const asked = fc.array(
      fc.record({ wait: fc.integer({ min: 0, max: 20_000 }), want: fc.integer({ min: 1, max: 60 }) }),
      {
        maxLength: 200,
      },
    );
    fc.assert(
      fc.property(asked, fc.constantFrom(1_000, 6_000, 15_000), (steps, perMinute) => {
        let at = now.getTime();
        let paidUntil = new Date(0);
        const sent: number[] = [];
        for (const { wait, want } of steps) {
          at += wait;
          const count = Math.min(want, allowedNow(paidUntil, perMinute, send, new Date(at)));
          paidUntil = payFor(paidUntil, perMinute, send, count, new Date(at));
          for (let index = 0; index < count; index += 1) sent.push(at);
        }
        for (const begin of sent) {
          const within = sent.filter((each) => each >= begin && each < begin + 60_000).length;
          expect(within * send).toBeLessThanOrEqual(perMinute);
        }
      }),
    );
  });

  it('is nearly all used by whoever has enough to send', () => {
    let paidUntil = new Date(0);
    let sent = 0;
    for (let ms = 0; ms < 600_000; ms += 1_000) {
      const count = allowedNow(paidUntil, 6_000, send, later(ms));
      paidUntil = payFor(paidUntil, 6_000, send, count, later(ms));
      sent += count;
    }
    // 54.5 a minute would be all of it; a tenth is left for what cannot be planned.
    expect(sent / 10).toBeGreaterThan(44);
    expect(sent / 10).toBeLessThan(50);
  });

  it('is used up by what was asked besides', () => {
    const paidUntil = payFor(new Date(0), 6_000, 1, 3_000, now);
    expect(paidUntil).toEqual(later(priceMs(6_000, 3_000)));
    expect(allowedNow(paidUntil, 6_000, send, now)).toBe(0);
    expect(priceMs(null, 3_000)).toBe(0);
  });

  it('lets one go from rest, and a few at once', () => {
    expect(allowedNow(new Date(0), 6_000, send, now)).toBe(4);
    expect(allowedNow(new Date(0), 100, send, now)).toBe(1);
    expect(allowedNow(later(60_000), 6_000, send, now)).toBe(0);
    expect(allowedNow(later(60_000), null, send, now)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('an account', () => {
  it.each([
    ['that is free has room for its burst', {}, 4],
    ['that used its rate has none', { paidUntil: later(30_000) }, 0],
    ['that Gmail asked to wait has none until then', { blockedUntil: later(1), blockedReason: 'rate' as const }, 0],
    ['that waited has it again', { blockedUntil: later(-1), blockedReason: 'rate' as const }, 4],
    ['with much handed out gets no more', { underWay: 200 }, 0],
    ['that has two of its day left gets two', { sentToday: 1_998 }, 2],
    ['counts what is handed out as spent', { sentToday: 1_998, underWay: 1 }, 1],
    ['that spent its day gets none', { sentToday: 2_000 }, 0],
    ['that spent more than its day gets none', { sentToday: 2_500 }, 0],
    ['in trouble gets one probe', { blockedUntil: later(-1), blockedReason: 'trouble' as const }, 1],
    ['in trouble gets no second one', { blockedUntil: later(-1), blockedReason: 'trouble' as const, underWay: 1 }, 0],
  ])('%s', (_what, facts, wanted) => {
    expect(room(facts)).toBe(wanted);
  });

  it('has no more in hand than can be in flight and two seconds bring, so that a pile never leaves at once', () => {
    const free = { unitsPerMinute: 6_000, projectUnitsPerMinute: null, inFlight: 5 };
    expect([6, 9, 10, 50].map((underWay) => room({ underWay }))).toEqual([4, 1, 0, 0]);
    const quick = { ...free, unitsPerMinute: 6_000_000 };
    expect(roomFor({ ...facts(), underWay: 160 }, quick, send, now)).toBe(40);
    expect(isFull({ underWay: 10 }, free, send, 0)).toBe(false);
    expect(isFull({ underWay: 160 }, quick, send, 40)).toBe(true);
    expect(isFull({ underWay: 0 }, { ...free, unitsPerMinute: null }, send, 200)).toBe(true);
  });

  it('of a person has 500 a day, of a Workspace 2,000', () => {
    expect(['mira@gmail.com', 'Mira@GoogleMail.com', 'office@brightwater.example'].map(defaultDailyLimit)).toEqual([
      ...[500, 500, 2_000],
    ]);
  });
});

describe('the forecast', () => {
  it('says what goes out within the budget, and what only tomorrow', () => {
    const facts = { sentToday: 180, dailyLimit: 500, waiting: 20 };
    expect(forecast(facts, pace, send, 340)).toMatchObject({ soon: 300, later: 40, days: 1 });
    expect(forecast(facts, pace, send, 10)).toMatchObject({ soon: 10, later: 0, days: 0 });
    expect(forecast({ ...facts, sentToday: 600 }, pace, send, 10)).toMatchObject({ soon: 0, later: 10 });
  });

  it('says how long it takes at the account’s rate', () => {
    const facts = { sentToday: 0, dailyLimit: 2_000, waiting: 0 };
    const minutes = forecast(facts, pace, send, 500).takesMs / 60_000;
    expect(minutes).toBeGreaterThan(10);
    expect(minutes).toBeLessThan(12);
  });
});

describe('trouble', () => {
  it('is probed after 30 s, and ever more seldom, up to ten minutes', () => {
    expect([3, 4, 5, 8, 50].map(probeAfterMs)).toEqual([30_000, 60_000, 120_000, 600_000, 600_000]);
  });

  it.each([
    [0, 100, false],
    [3, 15, false],
    [4, 20, true],
    [19, 100, false],
    [20, 100, true],
  ])('over all: %i unknown of %i is an outage: %s', (unknown, all, wanted) => {
    expect(isOutage({ unknown, all })).toBe(wanted);
  });
});
