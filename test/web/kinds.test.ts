import { beforeAll, describe, expect, it } from 'vitest';
import { createDocument } from '../../src/documents/store.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { invoice } from '../documents/content.ts';
import { type Company, company } from '../support/company.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { sent } from '../support/send-page.ts';

let letterhead: TestLetterhead;
let sender: Company;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
  sender = await company(letterhead);
});

describe('a record of a type of its own', () => {
  it.each([
    ['325', 'invoice', 'Pro-forma invoice'],
    ['384', 'invoice', 'Corrected invoice'],
    ['386', 'invoice', 'Prepayment invoice'],
    ['389', 'invoice', 'Self-billed invoice'],
    ['261', 'credit_note', 'Self-billed credit note'],
  ] as const)('%s is called what it is, on every page: a %s that is a %s', async (typeCode, kind, title) => {
    const record = await inTenant(letterhead.context.db, sender.tenantId, (trx) =>
      createDocument(trx, sender.tenantId, { content: { ...invoice({ kind, typeCode }), number: undefined } }),
    );
    const lower = title.charAt(0).toLowerCase() + title.slice(1);
    const read = async (path: string) => (await sender.founder.get(path)).text;
    const id = await sent(sender.founder, record);
    expect(await read(`/documents/${record.id}`)).toContain(`<h1>${title} ${record.number}</h1>`);
    expect(await read(`/documents?kind=${kind}`)).toContain(`<span class="sub">${title}</span>`);
    expect(await read(`/documents/${record.id}/deliveries/new`)).toContain(`Send ${lower} ${record.number}`);
    expect(await read(`/deliveries/${id}`)).toContain(`${title} ${record.number}</a>`);
    expect(await read('/activity')).toContain(`${title} · `);
    expect(await read('/')).toContain(`${title} · `);
    expect(await read(`/documents/${record.id}/edit`)).toContain(`An email with this ${lower} waits`);
  });
});
