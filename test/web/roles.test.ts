import type { HTMLElement } from 'node-html-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MemberRole } from '../../src/platform/database-types.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { colleague } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { aDelivery } from '../support/rows.ts';
import { startRunOf } from '../support/run-page.ts';
import { anInvoice, sent } from '../support/send-page.ts';
import { sessionCookie } from '../support/session.ts';
import { TextBrowser } from '../support/text-browser.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
});
afterAll(() => letterhead.close());

/** A company with something of everything: whatever a page offers of it is there. */
async function busyCompany(): Promise<Company> {
  const office = await company(letterhead, { sendAs: [{ email: 'accounts@busy.example', status: 'accepted' }] });
  const draft = await office.founder.post('/documents', {
    ...{ kind: 'invoice', issueDate: '2026-12-01', currency: 'EUR', 'party[name]': 'Elm', do: 'draft', partyId: 'new' },
    ...{ 'lines[0][name]': 'Chair', 'lines[0][quantity]': '-1', 'lines[0][unitPrice]': '5' },
  });
  expect(draft.status).toBe(303);
  await sent(office.founder, await anInvoice(letterhead, office));
  await startRunOf(office.founder, `kind=invoice&id=${(await anInvoice(letterhead, office)).id}`);
  await inTenant(letterhead.database.db, office.tenantId, async (trx) => {
    for (const state of ['unconfirmed', 'failed', 'held', 'sent', 'cancelled'] as const)
      await aDelivery(trx, office.tenantId, office.memberId, state, office.mailboxId);
  });
  await office.founder.post('/settings/members/invitations', { email: 'new@busy.example', role: 'viewer' });
  return office;
}

/** Somebody of the company in this role. */
async function browserOf(office: Company, role: MemberRole): Promise<TextBrowser> {
  const memberId = role === 'owner' ? office.memberId : (await colleague(letterhead, office, role, role)).memberId;
  const { person_id: personId } = await inTenant(letterhead.database.db, office.tenantId, (trx) =>
    trx.selectFrom('members').select('person_id').where('id', '=', memberId).executeTakeFirstOrThrow(),
  );
  const browser = new TextBrowser(letterhead.url);
  browser.setCookie(await sessionCookie(letterhead, { personId, tenantId: office.tenantId }));
  return browser;
}

/** An address without what is different from one thing to the next. */
function patternOf(address: URL): string {
  const kind = address.searchParams.get('kind') ?? '';
  return `${address.pathname} ${kind}`.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, ':id');
}

/** What ends the session, or leaves the company: there is nothing to look at behind it. */
const isLeaving = (path: string) => /^\/(sign-out|sign-in|tenant-switch|settings\/members\/departure)/.test(path);

/** Everything that a role is offered by a link, and every button of those pages: what each answers. */
async function everythingOffered(browser: TextBrowser) {
  const pages = new Map<string, { readonly at: string; readonly status: number; readonly from: string }>();
  const buttons = new Map<string, { readonly at: string; readonly name: string }>();
  const waiting: { at: string; from: string }[] = [{ at: '/', from: '' }];
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const pattern = patternOf(new URL(next.at, letterhead.url));
    if (pages.has(pattern)) continue;
    await browser.goto(next.at);
    pages.set(pattern, { at: next.at, status: browser.status, from: next.from });
    for (const link of browser.all('#main a[href], #menu a[href]')) {
      const url = new URL(link.getAttribute('href') ?? '', browser.url);
      if (url.origin === letterhead.url && !isLeaving(url.pathname))
        waiting.push({ at: url.pathname + url.search, from: next.at });
    }
    for (const button of browser.all('#main form button')) {
      const action = actionOf(button, browser.url);
      const name = button.text.replace(/\s+/g, ' ').trim();
      const isPost = button.closest('form')?.getAttribute('method') === 'post';
      if (!isPost || !action || button.getAttribute('type') === 'button' || button.hasAttribute('disabled')) continue;
      const key = `${patternOf(action)} ${button.getAttribute('value') ?? ''}`.replaceAll(/[0-9a-f-]{36}/g, ':id');
      if (!isLeaving(action.pathname)) buttons.set(key, buttons.get(key) ?? { at: next.at, name });
    }
  }
  return { pages, buttons };
}

function actionOf(button: HTMLElement, here: URL): URL | undefined {
  const action = button.getAttribute('formaction') ?? button.closest('form')?.getAttribute('action');
  return action === undefined ? undefined : new URL(action, here);
}

describe('what somebody is offered is theirs to do', () => {
  it.each<[MemberRole, least: number, pressed: readonly string[], never: RegExp]>([
    ['owner', 30, ['Save'], /^$/],
    ['admin', 30, ['Save'], /^It is right$/],
    ['member', 25, ['Save contact'], /^(Invite|Change the role|Connect Gmail|Disconnect|It is right)/],
    [
      'viewer',
      12,
      [],
      /^(Save (?!$)|Invite|Send|Undo|Cancel|Import|Mark as|Finalise|Delete|Connect|Pause|Merge|Decide)/,
    ],
  ])(
    '%s: no link leads nowhere, and no button is refused for the role',
    async (role, least, pressed, never) => {
      const office = await busyCompany();
      const browser = await browserOf(office, role);
      const { pages, buttons } = await everythingOffered(browser);
      expect(pages.size).toBeGreaterThan(least);
      expect([...pages.values()].filter(({ status }) => status >= 400)).toEqual([]);
      const names = [...buttons.values()].map(({ name }) => name);
      for (const name of pressed) expect(names).toContain(name);
      expect(names.filter((name) => never.test(name))).toEqual([]);
      const refused: string[] = [];
      for (const [key, { at, name }] of buttons) {
        await browser.goto(at);
        // What an earlier button did may have taken this one away.
        const [button] = browser
          .all('#main form button')
          .filter((each) => each.text.replace(/\s+/g, ' ').trim() === name && each.getAttribute('type') !== 'button');
        const form = button?.closest('form');
        if (!form) continue;
        const exact = new RegExp(`^${name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
        await browser.press(exact, form).catch((error: unknown) => refused.push(`${key}: ${error}`));
        if (browser.status === 403 || browser.status >= 500)
          refused.push(`${key} at ${at} (${name}): ${browser.status}`);
      }
      expect(refused).toEqual([]);
    },
    240_000,
  );
});
