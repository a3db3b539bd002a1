import type { AppPolicy, FaultRule, LocalGoogle } from 'local-google';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { sharedChromium } from '../support/chromium.ts';
import { connected, found, join, type Seat } from '../support/found.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import type { ProductOptions } from '../support/product.ts';
import { sessionCookie } from '../support/session.ts';
import { answerGoogle, type Person, type PersonOptions, person, press } from './person.ts';

/** As long as the pages give it unless told otherwise. */
export const undoSeconds = 10;

/** The office manager of the demo company. */
export const dana = 'dana@brightwater.example';
/** The company's account. */
export const office = 'office@brightwater.example';

/** What a test of pages begins with: Letterhead with a Google of its own, and the office manager in front of it. */
export interface Desk {
  readonly letterhead: TestLetterhead;
  readonly google: LocalGoogle;
  readonly browser: Browser;
  /** The office manager. */
  readonly manager: Person;
  readonly page: Page;
  /** What Google answers from now on, until the test is over: to a request for tokens, unless told. */
  fault(effect: FaultRule['effect'], method?: string): void;
  /** Decides at Google how our app stands there. */
  setApp(policy: Partial<AppPolicy>): void;
  /** Somebody else with a browser of their own. What trouble their pages make fails the test, too. */
  another(options?: PersonOptions): Promise<Person>;
  /** Somebody with a Google account of their own, who is a member of the company and signed in. */
  colleague(account: string, name: string): Promise<Person>;
}

/** How far the manager is when the first test begins. */
export interface DeskOptions extends ProductOptions, PersonOptions {
  /** Google accounts there are besides those of the demo, as `[address, name]`. */
  readonly accounts?: readonly (readonly [string, string])[];
  /** Whether they have signed in and founded the company, as they have unless told. */
  readonly founded?: boolean;
  /** The Google account of the manager, and the name of their company; those of the demo unless told. */
  readonly account?: string;
  readonly company?: string;
  /** Which Gmail accounts they have connected by then; their own one as their own. */
  readonly connected?: readonly string[];
}

interface Beginning {
  readonly letterhead: TestLetterhead;
  /** The manager, where the company is founded. */
  readonly owner: Seat | undefined;
}

/** Starts Letterhead, as far as it is wanted. */
export async function begin({
  accounts = [],
  founded = true,
  account: own = dana,
  company = 'Brightwater Joinery',
  connected: accountsConnected = [],
  ...product
}: DeskOptions): Promise<Beginning> {
  const letterhead = await startTestLetterhead(product);
  for (const [email, name] of accounts) letterhead.google.accounts.add({ email, name });
  if (!founded) return { letterhead, owner: undefined };
  const owner = await found(letterhead, own, company, undoSeconds);
  for (const account of accountsConnected)
    await connected(letterhead, owner, account, [], account === own ? 'personal' : 'shared');
  return { letterhead, owner };
}

/**
 * Opens a desk before the tests of a file, and closes it after them. After each test, faults of Google are taken away,
 * and nobody's browser may have complained.
 */
export function openDesk(options: DeskOptions = {}): Desk {
  const { javaScriptEnabled = true } = options;
  let begun: Beginning | undefined;
  let browser: Browser | undefined;
  let manager: Person | undefined;
  const people: Person[] = [];

  beforeAll(async () => {
    people.length = 0;
    browser = await sharedChromium();
    begun = await begin(options);
    const { letterhead, owner } = begun;
    manager = await desk.another({ javaScriptEnabled });
    if (!owner) return;
    await manager.context.addCookies([{ ...(await sessionCookie(letterhead, owner)), url: letterhead.url }]);
    await manager.page.goto('/');
  });
  afterEach(() => {
    begun?.letterhead.google.faults.clear();
    expect(people.flatMap(({ troubles }) => troubles)).toEqual([]);
  });
  afterAll(async () => {
    for (const { context } of people) await context.close();
    await begun?.letterhead.close();
  });

  const desk: Desk = {
    get letterhead() {
      return opened(begun).letterhead;
    },
    get google() {
      return opened(begun).letterhead.google;
    },
    get browser() {
      return opened(browser);
    },
    get manager() {
      return opened(manager);
    },
    get page() {
      return opened(manager).page;
    },
    fault: (effect, method = 'token') => void desk.google.faults.add({ method, times: 100, effect }),
    setApp: (policy) => void desk.google.policies.setApp(testClient.clientId, policy),
    async another(as = {}) {
      const somebody = await person(opened(browser), opened(begun).letterhead, as);
      people.push(somebody);
      return somebody;
    },
    async colleague(account, name) {
      const { letterhead, owner } = opened(begun);
      letterhead.google.accounts.add({ email: account, name });
      const seat = await join(letterhead, opened(owner), account);
      const somebody = await desk.another();
      await somebody.context.addCookies([{ ...(await sessionCookie(letterhead, seat)), url: letterhead.url }]);
      return somebody;
    },
  };
  return desk;
}

/** Connects Gmail, from the email settings: an account of the company, or the manager's own. */
export async function connectOnPages(page: Page, account: string): Promise<void> {
  await page.goto('/settings/email');
  await press(page, account === dana ? 'Connect my own Gmail' : /^Connect (to|another) Gmail$/);
  await answerGoogle(page, { account });
}

function opened<T>(what: T | undefined): T {
  if (what === undefined) throw new Error('The desk is opened before the first test, not while a file is read.');
  return what;
}
