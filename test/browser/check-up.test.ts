import { describe, expect, it } from 'vitest';
import { office } from './desk.ts';
import { answerGoogle, openTextDesk, showing } from './text-desk.ts';

const hour = 3_600_000;
const day = 24 * hour;

const desk = openTextDesk({ connected: [office] });

const heading = () => desk.page.texts('#main h2')[0];
const step = (name: string) => desk.page.text(`[data-step=${name}]`);
const status = (name: string) => desk.page.attribute(`[data-step=${name}]`, 'data-status');
/** Goes to the account's check-up as people do, and runs it. */
async function check(): Promise<void> {
  const { page } = desk;
  await page.goto('/settings/email');
  await page.follow(`Manage ${office}`);
  await page.follow('Check-up');
  await page.press(/^Check (now|again)$/);
}
async function reconnect(): Promise<void> {
  const { page } = desk;
  await page.goto('/settings/email');
  await page.press('Reconnect');
  await answerGoogle(page, { account: office });
  expect(page.text()).toContain(`${office} is connected`);
}

describe('the check-up page', () => {
  it('says that nothing was checked yet, then what was found, each step with a mark, and lets it be downloaded', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    await page.follow(`Manage ${office}`);
    await page.follow('Check-up');
    expect(heading()).toBe('Not checked yet');
    await desk.expectFit();
    await page.press('Check now');
    expect(heading()).toBe('Nothing wrong was found');
    for (const name of ['token', 'identity', 'permission_send', 'gmail_api', 'gmail_mailbox', 'budget', 'clock'])
      expect(status(name), name).toBe('passed');
    await desk.expectFit();
    const { fileName, text } = await page.download('Download as text');
    expect(fileName).toMatch(/^check-up-[\d-]+\.txt$/);
    expect(text).toContain(`Check-up of ${office}`);
    // Read again, it is the same, and Google was asked nothing more.
    const asked = desk.google.truth.calls('token');
    await page.reload();
    expect(heading()).toBe('Nothing wrong was found');
    expect(desk.google.truth.calls('token')).toBe(asked);
  });

  it('sends a test email to the account itself, and shows what came of it', async () => {
    const { page } = desk;
    await page.press('Send a test email');
    await showing(page, '#test-email [data-status]');
    expect(page.text('#test-email')).toContain('Gmail accepted it.');
    expect(desk.google.truth.accepted().at(-1)).toMatchObject({
      account: office,
      subject: expect.stringContaining('to itself'),
    });
    await desk.expectFit();
  });
});

/** Each way in which Google ends a permission, as the check-up tells it. The last ones move the clock furthest. */
const endings: readonly [string, () => void, RegExp][] = [
  [
    'the password was changed, or the access removed',
    () => desk.google.accounts.changePassword(office),
    /Most likely somebody removed Letterhead’s access .* or its password was changed/,
  ],
  [
    'the Workspace wants people to sign in again',
    () => desk.google.accounts.requireReauth(office),
    /wants office@brightwater\.example to sign in again/,
  ],
  [
    'Google answers in the one word “Bad Request”',
    () => desk.fault({ kind: 'invalidGrant', description: 'Bad Request' }),
    /Most likely somebody removed Letterhead’s access/,
  ],
  [
    'access was given for thirty days, and they are over',
    () => desk.google.clock.forward(31 * day),
    /was given for a limited time, and that time is over/,
  ],
  [
    'the app is in Testing, and the seven days are over',
    () => desk.google.clock.forward(7 * day + hour),
    /Most likely the app .* is still in “Testing”: Google ends such permissions after seven days/,
  ],
  ['it was not used for six months', () => desk.google.clock.forward(184 * day), /was not used for six months/],
];
/** What has to be so when the permission is given, for an ending to come about. */
const before: Readonly<Record<string, () => void>> = {
  [endings[2]?.[0] ?? '']: () => desk.setApp({ accessSeconds: (30 * day) / 1_000 }),
  [endings[3]?.[0] ?? '']: () => desk.setApp({ accessSeconds: null, publishing: 'testing', testUsers: [office] }),
  [endings[4]?.[0] ?? '']: () => desk.setApp({ publishing: 'production' }),
};

describe('an ending that nobody was told of', () => {
  it.each(endings)(
    'is found by the check-up, which says why, and mended by reconnecting: %s',
    async (name, end, why) => {
      const { page } = desk;
      end();
      desk.google.accounts.expireAccessTokens(office);
      await check();
      expect(heading()).toMatch(/wrong$/);
      expect(status('token')).toBe('failed');
      expect(step('token')).toMatch(why);
      expect(step('token')).toContain('What to do:');
      // What could not be asked is not called wrong.
      expect(status('identity')).toBe('not_possible');
      await page.goto('/');
      expect(page.text('aside[aria-label=Gmail]')).toMatch(why);
      desk.google.faults.clear();
      before[name]?.();
      await reconnect();
    },
  );
});

describe('what is wrong elsewhere', () => {
  it('the administrator lets no app into Gmail: the check-up says whom to ask, and nobody is told to reconnect', async () => {
    desk.fault({ kind: 'forbidden', reason: 'domainPolicy' }, 'messages.send');
    await check();
    expect(status('token')).toBe('passed');
    expect(step('gmail_mailbox')).toContain('Ask your Google Workspace administrator');
  });

  it.each([
    ['invalidClient', 'token', 'token'],
    ['accessNotConfigured', 'messages.send', 'gmail_api'],
  ] as const)(
    'whoever runs Letterhead must act (%s): it says so, and the account stays connected',
    async (word, method, at) => {
      desk.fault(word === 'invalidClient' ? { kind: word } : { kind: 'forbidden', reason: word }, method);
      await check();
      expect(status(at)).toBe('failed');
      expect(step(at)).toContain('This is for whoever runs Letterhead');
      expect(desk.page.text('.page-head .pill')).toBe('Connected');
      expect(desk.page.all('aside[aria-label=Gmail]')).toEqual([]);
    },
  );

  it('Google does not answer: that is no ending, and the check-up does not say so', async () => {
    desk.fault({ kind: 'drop', when: 'before' });
    await check();
    expect(status('token')).toBe('not_possible');
    expect(desk.page.text('.page-head .pill')).toBe('Connected');
  });

  it('the account was deleted: reconnecting is not what it asks for first', async () => {
    desk.google.accounts.delete(office);
    await check();
    expect(step('token')).toContain(`The Google account ${office} was deleted.`);
    expect(step('token')).toContain('If it can be restored, do that first');
    await desk.expectFit();
  });
});
