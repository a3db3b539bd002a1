import { describe, expect, it } from 'vitest';
import { scopes } from '../../src/google/app.ts';
import type { GoogleFailure } from '../../src/google/errors.ts';
import { judgeCheckUp } from '../../src/mailboxes/check-up.ts';
import type { CheckUpFacts } from '../../src/mailboxes/check-up-facts.ts';
import { checkUpText, type Step } from '../../src/mailboxes/check-up-step.ts';

const now = new Date('2026-11-21T09:00:00Z');
const day = 86_400_000;
const ago = (ms: number) => new Date(now.getTime() - ms);
const answered = (status: number, reason: string, message = ''): GoogleFailure => ({
  ...{ kind: 'answered', status, reason, message },
});
const refused = (failure: GoogleFailure) => ({ kind: 'failed', failure }) as const;
const lost: GoogleFailure = { kind: 'lost', code: 'TIMEOUT', message: 'Google did not answer within 12 seconds.' };
const primary = { email: 'office@b.example', displayName: '', isPrimary: true, verificationStatus: null };
const alias = (verificationStatus: string | null) => ({
  ...{ email: 'accounts@b.example', displayName: '', isPrimary: false, verificationStatus },
});
const yes = { kind: 'answered', value: null } as const;
const no = (why: 'no_token' | 'no_permission' | 'standing_still') => ({ kind: 'not_asked', why }) as const;

/** A mailbox with which nothing is wrong, and that may be asked everything. */
const well: CheckUpFacts = {
  now,
  mailbox: {
    ...{ email: 'office@b.example', googleSub: '1', state: 'active', delegated: false, wanted: ['send', 'aliases'] },
    scopes: [scopes.gmailSend, scopes.gmailSettingsBasic],
  },
  standing: { state: 'active', since: ago(day), ended: null, pausedBy: null },
  token: { kind: 'renewed' },
  owner: { kind: 'answered', value: { sub: '1', email: 'office@b.example' } },
  granted: { kind: 'answered', value: [scopes.gmailSend, scopes.gmailSettingsBasic] },
  ...{ sending: yes, reading: yes },
  addresses: { kind: 'answered', value: [primary, alias('accepted')] },
  rules: [{ words: 'Invoices', email: 'Accounts@b.example' }],
  swaps: [],
  budget: { used: 12, limit: 2_000, standsStill: null },
  skewMs: 400,
  wayBack: {
    ...{ publicUrl: 'https://l.example', openedAt: 'https://l.example', answers: null },
    callbacks: [{ address: 'https://l.example/callback', verdict: 'accepted' }],
  },
  life: { grantedAt: ago(3 * day), endsAt: null, appOutlivedAWeek: true, lives: [] },
};
const { callbacks } = well.wayBack;
const still = (reason: 'rate' | 'sending_limit' | 'trouble') => ({
  ...{ ...well.budget, standsStill: { until: new Date(now.getTime() + 60_000), reason } },
});

const judge = (change: Partial<CheckUpFacts>) =>
  judgeCheckUp({ ...well, ...change }, (value) =>
    typeof value === 'number' ? value.toLocaleString('en') : value.toISOString().slice(0, 16),
  );
const step = (name: string, change: Partial<CheckUpFacts>): Step => {
  const found = judge(change).find((each) => each.name === name);
  if (!found) throw new Error(`There is no step ${name}`);
  return found;
};

describe('a mailbox with which nothing is wrong', () => {
  it('passes every step, with nothing to do', () => {
    const steps = judge({});
    expect(steps.map(({ status }) => status)).toEqual(Array(11).fill('passed'));
    expect(steps.map(({ hint }) => hint)).toEqual(Array(11).fill(null));
  });
});

