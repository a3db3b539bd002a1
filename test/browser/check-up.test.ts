import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { expectFitInEveryLook } from '../support/fit.ts';
import { office, openDesk } from './desk.ts';
import { answerGoogle, follow, press } from './person.ts';

const hour = 3_600_000;
const day = 24 * hour;

const desk = openDesk({ connected: [office] });

const main = () => desk.page.locator('#main');
const heading = () => main().locator('h2').first();
const step = (name: string) => desk.page.locator(`[data-step=${name}]`);
/** Goes to the account's check-up as people do, and runs it. */
async function check(): Promise<void> {
  const { page } = desk;
  await page.goto('/settings/email');
  await follow(page, `Manage ${office}`);
  await follow(page, 'Check-up');
  await press(page, /^Check (now|again)$/);
}
async function reconnect(): Promise<void> {
  const { page } = desk;
  await page.goto('/settings/email');
  await press(page, 'Reconnect');
  await answerGoogle(page, { account: office });
  expect(await main().textContent()).toContain(`${office} is connected`);
}

describe('the check-up page', () => {
  it('says that nothing was checked yet, then what was found, each step with a mark, and lets it be downloaded', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    await follow(page, `Manage ${office}`);
    await follow(page, 'Check-up');
    expect(await heading().textContent()).toBe('Not checked yet');
    await expectFitInEveryLook(desk.page);
    await press(page, 'Check now');
    expect(await heading().textContent()).toBe('Nothing wrong was found');
    for (const name of ['token', 'identity', 'permission_send', 'gmail_api', 'gmail_mailbox', 'budget', 'clock'])
      expect(await step(name).getAttribute('data-status'), name).toBe('passed');
    await expectFitInEveryLook(desk.page);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download as text' }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^check-up-[\d-]+\.txt$/);
    const text = await readFile(await download.path(), 'utf8');
    expect(text).toContain(`Check-up of ${office}`);
    // Read again, it is the same, and Google was asked nothing more.
    const asked = desk.google.truth.calls('token');
    await page.reload();
    expect(await heading().textContent()).toBe('Nothing wrong was found');
    expect(desk.google.truth.calls('token')).toBe(asked);
  });

  it('sends a test email to the account itself, and shows without reloading what came of it', async () => {
    const { page } = desk;
    await press(page, 'Send a test email');
    await page.locator('#test-email [data-status]').waitFor();
    expect(await page.locator('#test-email').textContent()).toContain('Gmail accepted it.');
    expect(desk.google.truth.accepted().at(-1)).toMatchObject({
      account: office,
      subject: expect.stringContaining('to itself'),
    });
    await expectFitInEveryLook(desk.page);
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
      expect(await heading().textContent()).toMatch(/wrong$/);
      expect(await step('token').getAttribute('data-status')).toBe('failed');
      expect(await step('token').textContent()).toMatch(why);
      expect(await step('token').textContent()).toContain('What to do:');
      // What could not be asked is not called wrong.
      expect(await step('identity').getAttribute('data-status')).toBe('not_possible');
      await page.goto('/');
      expect(await page.getByRole('complementary', { name: 'Gmail' }).textContent()).toMatch(why);
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
    expect(await step('token').getAttribute('data-status')).toBe('passed');
    expect(await step('gmail_mailbox').textContent()).toContain('Ask your Google Workspace administrator');
  });

  it.each([
    ['invalidClient', 'token', 'token'],
    ['accessNotConfigured', 'messages.send', 'gmail_api'],
  ] as const)(
    'whoever runs Letterhead must act (%s): it says so, and the account stays connected',
    async (word, method, at) => {
      desk.fault(word === 'invalidClient' ? { kind: word } : { kind: 'forbidden', reason: word }, method);
      await check();
      expect(await step(at).getAttribute('data-status')).toBe('failed');
      expect(await step(at).textContent()).toContain('This is for whoever runs Letterhead');
      expect(await desk.page.locator('.page-head .pill').textContent()).toBe('Connected');
      expect(await desk.page.getByRole('complementary', { name: 'Gmail' }).count()).toBe(0);
    },
  );

  it('Google does not answer: that is no ending, and the check-up does not say so', async () => {
    desk.fault({ kind: 'drop', when: 'before' });
    await check();
    expect(await step('token').getAttribute('data-status')).toBe('not_possible');
    expect(await desk.page.locator('.page-head .pill').textContent()).toBe('Connected');
  });

  it('the account was deleted: reconnecting is not what it asks for first', async () => {
    desk.google.accounts.delete(office);
    await check();
    expect(await step('token').textContent()).toContain(`The Google account ${office} was deleted.`);
    expect(await step('token').textContent()).toContain('If it can be restored, do that first');
    await expectFitInEveryLook(desk.page);
  });
});
