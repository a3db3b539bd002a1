import { expect, it } from 'vitest';
import { type Enclosed, enclosedWords } from '../../src/deliveries/enclosed-words.ts';
import { unnumbered } from '../../src/documents/document.ts';

const dates = {
  issueDate: '2026-11-21',
  dueDate: '2026-12-05',
  validUntil: '2026-12-15',
  deliveryDate: '2026-12-25',
} as const;
const record: Enclosed = {
  ...{ kind: 'invoice', status: 'open', number: '17', currency: 'EUR', payable: '120.00' },
  ...dates,
};

it.each<[string, Partial<Enclosed>, string]>([
  ['an invoice', {}, 'invoice 17 for €120.00, due on 5 December 2026'],
  ['an invoice that is due some day', { dueDate: null }, 'invoice 17 for €120.00'],
  ['a paid invoice', { status: 'paid' }, 'invoice 17 for €120.00, which is paid'],
  ['an invoice of nothing', { payable: '0.00' }, 'invoice 17. There is nothing to pay'],
  ['a paid invoice of nothing', { payable: '0.00', status: 'paid' }, 'invoice 17. There is nothing to pay'],
  ['an invoice below zero', { payable: '-120.00' }, 'invoice 17. The amount of €120.00 is in your favour'],
  [
    'a paid invoice below zero',
    { payable: '-120.00', status: 'paid' },
    'invoice 17. The amount of €120.00 in your favour is settled',
  ],
  [
    'a credit note of nothing',
    { kind: 'credit_note', payable: '0.00' },
    'credit note 17, dated 21 November 2026. Nothing is credited',
  ],
  [
    'a credit note below zero',
    { kind: 'credit_note', payable: '-120.00' },
    'credit note 17, dated 21 November 2026. The amount of €120.00 is in our favour',
  ],
  [
    'a settled credit note below zero',
    { kind: 'credit_note', payable: '-120.00', status: 'paid' },
    'credit note 17, dated 21 November 2026. The amount of €120.00 in our favour is settled',
  ],
  ['a settled credit note', { kind: 'credit_note', status: 'paid' }, 'credit note 17 for €120.00, which is settled'],
  [
    'a quote of nothing',
    { kind: 'quote', payable: '0.00' },
    'quote 17, valid until 15 December 2026. It is free of charge',
  ],
  [
    'a quote below zero',
    { kind: 'quote', payable: '-120.00' },
    'quote 17, valid until 15 December 2026. The amount of €120.00 is in your favour',
  ],
  [
    'a purchase order of nothing',
    { kind: 'purchase_order', payable: '0.00' },
    'our purchase order 17, for delivery on 25 December 2026',
  ],
  [
    'a draft invoice, which has no number',
    { number: unnumbered, status: 'draft' },
    'draft invoice for €120.00, due on 5 December 2026',
  ],
  ['a pro-forma, which asks nobody to pay', { typeCode: '325' }, 'pro-forma invoice 17 for €120.00'],
  ['a credit note', { kind: 'credit_note' }, 'credit note 17 for €120.00, dated 21 November 2026'],
  ['a quote', { kind: 'quote' }, 'quote 17 for €120.00, valid until 15 December 2026'],
  ['a purchase order', { kind: 'purchase_order' }, 'our purchase order 17, for delivery on 25 December 2026'],
  ['a purchase order for no day', { kind: 'purchase_order', deliveryDate: undefined }, 'our purchase order 17'],
])('the email of %s says what is attached, and asks for no more than is owed', (_, over, words) => {
  expect(enclosedWords({ ...record, ...over }, 'en-IE')).toBe(words);
});
