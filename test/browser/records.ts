import type { DocumentKind } from '../../src/documents/document.ts';
import { createDocument } from '../../src/documents/store.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { invoice } from '../documents/content.ts';
import type { TestDatabase } from '../support/database.ts';

/** A record to send. */
export interface Sendable {
  readonly kind: DocumentKind;
  readonly id: string;
  readonly number: string;
  /** As headings and subjects say it. */
  readonly title: string;
  /** Whom it goes to. */
  readonly to: string;
  /** Its total, as printed. */
  readonly amount: string;
}

const kinds = [
  { kind: 'invoice', title: 'Invoice', dates: { dueDate: '2026-12-05' }, price: '980', amount: '1,205.40' },
  { kind: 'quote', title: 'Quote', dates: { validUntil: '2026-12-20' }, price: '4250', amount: '5,227.50' },
  {
    kind: 'purchase_order',
    title: 'Purchase order',
    dates: { deliveryDate: '2026-11-27' },
    price: '2100',
    amount: '2,583.00',
  },
] as const;

/** An invoice, a quote and a purchase order for the company of this member, for somebody with a mailbox. */
export async function threeRecords({ db, system }: TestDatabase, member: string): Promise<Sendable[]> {
  const { tenantId, memberId } = await system
    .selectFrom('members')
    .select(['tenant_id as tenantId', 'id as memberId'])
    .where('email', '=', member)
    .executeTakeFirstOrThrow();
  const to = 'mira@northgate.example';
  return inTenant(db, tenantId, async (trx) => {
    const made: Sendable[] = [];
    for (const { kind, title, dates, price, amount } of kinds) {
      const lines = [{ name: 'Oak, planed', quantity: '1', unitPrice: price, taxRate: '23' }];
      const {
        number: _taken,
        dueDate: _due,
        ...content
      } = invoice({ lines, party: { name: 'Northgate Café', contactName: 'Mira Okafor', email: to } });
      const record = await createDocument(trx, tenantId, { content: { ...content, kind, ...dates }, memberId });
      made.push({ kind, title, id: record.id, number: record.number, to, amount });
    }
    return made;
  });
}
