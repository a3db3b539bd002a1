import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import type { Sender } from '../support/company.ts';
import { deliverNow } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';

/** What Google received, byte for byte. */

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, timeStands: true });
});
afterAll(() => letterhead.close());

async function received(sender: Sender, id: string): Promise<string> {
  await deliverNow(letterhead, sender, id);
  const [sent] = letterhead.google.mail
    .messages(sender.account)
    .map((message) => letterhead.google.mail.raw(message).toString('latin1'))
    .filter((raw) => raw.includes(id));
  if (sent === undefined) throw new Error('Google received nothing.');
  return sent;
}

it.each([
  ['as a message', ['send']],
  ['by way of a draft', ['send', 'safe_retry']],
] as const)('every line ends with CR LF, %s, with a record and its PDF', async (_how, capabilities) => {
  const sender = await permittedSender(letterhead, capabilities);
  const record = await sender.record();
  await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
    trx.updateTable('tenants').set({ undo_seconds: 0 }).where('id', '=', sender.tenantId).execute(),
  );
  const written = ['Hello Mira,\n\nhere it is.\n', 'Grüße,\r\nDana\r', 'a\n.\n..\n', `${'long '.repeat(300)}\nend`];
  for (const message of written) {
    const plain = await sender.send({ message });
    expect(await received(sender, plain)).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
  }
  const document = { record, fileName: 'a.pdf', pdf: Buffer.from('%PDF\n\r\n') };
  const id = await sender.send({ message: written.join('\n'), document });
  const raw = await received(sender, id);
  expect(raw).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
  expect(Buffer.from(raw, 'latin1').every((byte) => byte < 128)).toBe(true);
});
