import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDocument } from '../../../src/documents/store.ts';
import { inTenant } from '../../../src/tenants/scope.ts';
import { invoice } from '../../documents/content.ts';
import { type Company, company } from '../../support/company.ts';
import { deliverNow } from '../../support/hand-delivery.ts';
import { sharedLetterhead, type TestLetterhead } from '../../support/letterhead.ts';
import { received } from '../../support/received.ts';
import { deliveriesOf, lookOver, started } from '../../support/runs.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
});
afterAll(() => letterhead.close());

/** What nobody can see, and what turns the direction of what they do see: a bell, an escape, a line end, bidi marks, a zero-width space. */
const unseen = [
  '\u0007',
  '\u001b',
  '\u0085',
  '\u200b',
  '\u200e',
  '\u202a',
  '\u202e',
  '\u2028',
  '\u2066',
  '\u2069',
  '\ufeff',
];
const hides = new RegExp(`[${unseen.join('')}\r\n]`, 'u');
const hidden = (words: string, among = unseen) => words.split(' ').join(`${among.join('')} `);
/** No record holds a control character in these. */
const letters = unseen.filter((sign) => !/\p{Cc}/u.test(sign));

const fields = ['number', 'kind', 'reference', 'name', 'contact', 'company', 'sender'] as const;

/** Rows as they could have been before anything was cleaned as it came in: every merge field of a text is full of them. */
async function fullOfThem(sender: Company): Promise<void> {
  const { tenantId } = sender;
  await inTenant(letterhead.context.db, tenantId, async (trx) => {
    const { id } = await createDocument(trx, tenantId, { content: invoice({ number: 'U-1', reference: 'PO 77' }) });
    const party = {
      name: hidden('Northgate Café'),
      contactName: hidden('Mira Okafor'),
      email: 'mira@northgate.example',
    };
    const over = { number: hidden('U 1', letters), reference: hidden('PO 77', letters) };
    await sql`update documents set number = ${over.number}, content = content || ${JSON.stringify(over)}::jsonb
      || jsonb_build_object('party', content -> 'party' || ${JSON.stringify(party)}::jsonb) where id = ${id}`.execute(
      trx,
    );
    await trx
      .updateTable('tenants')
      .set({ name: hidden('Brightwater Joinery') })
      .execute();
    await trx
      .updateTable('members')
      .set({ name: hidden('Dana Reyes') })
      .execute();
    await trx
      .updateTable('mailboxes')
      .set({ display_name: hidden('Brightwater Accounts') })
      .execute();
  });
}

it('nothing that cannot be seen leaves in a run’s subjects and names, from whichever field it comes', async () => {
  const sender = await company(letterhead);
  await fullOfThem(sender);
  const subject = fields.map((field) => `{{ ${field} }}`).join(hidden(' / '));
  const runId = await started(letterhead.context, sender, { text: { subject, message: 'Hello {{ contact }}' } });
  const [delivery] = await deliveriesOf(letterhead.context, sender, runId);
  const id = delivery?.id ?? '';
  expect(delivery?.subject).not.toMatch(hides);
  await deliverNow(letterhead, sender, id);

  const [mail] = await received(letterhead.google, 'mira@northgate.example', id);
  expect(mail?.subject).toBe('U 1 / invoice / PO 77 / Northgate Café / Mira Okafor / Brightwater Joinery / Dana Reyes');
  expect(mail?.text?.trim()).toBe('Hello Mira Okafor');
  expect(mail?.from).toMatchObject({ name: 'Brightwater Accounts', address: sender.account });
  expect(mail?.to).toMatchObject([{ name: 'Mira Okafor', address: 'mira@northgate.example' }]);
  expect(mail?.pdfs[0]?.fileName).toBe('Invoice U 1 Brightwater Joinery.pdf');
  for (const { key, value } of mail?.headers ?? []) expect(value, key).not.toMatch(hides);
});

it('whatever is written between the words of a subject', async () => {
  const sender = await company(letterhead);
  await fullOfThem(sender);
  const piece = fc.oneof(
    fc.constantFrom(...unseen, '\r\n', '\t', ' '),
    fc.constantFrom(...fields.map((field) => `{{ ${field} }}`), '{{ name | first_word }}', 'Yours', '–'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const text = { subject: `Your ${pieces.join('')}`, message: 'Hello' };
      const { first } = await lookOver(letterhead.context, sender, undefined, text);
      const merged = first[0]?.email.subject ?? '';
      expect(merged).toMatch(/^Your/);
      expect(merged).not.toMatch(hides);
      expect(merged).not.toMatch(/ {2}|^ | $/);
    }),
    { numRuns: 60 },
  );
});