const rows: readonly [what: string, name: string, Partial<CheckUpFacts>, status: Step['status'], words: RegExp][] = [
  ['revoked', 'token', { token: { kind: 'ended', ended: { reason: 'removed', sure: true } } }, 'failed', /removed/],
  ['disconnected', 'token', { token: { kind: 'disconnected' } }, 'failed', /disconnected.*Connect it again/s],
  ['without its key', 'token', { token: { kind: 'sealed' } }, 'failed', /whoever runs.*TOKEN_KEYS/s],
  [
    ...(['with a wrong client secret', 'token'] as const),
    { token: { kind: 'failed', failure: answered(401, 'invalid_client') } },
    ...(['failed', /whoever runs.*GOOGLE_CLIENT_SECRET/s] as const),
  ],
  ['and no answer', 'token', { token: { kind: 'failed', failure: lost } }, 'not_possible', /12 seconds/],
  [
    ...(['of another account', 'identity'] as const),
    { owner: { kind: 'answered', value: { sub: '2', email: 'dana@b.example' } } },
    ...(['failed', /another.*dana@b.example.*choose office@b.example/s] as const),
  ],
  [
    ...(['whose address changed', 'identity'] as const),
    { owner: { kind: 'answered', value: { sub: '1', email: 'new@b.example' } } },
    ...(['passed', /new@b.example.*new address/s] as const),
  ],
  ['not asked whose it is', 'identity', { owner: no('no_token') }, 'not_possible', /mend that first/],
  ['not told whose it is', 'identity', { owner: refused(answered(503, 'backendError')) }, 'not_possible', /503/],
  [
    ...(['without the scope to send', 'permission_send'] as const),
    { granted: { kind: 'answered', value: [scopes.gmailSettingsBasic] } },
    ...(['failed', /Send email on your behalf/] as const),
  ],
  [
    ...(['without a scope that it wants', 'permission_aliases'] as const),
    { granted: { kind: 'answered', value: [scopes.gmailSend] } },
    ...(['failed', /Ask again…” beside “Other addresses/] as const),
  ],
  ['whose scopes nobody tells', 'permission_send', { granted: refused(lost) }, 'not_possible', /12 seconds/],
  [
    ...(['with the API switched off', 'gmail_api'] as const),
    { sending: refused(answered(403, 'accessNotConfigured')), reading: no('no_permission') },
    ...(['failed', /whoever runs.*Enable/s] as const),
  ],
  [
    ...(['with the API switched off', 'gmail_mailbox'] as const),
    { sending: refused(answered(403, 'accessNotConfigured')), reading: no('no_permission') },
    ...(['not_possible', /accessNotConfigured/] as const),
  ],
  [
    ...(['without Gmail', 'gmail_mailbox'] as const),
    { sending: refused(answered(400, 'failedPrecondition', 'Mail service not enabled')) },
    ...(['failed', /has no Gmail/] as const),
  ],
  [
    ...(['without Gmail', 'gmail_api'] as const),
    { sending: refused(answered(400, 'failedPrecondition', 'Mail service not enabled')), reading: no('no_permission') },
    ...(['passed', /answers/] as const),
  ],
  [
    ...(['that an administrator keeps us from', 'gmail_mailbox'] as const),
    { sending: refused(answered(403, 'domainPolicy')), reading: no('no_permission') },
    ...(['failed', /administrator/] as const),
  ],
  ['that may only send', 'gmail_mailbox', { reading: no('no_permission') }, 'passed', /Nothing was sent to find out/],
  [
    ...(['that nothing can be asked', 'gmail_mailbox'] as const),
    { sending: no('no_permission'), reading: no('no_permission') },
    ...(['not_possible', /without another permission/] as const),
  ],
  [
    ...(['that stands still', 'gmail_mailbox'] as const),
    { sending: no('standing_still'), reading: no('no_permission') },
    ...(['not_possible', /wants Letterhead to wait/] as const),
  ],
  [
    ...(['with a pending address that a rule uses', 'addresses'] as const),
    { addresses: { kind: 'answered', value: [primary, alias('pending')] } },
    ...(['failed', /Invoices come from Accounts@b.example, which waits.*follow its link/s] as const),
  ],
  [
    ...(['with a pending address that no rule uses', 'addresses'] as const),
    { addresses: { kind: 'answered', value: [primary, alias('pending')] }, rules: [] },
    ...(['passed', /waits for confirmation/] as const),
  ],
  ['with an address Gmail says nothing of', 'addresses', aliased(null), 'passed', /accounts@b.example \(accepted\)/],
  [
    ...(['that lost the address of a rule', 'addresses'] as const),
    { addresses: { kind: 'answered', value: [primary] } },
    ...(['failed', /does not list.*Send mail as/s] as const),
  ],
  [
    ...(['whose address Gmail swapped', 'addresses'] as const),
    { swaps: [{ email: 'accounts@b.example', sentFrom: 'office@b.example' }] },
    ...(['failed', /from office@b.example instead of accounts@b.example.*test the address/s] as const),
  ],
  ['that uses what it may not check', 'addresses', { addresses: no('no_permission') }, 'failed', /may not check/],
  [
    ...(['that may check no address and needs none', 'addresses'] as const),
    { addresses: no('no_permission'), rules: [{ words: 'Emails', email: 'Office@b.example' }] },
    ...(['not_possible', /Only its own address/] as const),
  ],
  ['asked to go slower', 'budget', { budget: still('rate') }, 'failed', /slower.*2026-11-21T09:01/],
  ['at its limit for a day', 'budget', { budget: still('sending_limit') }, 'failed', /limit for a day/],
  ['whose answers get lost', 'budget', { budget: still('trouble') }, 'failed', /lost several times/],
  [
    'with nothing left',
    'budget',
    { budget: { ...well.budget, used: 2_000 } },
    'failed',
    /sent 2,000 emails.*limit is 2,000/,
  ],
  [
    ...(['told by Gmail that it sent enough', 'budget'] as const),
    { sending: refused(answered(429, 'userRateLimitExceeded', 'User-rate limit exceeded. (Mail sending)')) },
    ...(['failed', /limit for a day/] as const),
  ],
  ['whose clock is ahead', 'clock', { skewMs: 600_000 }, 'failed', /10 minutes ahead.*set-ntp/s],
  ['whose clock is behind', 'clock', { skewMs: -7_200_000 }, 'failed', /2 hours behind/],
  ['whose clock is a little off', 'clock', { skewMs: -59_000 }, 'passed', /within a minute/],
  ['without a time of Google’s', 'clock', { skewMs: null }, 'not_possible', /None/],
  [
    ...(['opened at another address', 'redirect'] as const),
    { wayBack: { ...well.wayBack, openedAt: 'http://l.example' } },
    ...(['failed', /opened at http:\/\/l.example.*PUBLIC_URL/s] as const),
  ],
  [
    ...(['whose callback is not registered', 'redirect'] as const),
    { wayBack: { ...well.wayBack, callbacks: callbacks.map((each) => ({ ...each, verdict: 'refused' as const })) } },
    ...(['failed', /does not know https:\/\/l.example\/callback.*exactly https:\/\/l.example\/callback/s] as const),
  ],
  [
    ...(['about whose callback Google says nothing', 'redirect'] as const),
    { wayBack: { ...well.wayBack, callbacks: callbacks.map((each) => ({ ...each, verdict: 'unclear' as const })) } },
    ...(['not_possible', /did not say/] as const),
  ],
  [
    ...(['whose address does not answer the operator', 'redirect'] as const),
    { wayBack: { ...well.wayBack, openedAt: null, answers: false } },
    ...(['not_possible', /did not answer this machine/] as const),
  ],
  ['given for a week', 'testing', { life: lasting(7 * day) }, 'failed', /Testing.*Publish app/s],
  ['given for a month', 'testing', { life: lasting(30 * day) }, 'passed', /limited time.*before then/s],
  [
    ...(['that was reconnected week after week', 'testing'] as const),
    { life: lived([7 * day, 'revoked'], [7.1 * day, 'testing_week'], [day, 'revoked']) },
    ...(['failed', /2 times/] as const),
  ],
  ['that ended after a week once', 'testing', { life: lived([7 * day, 'revoked']) }, 'not_possible', /3 days ago/],
];

