import { beforeAll, describe, expect, it } from 'vitest';
import { formatMoney, formatNumber } from '../../src/documents/format.ts';
import { separatorsOf } from '../../src/documents/locale.ts';
import { createDocument } from '../../src/documents/store.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { invoice } from '../documents/content.ts';
import { europe } from '../documents/countries.ts';
import { type Company, company } from '../support/company.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
let sender: Company;
let pages: string[];
beforeAll(async () => {
  letterhead = await sharedLetterhead();
  sender = await company(letterhead);
  const { id } = await inTenant(letterhead.context.db, sender.tenantId, (trx) =>
    createDocument(trx, sender.tenantId, {
      content: {
        ...invoice({
          lines: [
            { name: 'A', quantity: '14500.5', unitPrice: '12345.67', taxRate: '13.5', discountPercent: '2.5' },
            { name: 'B', quantity: '1', unitPrice: '23456.5', taxRate: '5.5' },
          ],
        }),
        number: undefined,
      },
    }),
  );
  pages = ['/', '/documents?kind=invoice', `/documents/${id}`, `/documents/${id}/deliveries/new`];
});

/** What somebody reads on a page: no attributes, no scripts, and not what they may still change (the email’s own text). */
function read(html: string): string {
  return html
    .replace(/<(script|style|textarea|select|template)\b.*?<\/\1>/gs, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&#39;', "'");
}
/** The signs before one or two last digits, and those between groups of three. */
function signs(text: string) {
  const numbers = text.match(/\d[\d.,\u00a0\u202f'’]*\d/g) ?? [];
  const amounts = numbers.filter((number) => /[.,]\d{1,2}$/.test(number));
  return {
    decimal: new Set(amounts.map((number) => number.at(/[.,]\d$/.test(number) ? -2 : -3))),
    group: new Set(
      numbers.flatMap((number) => [...number.matchAll(/\d([^\d])(?=\d{3}(?!\d))/g)].map(([, sign]) => sign)),
    ),
  };
}
const choose = (place: string) => sender.founder.post('/settings/account', { place });

describe('the pages of a member', () => {
  it.each(europe)('write every number in one way for somebody who chose %s', async (place) => {
    expect((await choose(place)).status).toBe(303);
    // A record has every kind of number; the other pages are looked at for each way of writing.
    const some = ['DE', 'CH', 'FR', 'PL', 'GB'].includes(place) ? pages : pages.slice(2, 3);
    const seen = (await Promise.all(some.map((path) => sender.founder.get(path))))
      .map(({ text }) => read(text))
      .join(' ');
    const { decimal, group } = separatorsOf(`en-${place}`);
    expect(seen).toContain(formatNumber('14500.5', `en-${place}`));
    expect(signs(seen)).toEqual({ decimal: new Set([decimal]), group: new Set([group].filter(Boolean)) });
  });

  it('are the same in sentences of ours: what is too long says so by them, and so does a check-up', async () => {
    const form = { kind: 'invoice', all: '1', subject: 'S', message: 'x'.repeat(20_001) };
    for (const [place, most, limit] of [
      ['DE', '20.000', '2.000'],
      ['IE', '20,000', '2,000'],
    ] as const) {
      await choose(place);
      const { text } = await sender.founder.post('/runs/new', form);
      expect(text).toContain(`The message is longer than ${most} characters. Shorten it.`);
      await sender.founder.post(`/mailboxes/${sender.mailboxId}/check-up`);
      expect(read((await sender.founder.get(`/mailboxes/${sender.mailboxId}/check-up`)).text)).toContain(
        `Its limit is ${limit} a day.`,
      );
    }
  });

  it('leave a paper and its email to who reads them', async () => {
    await choose('FR');
    const { id } = await inTenant(letterhead.context.db, sender.tenantId, (trx) =>
      createDocument(trx, sender.tenantId, {
        content: { ...invoice({ party: { name: 'Reader', country: 'DE' } }), number: undefined },
      }),
    );
    const { text } = await sender.founder.get(`/documents/${id}/deliveries/new`);
    const [, message = ''] = /<textarea[^>]*name="message"[^>]*>([^<]*)</.exec(text) ?? [];
    expect(message).toContain('1.205,40');
    expect(read(text)).toContain(formatMoney('1205.4', 'EUR', 'en-FR'));
  });

  it('write them as the company does where nobody chose, and say no to what is not in the list', async () => {
    await choose('');
    const { text } = await sender.founder.get('/settings/account');
    expect(text).toContain('Your company’s country: 1,234.5 · €1,234.50 · 31 December 2026');
    expect((await choose('QQ')).status).toBe(422);
    expect(read((await sender.founder.get(pages[2] ?? '')).text)).toContain('14,500.5');
  });
});
