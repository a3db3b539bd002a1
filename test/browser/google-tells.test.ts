import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { expectFitInEveryLook } from '../support/fit.ts';
import { testClient } from '../support/letterhead.ts';
import { office, openDesk } from './desk.ts';
import { answerGoogle, follow, leading, type Person, press } from './person.ts';

const tomsAddress = 'tom@brightwater.example';
const folder = mkdtempSync(path.join(tmpdir(), 'letterhead-key-'));

const desk = openDesk({ connected: [office] });
let tom: Person;
beforeAll(async () => {
  desk.google.policies.setApp(testClient.clientId, { securityEventsUrl: `${desk.letterhead.url}/google/risc` });
  tom = await desk.colleague(tomsAddress, 'Tom Baker');
});
afterAll(() => rmSync(folder, { recursive: true }));

const told = ({ page }: Pick<Person, 'page'>) => page.getByRole('status').textContent();
const seen = ({ page }: Pick<Person, 'page'>) => page.getByRole('main').textContent();

/** A tab at Google beside Letterhead's. */
async function atGoogle(place: string) {
  const page = await desk.manager.context.newPage();
  await page.goto(`${desk.google.url}${place}`);
  return page;
}

describe('sending for a whole Google Workspace', () => {
  it('is set up with a key file, and with what the page says to paste in the Admin console', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    await follow(page, 'Set up Google Workspace');
    await expectFitInEveryLook(desk.page);

    const cloud = await atGoogle('/control');
    await cloud.getByLabel('Name').fill('letterhead');
    await press(cloud, 'Make a service account');
    const [download] = await Promise.all([
      cloud.waitForEvent('download'),
      cloud.getByRole('button', { name: 'Download a new key file' }).click(),
    ]);
    const file = path.join(folder, download.suggestedFilename());
    expect(path.extname(file)).toBe('.json');
    await download.saveAs(file);

    await page.getByLabel('Key file', { exact: true }).setInputFiles(file);
    await press(page, 'Store and check');
    expect(await seen(desk)).toContain('Waits for your administrator');
    await expectFitInEveryLook(desk.page);
    const [clientId = '', scopes = ''] = await page.locator('code.copy').allTextContents();

    await cloud.goto(`${desk.google.url}/control`);
    await cloud.locator('summary').filter({ hasText: 'brightwater.example' }).click();
    const domain = cloud.locator('details').filter({ hasText: 'brightwater.example' });
    await domain.getByLabel('Client ID').fill(clientId);
    await domain.getByLabel('OAuth scopes').fill(scopes);
    await leading(cloud, () => domain.getByRole('button', { name: 'Authorise' }).click());

    await press(page, 'Check again');
    expect(await told(desk)).toContain('Letterhead can send as the people of brightwater.example now.');
    expect(await seen(desk)).toContain('2 members are sent as this way.');
    await expectFitInEveryLook(desk.page);
    await cloud.close();
  });

  it('lets a member send from their own address, who never connected anything', async () => {
    await desk.page.goto('/settings/email');
    await desk.page.getByRole('radio', { name: /Whoever is signed in/ }).check();
    await press(desk.page, /^Save$/);
    await tom.page.goto('/settings/email');
    expect(await seen(tom)).toContain('your company’s Google Workspace lets Letterhead send as you');
    await press(tom.page, 'Send a test email to myself');
    await tom.page.getByText('Sent', { exact: true }).first().waitFor();
    expect(desk.google.truth.accepted().at(-1)).toMatchObject({ account: tomsAddress });
    await tom.page.goto('/settings/email');
    await expectFitInEveryLook(tom.page);
  });

  it('takes the text of a key file, too, and says what is wrong with another text', async () => {
    const { page } = desk;
    await page.goto('/settings/email/workspace');
    await page.getByText('Use another key file').click();
    await page.getByText('Paste its text instead').click();
    await page.getByLabel('Text of the key file').fill('{"installed": {}}');
    await press(page, 'Store and check');
    expect(await page.getByRole('alert').textContent()).toContain('This is the file of an OAuth client.');
    await expectFitInEveryLook(desk.page);
  });

  it('removed, says before what will stop, and after it that it has', async () => {
    const { page } = desk;
    await page.goto('/settings/email/workspace');
    await page.getByRole('button', { name: 'Remove' }).click();
    expect(await page.getByRole('heading', { name: 'Stop sending for' }).isVisible()).toBe(true);
    await press(page, 'Stop and delete the key');
    expect(await told(desk)).toContain('no longer sends as the people of brightwater.example');
    await tom.page.goto('/settings/email');
    expect(await seen(tom)).toContain('Nothing can be sent by you now.');
  });
});

describe('what Google tells by itself', () => {
  it('shows at once: access removed in the Google account', async () => {
    // Long enough after connecting for the order to be sure.
    desk.google.clock.forward(20 * 60_000);
    const account = await atGoogle(`/account/${office}/connections`);
    await press(account, 'Remove access');
    await desk.google.securityEvents.settled();
    const { page } = desk;
    await page.goto('/settings/email');
    expect(await seen(desk)).toMatch(/Needs reconnecting.*removed Letterhead’s access in the Google account/s);
    await expectFitInEveryLook(desk.page);
    await press(page, 'Reconnect');
    await answerGoogle(page, { account: office });
    expect(await seen(desk)).toContain('Connected');
    await account.close();
  });

  it('shows at once: a changed password', async () => {
    desk.google.clock.forward(20 * 60_000);
    const account = await atGoogle(`/account/${office}/connections`);
    await press(account, 'Change the password');
    await desk.google.securityEvents.settled();
    await desk.page.goto('/settings/email');
    expect(await seen(desk)).toContain('The password of office@brightwater.example was changed');
    await account.close();
  });

  it('shows at once: a disabled account, which can be connected again when it is enabled', async () => {
    const { page, google } = desk;
    await page.goto('/settings/email');
    await press(page, 'Reconnect');
    await answerGoogle(page, { account: office });
    google.clock.forward(20 * 60_000);
    google.accounts.disable(office);
    await google.securityEvents.settled();
    await page.goto('/settings/email');
    expect(await seen(desk)).toContain(`The Google account ${office} is disabled`);
    await follow(page, `Manage ${office}`);
    expect(await seen(desk)).toContain('Sign in at gmail.com with it and follow what Google says there');
    google.accounts.enable(office);
    await google.securityEvents.settled();
    await press(page, 'Reconnect');
    await answerGoogle(page, { account: office });
    expect(await seen(desk)).toContain(`${office} is connected`);
  });

  it('ends the sessions of somebody whose account is disabled, whatever they were about to do', async () => {
    await tom.page.goto('/settings/email');
    desk.google.accounts.disable(tomsAddress, 'hijacking');
    await desk.google.securityEvents.settled();
    await eventually(
      () => desk.google.securityEvents.sent().at(-1)?.status,
      (status) => status === 202,
    );
    await tom.page.reload();
    expect(new URL(tom.page.url()).pathname).toBe('/sign-in');
    await desk.page.goto('/settings/email');
    expect(new URL(desk.page.url()).pathname).toBe('/settings/email');
  });
});
