import type { AppPolicy, FaultRule, LocalGoogle } from 'local-google';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { looksAtLength } from '../support/at-length.ts';
import { sharedChromium } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { expectFitInEveryLook } from '../support/fit.ts';
import { type TestLetterhead, testClient } from '../support/letterhead.ts';
import { sessionCookie } from '../support/session.ts';
import { TextBrowser } from '../support/text-browser.ts';
import { begin, type DeskOptions } from './desk.ts';
import { type AtGoogle, type Person, person } from './person.ts';

/**
 * A desk whose people read pages and press buttons in a browser of words; Chromium opens a page only where it is looked at.
 * Otherwise as `Desk`.
 */
export interface TextDesk {
  readonly letterhead: TestLetterhead;
  readonly google: LocalGoogle;
  /** The browser of the office manager. */
  readonly page: TextBrowser;
  fault(effect: FaultRule['effect'], method?: string): void;
  setApp(policy: Partial<AppPolicy>): void;
  /** Somebody with a Google account of their own, whom the manager invites, and who signs in and accepts. */
  colleague(account: string, name: string): Promise<TextBrowser>;
  /** Opens the page at hand in Chromium, for what only styles and scripts do. The manager's, unless told. */
  inChromium(page?: TextBrowser): Promise<Page>;
  /** In `npm run test:all`: looks at this page in Chromium, wide and light, narrow and dark. The manager's, unless told. */
  expectFit(page?: TextBrowser): Promise<void>;
}

/** Opens it before the tests of a file, and closes it after them. */
export function openTextDesk(options: DeskOptions = {}): TextDesk {
  let letterhead: TestLetterhead | undefined;
  let page: TextBrowser | undefined;
  const people = new Map<TextBrowser, Person>();

  beforeAll(async () => {
    people.clear();
    const begun = await begin(options);
    letterhead = begun.letterhead;
    page = new TextBrowser(letterhead.url);
    if (!begun.owner) return;
    page.setCookie(await sessionCookie(letterhead, begun.owner));
    await page.goto('/');
  });
  afterEach(() => {
    letterhead?.google.faults.clear();
    expect([...people.values()].flatMap(({ troubles }) => troubles)).toEqual([]);
  });
  afterAll(async () => {
    for (const { context } of people.values()) await context.close();
    await letterhead?.close();
  });

  const desk: TextDesk = {
    get letterhead() {
      if (!letterhead) throw new Error('The desk is opened before the first test, not while a file is read.');
      return letterhead;
    },
    get google() {
      return desk.letterhead.google;
    },
    get page() {
      if (!page) throw new Error('The desk is opened before the first test, not while a file is read.');
      return page;
    },
    fault: (effect, method = 'token') => void desk.google.faults.add({ method, times: 100, effect }),
    setApp: (policy) => void desk.google.policies.setApp(testClient.clientId, policy),
    async colleague(account, name) {
      desk.google.accounts.add({ email: account, name });
      await desk.page.goto('/settings/members');
      desk.page.fill('Email address', account);
      await desk.page.press('Invite');
      const somebody = new TextBrowser(desk.letterhead.url);
      await somebody.goto('/');
      await somebody.press('Sign in with Google');
      await answerGoogle(somebody, { account });
      await somebody.follow(/^Open the invitation/);
      await somebody.press(/^Accept/);
      return somebody;
    },
    async inChromium(of = desk.page) {
      const looking = people.get(of) ?? (await person(await sharedChromium(), desk.letterhead));
      people.set(of, looking);
      await looking.context.addCookies(of.cookies().map((cookie) => ({ ...cookie, url: desk.letterhead.url })));
      const { answered } = of;
      if (answered)
        await looking.page.route(
          of.url.href,
          (route) =>
            route.fulfill({
              body: answered.html,
              contentType: 'text/html; charset=utf-8',
              headers: { 'content-security-policy': answered.csp },
            }),
          { times: 1 },
        );
      await looking.page.goto(of.url.href);
      return looking.page;
    },
    async expectFit(of = desk.page) {
      if (looksAtLength()) await expectFitInEveryLook(await desk.inChromium(of));
    },
  };
  return desk;
}

/** Walks Google's pages until they lead back, as the one in `person.ts` does in Chromium. Returns the steps that were shown. */
export async function answerGoogle(
  page: TextBrowser,
  { account, refuse = false, tick = /./ }: AtGoogle,
): Promise<string[]> {
  const shown: string[] = [];
  const google = page.url.origin;
  while (page.url.origin === google) {
    const step = page.attribute('[data-step]', 'data-step') ?? '';
    shown.push(step);
    if (shown.length > 5) throw new Error(`Google goes round in circles: ${shown.join(', ')}`);
    if (step === 'account') await page.press(new RegExp(account));
    else if (step === 'warning') await page.press(/Go to .* \(unsafe\)/);
    else if (step === 'consent' && refuse) await page.press('Cancel');
    else if (step === 'consent') {
      for (const label of page.all('label').filter((each) => each.querySelector('input[name=scope]')))
        if (tick.test(label.text)) label.querySelector('input')?.setAttribute('checked', '');
      await page.press('Continue');
    } else throw new Error(`Google shows ${step || 'something else'} at ${page.url}`);
  }
  return shown;
}

/** Opens the page anew until it has such an element: what a page in Chromium comes to show by itself. */
export async function showing(page: TextBrowser, selector: string): Promise<void> {
  await eventually(
    async () => {
      if (page.all(selector).length === 0) await page.reload();
      return page.all(selector).length;
    },
    (count) => count > 0,
  );
}

/** Chooses in the settings that what is sent leaves at once. */
export async function sendAtOnce(page: TextBrowser): Promise<void> {
  await page.goto('/settings/sending');
  page.select('Time to undo', 'Off: it leaves at once');
  await page.press('Save');
}
