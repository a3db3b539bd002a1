import { afterEach, describe, expect, it } from 'vitest';
import { dana, openDesk } from './desk.ts';
import { answerGoogle, follow, press, signIn } from './person.ts';

/** One of each kind; the others are tables in `test/web/google-refuses.test.ts` and `test/web/google-stops.test.ts`. */
const desk = openDesk({ worker: false, founded: false });
afterEach(() => desk.setApp({ publishing: 'production', internalTo: null }));

const heading = () => desk.page.locator('h1').textContent();
async function toGoogle(): Promise<void> {
  await desk.page.goto('/');
  await press(desk.page, 'Sign in with Google');
}
/** That the page about it says so, carries nothing of the answer in its address, and leads to another try. */
async function expectAnotherTry(words: string): Promise<void> {
  const { page, letterhead } = desk;
  expect(await heading()).toContain(words);
  expect(page.url()).toBe(`${letterhead.url}/google/answer`);
  await follow(page, 'Sign in again');
  expect(await page.getByRole('button', { name: 'Sign in with Google' }).count()).toBe(1);
}

describe('whoever comes back from Google without being signed in', () => {
  it('said no there', async () => {
    await toGoogle();
    await answerGoogle(desk.page, { account: dana, refuse: true });
    await expectAnotherTry('You are not signed in');
  });

  it.each([['the code was good no more', { kind: 'invalidGrant' }, 'Google did not sign you in']] as const)(
    'reads why: %s',
    async (_what, effect, words) => {
      await toGoogle();
      desk.fault(effect);
      await answerGoogle(desk.page, { account: dana });
      await expectAnotherTry(words);
    },
  );
});

describe('whom Google stops on its own page', () => {
  it.each([['org_internal', { internalTo: 'northgate.example' }, /only be used within its organization/]] as const)(
    'comes back to where they were: %s',
    async (_word, policy, words) => {
      const { page } = desk;
      await toGoogle();
      desk.setApp(policy);
      await press(page, new RegExp(dana));
      expect(await page.locator('body').textContent()).toMatch(words);
      await page.goto('/');
      expect(await page.getByRole('button', { name: 'Sign in with Google' }).count()).toBe(1);
    },
  );
});

it('after all of that, signs in', async () => {
  await signIn(desk.page, dana);
  expect(new URL(desk.page.url()).pathname).toBe('/welcome');
});
