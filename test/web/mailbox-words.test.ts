import { parse } from 'node-html-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endedWords } from '../../src/mailboxes/ended-words.ts';
import { endMailbox } from '../../src/mailboxes/health.ts';
import type { EndedReason } from '../../src/mailboxes/why-ended.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { someRows } from '../support/at-length.ts';
import { colleague } from '../support/colleague.ts';
import { company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { manyRecords } from '../support/many-records.ts';
import { deliveriesOf, started } from '../support/runs.ts';
import { anInvoice } from '../support/send-page.ts';

/** What is wrong with a mailbox is said in the same words everywhere, and nobody is told to reconnect where that is no help. */

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
});
afterAll(() => letterhead.close());

const reasons: Readonly<Record<EndedReason, 'reconnect' | 'elsewhere'>> = {
  ...{ revoked: 'reconnect', removed: 'reconnect', password_changed: 'reconnect', testing_week: 'reconnect' },
  ...{ unused: 'reconnect', time_limit: 'reconnect', too_many: 'reconnect', admin_policy: 'elsewhere' },
  ...{ account_deleted: 'elsewhere', account_disabled: 'elsewhere', was_disabled: 'reconnect', reauth: 'reconnect' },
  ...{ missing_permission: 'reconnect', no_gmail: 'elsewhere', mailbox_suspended: 'elsewhere', refused: 'elsewhere' },
  ...{ app_changed: 'reconnect', key_lost: 'reconnect', delegation_ended: 'elsewhere' },
  ...{ no_such_person: 'elsewhere', other_person: 'elsewhere' },
};

async function scene(reason: EndedReason) {
  const one = await company(letterhead);
  const record = await anInvoice(letterhead, one);
  await inTenant(letterhead.context.db, one.tenantId, (trx) => manyRecords(trx, one.tenantId, 2));
  const runId = await started(letterhead.context, one);
  const [first] = await deliveriesOf(letterhead.context, one, runId);
  await inTenant(letterhead.context.db, one.tenantId, async (trx) => {
    await endMailbox(trx, one.tenantId, one.mailboxId, {
      reason,
      sure: true,
      from: 'gmail',
      at: letterhead.context.clock(),
    });
    await trx.updateTable('deliveries').set({ state: 'held', held_reason: 'mailbox_needs_reconnect' }).execute();
  });
  const { pages: mo } = await colleague(letterhead, one, 'Mo');
  const words = endedWords({ reason, sure: true }, one.account);
  expect(words.first).toBe(reasons[reason]);
  const email = `/deliveries/${first?.id}`;
  const places = [
    ['the banner', one.founder, '/documents?kind=invoice', [words.title, words.what]],
    ['Home of who cannot mend it', mo, '/', [words.title, words.what]],
    ['Activity', one.founder, '/activity', [words.title]],
    ['what needs somebody', one.founder, '/activity?show=attention', [words.title]],
    ['an email', one.founder, email, [words.title, words.what, words.fix]],
    ['the run', mo, `/runs/${runId}`, [words.title, words.what, words.remedy]],
    ['the email settings', one.founder, '/settings/email', [words.title, words.what, words.fix, words.pill]],
    ['the mailbox', one.founder, `/mailboxes/${one.mailboxId}`, [words.title, words.what, words.fix, words.pill]],
    ['the history', one.founder, '/activity/mailboxes', [words.what]],
    ['the rules', one.founder, '/settings/email/rules', [words.pill]],
    ['the send page', mo, `/documents/${record.id}/deliveries/new`, [words.title, words.what, words.remedy]],
    ['the page of a run to be', mo, '/runs/new?kind=invoice&all=1', [words.title, words.what, words.remedy]],
  ] as const;
  return { words, places };
}

describe('every trouble of a mailbox, in every place', () => {
  it.each(someRows(Object.keys(reasons) as EndedReason[]))('%s', async (reason) => {
    const { words, places } = await scene(reason);
    for (const [place, who, path, told] of places) {
      const page = await who.get(path);
      expect([place, page.status]).toEqual([place, 200]);
      const text = parse(page.text).text.replaceAll(/\s+/g, ' ');
      for (const each of told) expect(text, place).toContain(each);
      // Of one that connecting again does not mend, nobody is told to do that first.
      if (words.first === 'elsewhere')
        expect(text.replaceAll(words.fix, ''), place).not.toMatch(
          /must be connected( to Gmail)? again|Needs reconnecting|Waits for reconnecting/i,
        );
    }
  });
});
