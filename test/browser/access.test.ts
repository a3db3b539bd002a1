import { beforeAll, describe, expect, it } from 'vitest';
import { expectFitInEveryLook } from '../support/fit.ts';
import { dana, office, openDesk } from './desk.ts';
import { answerGoogle, follow, leading, type Person, press, pressIn } from './person.ts';

const tomsAddress = 'tom@brightwater.example';

const desk = openDesk({ connected: [office, dana] });
let tom: Person;
beforeAll(async () => {
  tom = await desk.colleague(tomsAddress, 'Tom Baker');
});

const told = () => desk.page.getByRole('status').textContent();

describe('who may use the company’s Gmail', () => {
  it('is narrowed with a tick each; the list is there only while it matters', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    await follow(desk.page, `Manage ${office}`);
    await expectFitInEveryLook(desk.page);
    await follow(desk.page, 'Choose who may use it');
    const toms = page.getByRole('checkbox', { name: /Tom Baker/ });
    expect(await toms.isVisible()).toBe(false);
    await page.getByLabel(/Only the members ticked/).check();
    expect(await toms.isVisible()).toBe(true);
    await page.getByRole('checkbox', { name: /Dana Reyes/ }).check();
    await expectFitInEveryLook(desk.page);
    await press(page, 'Save');
    expect(await told()).toContain(`1 member may use ${office} now.`);
    expect(await page.getByRole('checkbox', { name: /Dana Reyes/ }).isChecked()).toBe(true);

    await tom.page.goto('/settings/email');
    expect(await tom.page.locator('main').textContent()).not.toContain(office);
    expect(await tom.page.locator('.because').textContent()).toContain('you may not use it');
    await expectFitInEveryLook(tom.page);
    await desk.page.goto('/settings/email/rules');
    await expectFitInEveryLook(desk.page);
    await follow(desk.page, 'Let them use it');
    await page.getByRole('checkbox', { name: /Tom Baker/ }).check();
    await press(page, 'Save');
  });

  it('comes with a name and an address for replies, which the page before sending shows', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    await follow(desk.page, `Manage ${office}`);
    await follow(desk.page, 'Change name and replies');
    await expectFitInEveryLook(desk.page);
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
    const { page } = desk;
    await page.goto('/settings/email');
    await page.getByLabel(/Whoever is signed in/).check();
    await pressIn(page, 'Send from', 'Save');
    await page.getByLabel(/The default Gmail stands in/).check();
    await pressIn(page, 'When somebody’s own address is not connected', 'Save');
    await expectFitInEveryLook(desk.page);
    await tom.page.goto('/settings/email');
    expect(await tom.page.locator('.because').textContent()).toContain(`Replies go to ${tomsAddress}`);
    await expectFitInEveryLook(tom.page);
    await press(tom.page, 'Send a test email to myself');
    await tom.page.locator('[data-state=sent]').waitFor();
    expect(desk.google.truth.accepted().at(-1)).toMatchObject({ from: { address: office } });
  });
});

describe('a member', () => {
  it('is given another role', async () => {
    const { page } = desk;
    await page.goto('/settings/members');
    await page.getByLabel('Role of Tom Baker').selectOption('admin');
    await press(page, 'Change the role of Tom Baker');
    expect(await told()).toContain('Tom Baker is an admin now.');
    await expectFitInEveryLook(desk.page);
  });

  it('is removed after a question that says what it means, while at Google, and is told so afterwards', async () => {
    const { page } = desk;
    await tom.page.goto('/settings/email');
    await press(tom.page, 'Send a test email to myself');
    const { pathname: toms } = new URL(tom.page.url());
    await tom.page.goto('/settings/email');
    await press(tom.page, 'Connect my own Gmail');
    await page.goto('/settings/members');
    await page.getByRole('button', { name: 'Remove Tom Baker' }).click();
    await expectFitInEveryLook(desk.page);
    const question = page.locator('.dialog:popover-open');
    expect(await question.textContent()).toContain('their own Gmail is disconnected');
    await question.getByRole('button', { name: 'Cancel' }).click();
    expect(await question.count()).toBe(0);
    await page.getByRole('button', { name: 'Remove Tom Baker' }).click();
    await leading(page, () => question.getByRole('button', { name: 'Remove' }).click());
    expect(await told()).toContain('Tom Baker is no longer a member.');
    await expectFitInEveryLook(desk.page);

    // What comes of his answer stands at an address that carries nothing of it.
    await answerGoogle(tom.page, { account: tomsAddress });
    expect(tom.page.url()).toBe(`${desk.letterhead.url}/google/answer`);
    expect(await tom.page.getByRole('heading', { level: 1 }).textContent()).toBe(
      'You are no longer a member of Brightwater Joinery',
    );
    await expectFitInEveryLook(tom.page);
    await follow(tom.page, 'Sign in');
    expect(new URL(tom.page.url()).pathname).toBe('/sign-in');

    // What he sent stays under his name.
    await page.goto('/activity');
    await leading(page, () => page.locator(`td a[href="${toms}"]`).click());
    expect(await page.locator('main').textContent()).toContain('Tom Baker');
  });
});
