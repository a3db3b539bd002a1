import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { testClient } from '../support/letterhead.ts';
import { TextBrowser } from '../support/text-browser.ts';
import { office } from './desk.ts';
import { answerGoogle, openTextDesk, showing } from './text-desk.ts';

const tomsAddress = 'tom@brightwater.example';

const desk = openTextDesk({ connected: [office] });
let tom: TextBrowser;
beforeAll(async () => {
  desk.google.policies.setApp(testClient.clientId, { securityEventsUrl: `${desk.letterhead.url}/google/risc` });
  tom = await desk.colleague(tomsAddress, 'Tom Baker');
});

const told = () => desk.page.text('[role=status]');
const seen = (page = desk.page) => page.text('main');

/** A tab at Google beside Letterhead's. */
async function atGoogle(place: string) {
  const page = new TextBrowser(desk.google.url);
  await page.goto(place);
  return page;
}

describe('sending for a whole Google Workspace', () => {
  it('is set up with a key file, and with what the page says to paste in the Admin console', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    await page.follow('Set up Google Workspace');
    await desk.expectFit();

    const cloud = await atGoogle('/control');
    cloud.fill('Name', 'letterhead');
    await cloud.press('Make a service account');
    const { fileName, text } = await cloud.pressToDownload('Download a new key file');
    expect(fileName).toMatch(/\.json$/);

    page.chooseFile('Key file', { name: fileName, bytes: new TextEncoder().encode(text) });
    await page.press('Store and check');
    expect(seen()).toContain('Waits for your administrator');
    await desk.expectFit();
    const [clientId = '', scopes = ''] = page.texts('code.copy');

    await cloud.goto('/control');
    const domain = cloud.all('details').find((each) => each.text.includes('brightwater.example'));
    if (!domain) throw new Error('no such domain at Google');
    cloud.fill('Client ID', clientId, domain);
    cloud.fill('OAuth scopes', scopes, domain);
    await cloud.press('Authorise', domain);

    await page.press('Check again');
    expect(told()).toContain('Letterhead can send as the people of brightwater.example now.');
    expect(seen()).toContain('2 members are sent as this way.');
    await desk.expectFit();
  });

  it('lets a member send from their own address, who never connected anything', async () => {
    await desk.page.goto('/settings/email');
    desk.page.check(/Whoever is signed in/);
    await desk.page.press(/^Save$/);
    await tom.goto('/settings/email');
    expect(seen(tom)).toContain('your company’s Google Workspace lets Letterhead send as you');
    await tom.press('Send a test email to myself');
    await showing(tom, '[data-state=sent]');
    expect(desk.google.truth.accepted().at(-1)).toMatchObject({ account: tomsAddress });
    await tom.goto('/settings/email');
    await desk.expectFit(tom);
  });

  it('takes the text of a key file, too, and says what is wrong with another text', async () => {
    const { page } = desk;
    await page.goto('/settings/email/workspace');
    page.fill('Text of the key file', '{"installed": {}}');
    await page.press('Store and check');
    expect(page.text('[role=alert]')).toContain('This is the file of an OAuth client.');
    await desk.expectFit();
  });

  it('removed, says before what will stop, and after it that it has', async () => {
    const { page } = desk;
    await page.goto('/settings/email/workspace');
    expect(page.texts('#main h3')).toContainEqual(expect.stringContaining('Stop sending for'));
    await page.press('Stop and delete the key');
    expect(told()).toContain('no longer sends as the people of brightwater.example');
    await tom.goto('/settings/email');
    expect(seen(tom)).toContain('Nothing can be sent by you now.');
  });
});

describe('what Google tells by itself', () => {
  it('shows at once: access removed in the Google account', async () => {
    // Long enough after connecting for the order to be sure.
    desk.google.clock.forward(20 * 60_000);
    const account = await atGoogle(`/account/${office}/connections`);
    await account.press('Remove access');
    await desk.google.securityEvents.settled();
    const { page } = desk;
    await page.goto('/settings/email');
    expect(seen()).toMatch(/Needs reconnecting.*removed Letterhead’s access in the Google account/s);
    await desk.expectFit();
    await page.press('Reconnect');
    await answerGoogle(page, { account: office });
    expect(seen()).toContain('Connected');
  });

  it('shows at once: a changed password', async () => {
    desk.google.clock.forward(20 * 60_000);
    const account = await atGoogle(`/account/${office}/connections`);
    await account.press('Change the password');
    await desk.google.securityEvents.settled();
    await desk.page.goto('/settings/email');
    expect(seen()).toContain('The password of office@brightwater.example was changed');
  });

  it('shows at once: a disabled account, which can be connected again when it is enabled', async () => {
    const { page, google } = desk;
    await page.goto('/settings/email');
    await page.press('Reconnect');
    await answerGoogle(page, { account: office });
    google.clock.forward(20 * 60_000);
    google.accounts.disable(office);
    await google.securityEvents.settled();
    await page.goto('/settings/email');
    expect(seen()).toContain(`The Google account ${office} is disabled`);
    await page.follow(`Manage ${office}`);
    expect(seen()).toContain('Sign in at gmail.com with it and follow what Google says there');
    google.accounts.enable(office);
    await google.securityEvents.settled();
    await page.press('Reconnect');
    await answerGoogle(page, { account: office });
    expect(seen()).toContain(`${office} is connected`);
  });

  it('ends the sessions of somebody whose account is disabled, whatever they were about to do', async () => {
    await tom.goto('/settings/email');
    desk.google.accounts.disable(tomsAddress, 'hijacking');
    await desk.google.securityEvents.settled();
    await eventually(
      () => desk.google.securityEvents.sent().at(-1)?.status,
      (status) => status === 202,
    );
    await tom.reload();
    expect(tom.url.pathname).toBe('/sign-in');
    await desk.page.goto('/settings/email');
    expect(desk.page.url.pathname).toBe('/settings/email');
  });
});
