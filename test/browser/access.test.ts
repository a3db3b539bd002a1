import { beforeAll, describe, expect, it } from 'vitest';
import { expectFitInEveryLook } from '../support/fit.ts';
import type { TextBrowser } from '../support/text-browser.ts';
import { dana, office } from './desk.ts';
import { leading } from './person.ts';
import { answerGoogle, openTextDesk, sendAtOnce, showing } from './text-desk.ts';

const tomsAddress = 'tom@brightwater.example';

const desk = openTextDesk({ connected: [office, dana] });
let tom: TextBrowser;
beforeAll(async () => {
  await sendAtOnce(desk.page);
  tom = await desk.colleague(tomsAddress, 'Tom Baker');
});

const told = () => desk.page.text('[role=status]');
const region = (heading: string) =>
  desk.page.all('section').find((each) => each.querySelector('h2, h3')?.text.trim() === heading);

describe('who may use the company’s Gmail', () => {
  it('is narrowed with a tick each; the list is there only while it matters', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    await page.follow(`Manage ${office}`);
    await desk.expectFit();
    await page.follow('Choose who may use it');
    const seen = await desk.inChromium();
    const toms = seen.getByRole('checkbox', { name: /Tom Baker/ });
    expect(await toms.isVisible()).toBe(false);
    await seen.getByLabel(/Only the members ticked/).check();
    expect(await toms.isVisible()).toBe(true);
    await expectFitInEveryLook(seen);

    page.check(/Only the members ticked/);
    page.check(/Dana Reyes/);
    await page.press('Save');
    expect(told()).toContain(`1 member may use ${office} now.`);
    expect(page.field(/Dana Reyes/).hasAttribute('checked')).toBe(true);
    expect(page.field(/Tom Baker/).hasAttribute('checked')).toBe(false);

    await tom.goto('/settings/email');
    expect(tom.text()).not.toContain(office);
    expect(tom.text('.because')).toContain('you may not use it');
    await desk.expectFit(tom);
    await page.goto('/settings/email/rules');
    await desk.expectFit();
    await page.follow('Let them use it');
    page.check(/Tom Baker/);
    await page.press('Save');
  });

  it('comes with a name and an address for replies, which the page before sending shows', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    await page.follow(`Manage ${office}`);
    await page.follow('Change name and replies');
    await desk.expectFit();
    page.fill('Name', 'Brightwater, the joiners');
    page.fill(/Replies go to/, 'hello@brightwater.example');
    await page.press('Save');
    await tom.goto('/settings/email');
    const sentence = tom.text('.because');
    expect(sentence).toContain(`Brightwater, the joiners <${office}>`);
    expect(sentence).toContain('Replies go to hello@brightwater.example');
  });
});

describe('whoever is signed in', () => {
  it('has the default stand in where the company says so, and is told before sending', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    page.check(/Whoever is signed in/);
    await page.press('Save', region('Send from'));
    page.check(/The default Gmail stands in/);
    await page.press('Save', region('When somebody’s own address is not connected'));
    await desk.expectFit();
    await tom.goto('/settings/email');
    expect(tom.text('.because')).toContain(`Replies go to ${tomsAddress}`);
    await desk.expectFit(tom);
    await tom.press('Send a test email to myself');
    await showing(tom, '[data-state=sent]');
    expect(desk.google.truth.accepted().at(-1)).toMatchObject({ from: { address: office } });
  });
});

describe('a member', () => {
  it('is given another role', async () => {
    const { page } = desk;
    await page.goto('/settings/members');
    page.select('Role of Tom Baker', 'Admin');
    await page.press('Change the role of Tom Baker');
    expect(told()).toContain('Tom Baker is an admin now.');
    await desk.expectFit();
  });

  it('is removed after a question that says what it means, while at Google, and is told so afterwards', async () => {
    const { page } = desk;
    await tom.goto('/settings/email');
    await tom.press('Send a test email to myself');
    const { pathname: toms } = tom.url;
    await tom.goto('/settings/email');
    await tom.press('Connect my own Gmail');
    await page.goto('/settings/members');
    const seen = await desk.inChromium();
    await seen.getByRole('button', { name: 'Remove Tom Baker' }).click();
    await expectFitInEveryLook(seen);
    const question = seen.locator('.dialog:popover-open');
    expect(await question.textContent()).toContain('their own Gmail is disconnected');
    await question.getByRole('button', { name: 'Cancel' }).click();
    expect(await question.count()).toBe(0);
    await seen.getByRole('button', { name: 'Remove Tom Baker' }).click();
    await leading(seen, () => question.getByRole('button', { name: 'Remove' }).click());
    expect(await seen.getByRole('status').textContent()).toContain('Tom Baker is no longer a member.');
    await expectFitInEveryLook(seen);

    // What comes of his answer stands at an address that carries nothing of it.
    await answerGoogle(tom, { account: tomsAddress });
    expect(tom.url.href).toBe(`${desk.letterhead.url}/google/answer`);
    expect(tom.text('h1')).toBe('You are no longer a member of Brightwater Joinery');
    await desk.expectFit(tom);
    await tom.follow('Sign in');
    expect(tom.url.pathname).toBe('/sign-in');

    // What he sent stays under his name.
    await page.goto('/activity');
    expect(page.all(`td a[href="${toms}"]`)).toHaveLength(1);
    await page.goto(toms);
    expect(page.text()).toContain('Tom Baker');
  });
});