function aliased(status: string | null): Partial<CheckUpFacts> {
  return { addresses: { kind: 'answered', value: [primary, alias(status)] } };
}

function lasting(ms: number): CheckUpFacts['life'] {
  const grantedAt = ago(3 * day);
  return { grantedAt, endsAt: new Date(grantedAt.getTime() + ms), appOutlivedAWeek: false, lives: [] };
}

function lived(...lives: readonly (readonly [number, string])[]): CheckUpFacts['life'] {
  const past = lives.map(([ms, reason]) => ({ ms, reason }));
  return { grantedAt: ago(3 * day), endsAt: null, appOutlivedAWeek: false, lives: past };
}

describe('a mailbox', () => {
  it.each(rows)('%s: %s', (_what, name, change, status, words) => {
    const found = step(name, change);
    expect(`${found.detail} ${found.hint ?? ''}`).toMatch(words);
    expect(found.status).toBe(status);
  });

  it.each(rows.filter(([, , , status]) => status === 'failed'))('%s is told what to do about it: %s', (...row) => {
    expect(step(row[1], row[2]).hint).toMatch(/\w{4}/);
  });
});

describe('the text of a check-up', () => {
  it('says each step, what to do, and how many of each', () => {
    const steps = judge({ addresses: { kind: 'answered', value: [primary] } });
    const about = { at: now.toISOString(), by: 'Dana', company: 'B', mailbox: 'office@b.example', state: 'connected' };
    const text = checkUpText({ ...about, version: '1.2.3', node: '24.0.0', steps }, null);
    expect(text).toContain('Check-up of office@b.example (B)\n2026-11-21T09:00:00.000Z, by Dana · connected');
    expect(text).toMatch(/^\[FAILED\] +Addresses to send from: .*\n +What to do: /m);
    expect(text).toContain('10 passed, 1 failed, 0 not possible');
  });
});
