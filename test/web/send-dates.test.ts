import { beforeAll, expect, it } from 'vitest';
import type { DocumentContentInput } from '../../src/documents/document.ts';
import { createDocument } from '../../src/documents/store.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { invoice } from '../documents/content.ts';
import { company } from '../support/company.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
});

/** All the dates that a record can have, each another one. */
const dates = {
  issueDate: '2026-11-21',
  dueDate: '2026-12-05',
  validUntil: '2026-12-15',
  deliveryDate: '2026-12-25',
} as const;
const none = { dueDate: undefined, validUntil: undefined, deliveryDate: undefined };

it.each<[string, Partial<DocumentContentInput>, string | undefined]>([
  ['an invoice', { ...dates }, 'due on 5 December 2026'],
  ['an invoice without a due date', { ...dates, dueDate: undefined }, undefined],
  ['a credit note', { kind: 'credit_note', ...dates }, 'dated 21 November 2026'],
  ['a credit note without other dates', { kind: 'credit_note', ...none }, 'dated 21 November 2026'],
  ['a quote', { kind: 'quote', ...dates }, 'valid until 15 December 2026'],
  ['a quote that stays valid', { kind: 'quote', ...dates, validUntil: undefined }, undefined],
  ['a purchase order', { kind: 'purchase_order', ...dates }, 'for delivery on 25 December 2026'],
  ['a purchase order for no day', { kind: 'purchase_order', ...dates, deliveryDate: undefined }, undefined],
])('the email of %s names the date that its words are about', async (_, over, expected) => {
  const sender = await company(letterhead);
  const record = await inTenant(letterhead.context.db, sender.tenantId, (trx) =>
    createDocument(trx, sender.tenantId, { content: { ...invoice(over), number: undefined } }),
  );
  const { text } = await sender.founder.get(`/documents/${record.id}/deliveries/new`);
  const said = /(?:due on|dated|valid until|for delivery on) \d+ \w+ \d{4}/.exec(
    /<textarea[^>]*name="message"[^>]*>([^<]*)/.exec(text)?.[1] ?? 'no message',
  );
  expect(said?.[0]).toBe(expected);
});
