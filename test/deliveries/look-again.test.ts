import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Company, company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ timeStands: true });
});
afterAll(() => letterhead.close());

/** Moves the clock on until a person is asked about it. */
async function asked(sender: Company, id: string) {
  await eventually(
    () => sender.delivery(id),
    ({ attempts }) => attempts[0]?.outcome === 'unknown',
  );
  letterhead.google.clock.forward(200_000);
  await sender.reaches(id, 'unconfirmed');
}

it.each([
  ['is found, and counts as sent', 'after', 'tracking'],
  ['turns out not to have left, and is sent', 'before', 'tracking'],
] as const)('what a person was asked about %s as soon as we may look ourselves', async (_what, when, permission) => {
  const sender = await company(letterhead);
  letterhead.google.faults.add({
    ...{ method: 'messages.send', account: sender.account, effect: { kind: 'drop', when } },
  });
  const id = await sender.send();
  await asked(sender, id);
  await sender.founder.permit(permission, sender.account);
  const sent = await sender.reaches(id, 'sent');
  expect(sent.providerMessageId).not.toBeNull();
  expect(sender.accepted(id)).toHaveLength(1);
});

it('stays a question where the mailbox is connected again and we still may not look', async () => {
  const sender = await company(letterhead);
  letterhead.google.faults.add({
    ...{ method: 'messages.send', account: sender.account, effect: { kind: 'drop', when: 'after' } },
  });
  const id = await sender.send();
  await asked(sender, id);
  await sender.founder.connect(sender.account, { mailboxId: sender.mailboxId });
  const another = await sender.send();
  await sender.reaches(another, 'sent');
  expect((await sender.delivery(id)).state).toBe('unconfirmed');
  expect(sender.accepted(id)).toHaveLength(1);
});
