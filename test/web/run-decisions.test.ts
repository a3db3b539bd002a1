import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { aMinuteLater } from '../support/answered.ts';
import { type Colleague, colleague } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { deliverNow } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { manyRecords } from '../support/many-records.ts';
import { deliveriesOf, putInto, runNow, started } from '../support/runs.ts';
import type { Page } from '../support/visitor.ts';

/** What somebody decides about a whole run names them, and can be undone as long as that of a single email. */

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
});
afterAll(() => letterhead.close());

const said = ({ text }: Page) => text.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');
async function aRun(count: number) {
  const sender = await company(letterhead);
  const mo = await colleague(letterhead, sender, 'Mo');
  await inTenant(letterhead.context.db, sender.tenantId, (trx) => manyRecords(trx, sender.tenantId, count));
  const runId = await started(letterhead.context, sender);
  const ids = (await deliveriesOf(letterhead.context, sender, runId)).map(({ id }) => id);
  return { sender, mo, runId, ids };
}
const until = ({ text }: Page) => /name="until" value="([^"]+)"/.exec(text)?.[1] ?? '';
const post = async (mo: Colleague, runId: string, what: string, form: Record<string, string>) => {
  await mo.pages.post(`/runs/${runId}/${what}`, form);
  return mo.pages.get(`/runs/${runId}`);
};
const changes = async ({ founder }: Company) => said(await founder.get('/settings/changes'));

describe('what somebody says of all that nobody knows of', () => {
  it.each([
    ['send_again', /3 emails are sent again in a minute\. Until then this can be undone\./, 'Had 3 emails sent again'],
    ['mark_as_sent', /3 emails are marked as sent\. For a minute this can be undone\./, 'Marked 3 emails as sent'],
  ] as const)(
    'by %s can be undone on the run’s page for a minute, and names them',
    async (decision, notice, change) => {
      const { sender, mo, runId, ids } = await aRun(4);
      await putInto(letterhead.context, sender, ids.slice(0, 3), 'unconfirmed');
      const decide = async () =>
        post(mo, runId, 'decision', { decision, until: until(await mo.pages.get(`/runs/${runId}`)) });
      const page = await decide();
      expect(said(page)).toMatch(notice);
      expect(page.text).toMatch(/name="decision" value="take_back"/);
      const undone = await post(mo, runId, 'decision', { decision: 'take_back', until: until(page) });
      expect(said(undone)).toContain('3 answers were undone.');
      expect((await runNow(letterhead.context, sender, runId)).counts).toMatchObject({ unconfirmed: 3, held: 0 });

      await decide();
      await aMinuteLater(letterhead);
      const late = await post(mo, runId, 'decision', { decision: 'take_back', until: until(page) });
      expect(said(late)).toContain('It has moved on meanwhile');
      expect((await runNow(letterhead.context, sender, runId)).counts).toMatchObject({ unconfirmed: 0 });
      const { events } = await sender.delivery(ids[0] ?? '');
      expect(events.slice(0, 4).map(({ memberName }) => memberName)).toEqual(['Mo', 'Mo', 'Mo', 'Mo']);
      expect(await changes(sender)).toMatch(
        new RegExp(
          `Mo \\S+ ${change} In a run of invoices, after a look into Gmail\\..*Mo \\S+ Undid what was said of 3 emails`,
        ),
      );
    },
  );

  it('goes on past those that it does not fit', async () => {
    const { sender, mo, runId, ids } = await aRun(3);
    await putInto(letterhead.context, sender, ids.slice(0, 2), 'unconfirmed');
    const page = await mo.pages.get(`/runs/${runId}`);
    await sender.founder.post(`/deliveries/${ids[0]}/decision`, { decision: 'mark_as_sent' });
    const after = await post(mo, runId, 'decision', { decision: 'send_again', until: until(page) });
    expect(said(after)).toContain('1 email is sent again in a minute.');
    expect(await sender.delivery(ids[0] ?? '')).toMatchObject({ heldReason: 'found' });
    expect(await sender.delivery(ids[1] ?? '')).toMatchObject({ heldReason: 'not_found' });
  });
});

it('pausing, resuming and cancelling name who did it, with each email and in the list of changes', async () => {
  const { sender, mo, runId, ids } = await aRun(2);
  expect(said(await post(mo, runId, 'control', { control: 'pause' }))).toContain(
    'Paused. 2 emails wait until it is resumed.',
  );
  expect(said(await post(mo, runId, 'control', { control: 'resume' }))).toContain(
    'Resumed. 2 emails are going out now.',
  );
  // What is held for another reason waits for the run as well.
  await sender.founder.post(`/mailboxes/${sender.mailboxId}/pause`);
  await deliverNow(letterhead, sender, ids[1] ?? '');
  expect((await sender.delivery(ids[1] ?? '')).heldReason).toBe('mailbox_paused');
  expect(said(await post(mo, runId, 'control', { control: 'pause' }))).toContain(
    'Paused. 2 emails wait until it is resumed.',
  );
  await sender.founder.post(`/mailboxes/${sender.mailboxId}/resumption`);
  // It came back to the queue while its run was paused.
  await putInto(letterhead.context, sender, ids.slice(0, 1), 'queued');
  await deliverNow(letterhead, sender, ids[0] ?? '');
  const [stopped] = (await sender.delivery(ids[0] ?? '')).events;
  expect(stopped).toMatchObject({ detail: 'Its run was paused.', memberName: 'Mo' });
  expect(said(await post(mo, runId, 'control', { control: 'cancel' }))).toContain('Cancelled. 2 emails do not leave.');
  expect((await sender.delivery(ids[1] ?? '')).events[0]).toMatchObject({ state: 'cancelled', memberName: 'Mo' });
  expect(await changes(sender)).toMatch(
    /Mo \S+ Cancelled a run of invoices 2 emails had not left\..*Mo \S+ Paused a run .*Mo \S+ Resumed a run .*2 emails go on/,
  );
});
