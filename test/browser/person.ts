import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { TestLetterhead } from '../support/letterhead.ts';

/** Somebody with a browser. */
export interface Person {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors in the console, errors of scripts and violations of the CSP, on any page, of any site. */
  readonly troubles: readonly string[];
}

/** What is different about somebody's browser. */
export interface PersonOptions {
  readonly javaScriptEnabled?: boolean;
  readonly userAgent?: string;
}

/**
 * A new browser profile with one tab; the caller closes the context. Pages hold still: colours that are on their way to
 * others have no contrast to measure.
 */
export async function person(
  browser: Browser,
  { url }: Pick<TestLetterhead, 'url'>,
  { javaScriptEnabled = true, userAgent }: PersonOptions = {},
): Promise<Person> {
  const context = await browser.newContext({
    ...{ baseURL: url, javaScriptEnabled, reducedMotion: 'reduce' },
    ...(userAgent && { userAgent }),
  });
  // Far longer than anything takes on a slow machine under load.
  context.setDefaultTimeout(45_000);
  const page = await context.newPage();
  const visited = new Set<string>();
  const complaints: { readonly text: string; readonly refused: string | null }[] = [];
  page.on('framenavigated', (frame) => frame === page.mainFrame() && visited.add(frame.url()));
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    // A page that refuses something, or says that Google failed, has such a status; Chromium writes that down as an error.
    const refusal = /Failed to load resource: .* status of (4\d\d|502)/.test(message.text());
    complaints.push({ text: `${page.url()}: ${message.text()}`, refused: refusal ? message.location().url : null });
  });
  page.on('pageerror', (error) => complaints.push({ text: `${page.url()}: ${error.message}`, refused: null }));
  return {
    ...{ page, context },
    // Which of them were pages is known only afterwards: the complaint may come before the page, or after the next one.
    get troubles() {
      return complaints.filter(({ refused }) => refused === null || !visited.has(refused)).map(({ text }) => text);
    },
  };
}

/** Does what leads to another page, and waits until that is there. */
export async function leading(page: Page, action: () => Promise<unknown>): Promise<void> {
  await Promise.all([page.waitForEvent('domcontentloaded'), action()]);
}

/** Presses a button that leads to another page. */
export function press(page: Page, name: string | RegExp): Promise<void> {
  return leading(page, () => page.getByRole('button', { name }).click());
}

/** Presses a button that leads to another page, in the part of this one that has such a heading. */
export function pressIn(page: Page, heading: string, name: string): Promise<void> {
  const part = page.getByRole('region', { name: heading });
  return leading(page, () => part.getByRole('button', { name }).click());
}

/** Follows a link; of several of that name, the first. */
export function follow(page: Page, name: string | RegExp): Promise<void> {
  return leading(page, () => page.getByRole('link', { name }).first().click());
}

/** What the person does on Google's pages. */
export interface AtGoogle {
  readonly account: string;
  readonly refuse?: boolean;
  /** Words of the boxes to tick; left out, all of them. */
  readonly tick?: RegExp;
}

/**
 * Walks Google's pages until they lead back: chooser, unverified-app page, consent.
 *
 * @returns the steps that were shown
 */
export async function answerGoogle(page: Page, { account, refuse = false, tick = /./ }: AtGoogle): Promise<string[]> {
  const shown: string[] = [];
  const google = new URL(page.url()).origin;
  while (new URL(page.url()).origin === google) {
    const step = (await page.locator('[data-step]').getAttribute('data-step')) ?? '';
    shown.push(step);
    if (shown.length > 5) throw new Error(`Google goes round in circles: ${shown.join(', ')}`);
    if (step === 'account') await press(page, new RegExp(account));
    else if (step === 'warning') {
      await page.getByText('Advanced').click();
      await press(page, /Go to .* \(unsafe\)/);
    } else if (step === 'consent' && refuse) await press(page, 'Cancel');
    else if (step === 'consent') {
      for (const box of await page.locator('label:has(input[name=scope])').filter({ hasText: tick }).all())
        await box.click();
      await press(page, 'Continue');
    } else throw new Error(`Google shows ${step || 'something else'} at ${page.url()}`);
  }
  return shown;
}

/** Signs in, from the first page. */
export async function signIn(page: Page, account: string): Promise<void> {
  await page.goto('/');
  await press(page, 'Sign in with Google');
  await answerGoogle(page, { account });
}

/** Fills in the company at the first sign-in. */
export async function foundCompany(page: Page, name: string): Promise<void> {
  await page.getByLabel('Company name').fill(name);
  await page.getByLabel('Country').selectOption('IE');
  await page.getByLabel('Currency').selectOption('EUR');
  await page.getByLabel('Time zone').selectOption('Europe/Dublin');
  await press(page, 'Begin');
}

/** Chooses in the settings that what is sent leaves at once. */
export async function sendAtOnce(page: Page): Promise<void> {
  await page.goto('/settings/sending');
  await page.getByLabel('Time to undo').selectOption('Off: it leaves at once');
  await press(page, 'Save');
}
