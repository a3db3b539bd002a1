import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { expectFit, looks } from '../support/fit.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { answerGoogle, foundCompany, leading, type Person, person, press, signIn } from './person.ts';

const dana = 'dana@brightwater.example';
const office = 'office@brightwater.example';
const tomsAddress = 'tom@brightwater.example';

let letterhead: TestLetterhead;
let browser: Browser;
let manager: Person;
let tom: Person;

beforeAll(async () => {
  [letterhead, browser] = await Promise.all([startTestLetterhead(), launchChromium()]);
  letterhead.google.accounts.add({ email: tomsAddress, name: 'Tom Baker' });
  manager = await person(browser, letterhead);
  tom = await person(browser, letterhead);
  // Colours that are still on their way to others have no contrast to measure.
  for (const { page } of [manager, tom]) await page.emulateMedia({ reducedMotion: 'reduce' });
  await signIn(manager.page, dana);
  await foundCompany(manager.page, 'Brightwater Joinery');
  for (const button of ['Connect to Gmail', 'Connect my own Gmail']) {
    await manager.page.goto('/settings/email');
    await press(manager.page, button);
    await answerGoogle(manager.page, { account: button === 'Connect to Gmail' ? office : dana });
  }
  await manager.page.goto('/settings/members');
  await manager.page.getByLabel('Email address').fill(tomsAddress);
  await press(manager.page, 'Invite');
  await signIn(tom.page, tomsAddress);
});
afterEach(() => expect([...manager.troubles, ...tom.troubles]).toEqual([]));
afterAll(async () => {
  await browser?.close();
  await letterhead?.close();
});

async function inEveryLook({ page }: Person): Promise<void> {
  for (const { viewport, colorScheme } of looks) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await expectFit(page);
  }
  await page.setViewportSize(looks[0].viewport);
}

const follow = ({ page }: Person, name: string | RegExp) =>
  leading(page, () => page.getByRole('link', { name }).click());
const told = ({ page }: Person) => page.getByRole('status').textContent();

describe('who may use the company’s Gmail', () => {
  it('is narrowed with a tick each; the list is there only while it matters', async () => {
    const { page } = manager;
    await page.goto('/settings/email');
    await follow(manager, `Manage ${office}`);
    await inEveryLook(manager);
    await follow(manager, 'Choose who may use it');
    const toms = page.getByRole('checkbox', { name: /Tom Baker/ });
    expect(await toms.isVisible()).toBe(false);
    await page.getByLabel(/Only the members ticked/).check();
    expect(await toms.isVisible()).toBe(true);
    await page.getByRole('checkbox', { name: /Dana Reyes/ }).check();
    await inEveryLook(manager);
    await press(page, 'Save');
    expect(await told(manager)).toContain(`1 member may use ${office} now.`);
    expect(await page.getByRole('checkbox', { name: /Dana Reyes/ }).isChecked()).toBe(true);

    await tom.page.goto('/settings/email');
    expect(await tom.page.locator('main').textContent()).not.toContain(office);
    expect(await tom.page.locator('.because').textContent()).toContain('you may not use it');
    await inEveryLook(tom);
    await manager.page.goto('/settings/email/rules');
    await inEveryLook(manager);
    await follow(manager, 'Let them use it');
    await page.getByRole('checkbox', { name: /Tom Baker/ }).check();
    await press(page, 'Save');
  });

  it('comes with a name and an address for replies, which the page before sending shows', async () => {
    const { page } = manager;
    await page.goto('/settings/email');
    await follow(manager, `Manage ${office}`);
    await follow(manager, 'Change name and replies');
    await inEveryLook(manager);
    await page.getByRole('textbox', { name: 'Name' }).fill('Brightwater, the joiners');
    await page.getByLabel('Replies go to').fill('hello@brightwater.example');
    await press(page, 'Save');
    await tom.page.goto('/settings/email');
    const sentence = await tom.page.locator('.because').textContent();
    expect(sentence).toContain(`Brightwater, the joiners <${office}>`);
    expect(sentence).toContain('Replies go to hello@brightwater.example');
  });
});

describe('whoever is signed in', () => {
  it('has the default stand in where the company says so, and is told before sending', async () => {
    const { page } = manager;
    await page.goto('/settings/email');
    await page.getByLabel(/Whoever is signed in/).check();
    await leading(page, () =>
      page.locator('form[action$="/sender-rule"]').getByRole('button', { name: 'Save' }).click(),
    );
    await page.getByLabel(/The default Gmail stands in/).check();
    await leading(page, () => page.locator('form[action$="/stand-in"]').getByRole('button', { name: 'Save' }).click());
    await inEveryLook(manager);
    await tom.page.goto('/settings/email');
    expect(await tom.page.locator('.because').textContent()).toContain(`Replies go to ${tomsAddress}`);
    await inEveryLook(tom);
    await press(tom.page, 'Send a test email to myself');
    await tom.page.locator('[data-state=sent]').waitFor();
    expect(letterhead.google.truth.accepted().at(-1)).toMatchObject({ from: { address: office } });
  });
});

describe('a member', () => {
  it('is given another role, and is removed after a question that says what it means', async () => {
    const { page } = manager;
    await page.goto('/settings/members');
    await inEveryLook(manager);
    await page.getByLabel('Role of Tom Baker').selectOption('admin');
    await press(page, 'Change the role of Tom Baker');
    expect(await told(manager)).toContain('Tom Baker is an admin now.');
    await page.getByRole('button', { name: 'Remove Tom Baker' }).click();
    await inEveryLook(manager);
    const question = page.locator('.dialog:popover-open');
    expect(await question.textContent()).toContain('their own Gmail is disconnected');
    await question.getByRole('button', { name: 'Cancel' }).click();
    expect(await question.count()).toBe(0);
    await page.getByRole('button', { name: 'Remove Tom Baker' }).click();
    await leading(page, () => question.getByRole('button', { name: 'Remove' }).click());
    expect(await told(manager)).toContain('Tom Baker is no longer a member.');
    await inEveryLook(manager);

    await tom.page.goto('/activity');
    expect(await tom.page.getByRole('heading', { level: 1 }).textContent()).toBe(
      'You are no longer a member of Brightwater Joinery',
    );
    await inEveryLook(tom);
    await follow(tom, 'Sign in');
    expect(new URL(tom.page.url()).pathname).toBe('/sign-in');
    await page.goto('/activity');
    await leading(page, () => page.locator('td a').first().click());
    expect(await page.locator('main').textContent()).toContain('Tom Baker');
  });
});
