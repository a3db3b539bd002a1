import { randomUUID } from 'node:crypto';
import { createDocument, type DocumentRecord } from '../../src/documents/store.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { invoice } from '../documents/content.ts';
import type { Company } from './company.ts';
import type { TestLetterhead } from './letterhead.ts';
import type { Page, Visitor } from './visitor.ts';

/** A new invoice of a company. */
export function anInvoice({ context }: TestLetterhead, { tenantId }: Company): Promise<DocumentRecord> {
  return inTenant(context.db, tenantId, (trx) =>
    createDocument(trx, tenantId, { content: { ...invoice(), number: undefined } }),
  );
}

/** Opens the page that sends a record; returns what its form holds. */
export async function openSendPage(visitor: Visitor, { id }: DocumentRecord): Promise<Record<string, string>> {
  const { status, text } = await visitor.get(`/documents/${id}/deliveries/new`);
  if (status !== 200) throw new Error(`The send page answered ${status}`);
  const hidden = text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g);
  const form = Object.fromEntries([...hidden].map(([, name = '', value = '']) => [name, value]));
  return { ...form, to: 'mira@northgate.example', subject: 'Invoice', message: 'Here it is.' };
}

/** Sends a record as the page does, with the fields filled in otherwise. */
export async function sendRecord(
  visitor: Visitor,
  record: DocumentRecord,
  over: Record<string, string> = {},
): Promise<Page> {
  return visitor.post(`/documents/${record.id}/deliveries`, { ...(await openSendPage(visitor, record)), ...over });
}

/** The same; returns the new delivery's id. */
export async function sent(visitor: Visitor, record: DocumentRecord, over?: Record<string, string>): Promise<string> {
  const page = await sendRecord(visitor, record, over);
  const [, id] = page.location?.match(/^\/deliveries\/([0-9a-f-]{36})$/) ?? [];
  if (page.status !== 303 || id === undefined) throw new Error(`Not sent: ${page.status} ${page.text.slice(-1_500)}`);
  return id;
}

/** A key that no form had before. */
export function anotherKey(): { key: string } {
  return { key: randomUUID() };
}
