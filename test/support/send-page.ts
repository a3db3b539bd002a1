import { randomUUID } from 'node:crypto';
import type { DocumentContent } from '../../src/documents/document.ts';
import { keepFiles } from '../../src/documents/files.ts';
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

/** A file that came embedded in an imported one. */
export interface EmbeddedFile extends Omit<NonNullable<DocumentContent['files']>[number], 'size'> {
  readonly bytes: Uint8Array;
}

/** The same with files, as an import keeps them. */
export function anInvoiceWithFiles(
  { context }: TestLetterhead,
  { tenantId }: Pick<Company, 'tenantId'>,
  embedded: readonly EmbeddedFile[],
): Promise<DocumentRecord> {
  const files = embedded.map(({ bytes, ...file }) => ({ ...file, size: bytes.length }));
  return inTenant(context.db, tenantId, async (trx) => {
    const record = await createDocument(trx, tenantId, { content: { ...invoice({ files }), number: undefined } });
    const kept = embedded.map(({ bytes }) => bytes);
    await keepFiles(trx, tenantId, record.id, kept);
    return record;
  });
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
