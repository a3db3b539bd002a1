import { sql } from 'kysely';
import { createDocument } from '../../src/documents/store.ts';
import type { Database } from '../../src/platform/database.ts';

/**
 * Any number of open invoices in a moment, `B-00001` and on, each to an address of its own (`b1@customer.example`),
 * each line of them with a description of some length. B-00001 is the newest, so it stands first in lists.
 *
 * @returns their ids, in the order of their numbers
 */
export async function manyRecords(trx: Database, tenantId: string, count: number): Promise<string[]> {
  const party = { name: 'Northgate Café', contactName: 'Mira Okafor', email: 'mira@northgate.example', country: 'IE' };
  const line = { quantity: '2', unitPrice: '12.50', taxRate: '23', adjustments: [], extras: [] };
  const lines = ['Oak counter', 'Shelves', 'Fitting'].map((name) => ({
    ...{ ...line, name, description: `${name}, as it was agreed on the telephone and drawn on the plan of last week.` },
  }));
  const first = await createDocument(trx, tenantId, {
    content: {
      ...{ kind: 'invoice', number: 'B-00000', issueDate: '2026-11-21', dueDate: '2026-12-05', currency: 'EUR' },
      ...{ party, lines, adjustments: [], notes: [], extras: [] },
    },
  });
  const { rows } = await sql<{ id: string }>`
    insert into documents (tenant_id, kind, number, party_id, status, issue_date, due_date, currency, payable, content)
    select tenant_id, kind, made.number, party_id, status, '2026-11-21'::date - made.place, due_date, currency, payable,
      content || jsonb_build_object('number', made.number, 'issueDate', ('2026-11-21'::date - made.place)::text,
        'party', content -> 'party' || jsonb_build_object('email', 'b' || made.place || '@customer.example'))
    from documents, (select place::int, 'B-' || lpad(place::text, 5, '0') as number from generate_series(1, ${count}) place) made
    where documents.id = ${first.id} order by made.place
    returning id`.execute(trx);
  await trx.deleteFrom('documents').where('id', '=', first.id).execute();
  return rows.map(({ id }) => id);
}
