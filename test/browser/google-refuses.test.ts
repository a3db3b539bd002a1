import { afterEach, describe, expect, it } from 'vitest';
import { expectFitInEveryLook } from '../support/fit.ts';
import { office, openDesk } from './desk.ts';
import { answerGoogle, follow, press } from './person.ts';

const sales = 'sales@brightwater.example';

/** One of each kind; the others are tables in `test/web/google-refuses.test.ts` and `test/web/google-stops.test.ts`. */
const desk = openDesk({ worker: false, accounts: [[sales, 'Sales']], connected: [office] });
afterEach(() => desk.setApp({ internalTo: null }));

const main = () => desk.page.locator('#main');
const title = () => main().locator('h1').textContent();
/** Presses “Connect another Gmail” on the email settings. */
async function toGoogle(): Promise<void> {
  await desk.page.goto('/settings/email');
  await press(desk.page, 'Connect another Gmail');
}
/** That the one mailbox is connected still, and no other is there. */
async function nothingChanged(): Promise<void> {
  const { page } = desk;
  await page.goto('/settings/email');
  expect(await page.locator('h2[id^=mailbox-]').allTextContents()).toEqual([office]);
  expect(await main().locator('.pill.connected').count()).toBe(1);
}

describe('an answer that comes back without what it takes', () => {
  it.each([['the code was good no more', 'it took too long']])(
    'has a page that says what to do, and one click leads back: %s',
    async (_what, words) => {
      const { page } = desk;
      await toGoogle();
      desk.fault({ kind: 'invalidGrant' });
      await answerGoogle(page, { account: sales });
      expect(await title()).toContain(words);
      await follow(page, 'Back to the email settings');
      await nothingChanged();
      // The page can be come back to: its address carries no code that is used up.
      await page.goBack();
      expect(await title()).toContain(words);
      expect(page.url()).toBe(`${desk.letterhead.url}/google/answer`);
    },
  );

  it('looks well on any screen', async () => {
    const { page } = desk;
    await toGoogle();
    await answerGoogle(page, { account: sales, refuse: true });
    expect(await title()).toContain('you said no at Google');
    await expectFitInEveryLook(page);
  });
});

describe('a refusal that Google shows on its own page once it knows the account', () => {
  it.each([['org_internal', /only be used within its organization/]])(
    'leaves everything as it was: %s',
    async (_word, words) => {
      const { page } = desk;
      await toGoogle();
      desk.setApp({ internalTo: 'northgate.example' });
      await press(page, new RegExp(sales));
      expect(new URL(page.url()).origin).toBe(desk.google.url);
      expect(await page.locator('body').textContent()).toMatch(words);
      await page.goBack();
      await nothingChanged();
    },
  );
});
