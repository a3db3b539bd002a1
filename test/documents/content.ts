import { readdirSync, readFileSync } from 'node:fs';
import {
  type DocumentContent,
  type DocumentContentInput,
  documentContentSchema,
} from '../../src/documents/document.ts';

/** An invoice of one line, with whatever a test is about. */
export function invoice(over: Partial<DocumentContentInput> = {}): DocumentContent {
  return documentContentSchema.parse({
    kind: 'invoice',
    number: 'INV-2026-0042',
    issueDate: '2026-11-21',
    dueDate: '2026-12-05',
    currency: 'EUR',
    party: { name: 'Northgate Café', email: 'mira@northgate.example', city: 'Galway', country: 'IE' },
    lines: [{ name: 'Oak counter, 3.2 m', quantity: '1', unitPrice: '980', taxRate: '23' }],
    ...over,
  });
}

const folder = new URL('../fixtures/ubl/', import.meta.url);

/** The published UBL documents: name and bytes. */
export const fixtures = readdirSync(folder)
  .filter((name) => name.endsWith('.xml'))
  .sort()
  .map((name) => ({ name, bytes: readFileSync(new URL(name, folder)) }));

/** One of them as text. */
export function fixture(name: string): string {
  return readFileSync(new URL(name, folder), 'utf8');
}
