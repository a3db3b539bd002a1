import { sql } from 'kysely';
import { createDocument } from '../../src/documents/store.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import type { BenchMailbox, World } from './world.ts';

/** What waiting deliveries carry: nothing, a file that is there, or a record whose PDF is yet to be made, as in a run. */
export type Load =
  | { readonly kind: 'text' }
  | { readonly kind: 'file'; readonly bytes: Buffer }
  | { readonly kind: 'record' };

const recipients = JSON.stringify({ to: [{ name: '', email: 'mira@northgate.example' }], cc: [], bcc: [] });

/** An attachment of so many bytes that does not compress. */
export function someFile(bytes: number): Buffer {
  const file = Buffer.alloc(bytes);
  for (let index = 0, state = 1; index < bytes; index += 1) {
    // Lehmer's generator: the same bytes in every run.
    state = (state * 48_271) % 2_147_483_647;
    file[index] = state & 255;
  }
  return file;
}

/** Takes every delivery away, with what belongs to it. */
export async function empty(world: World): Promise<void> {
  await sql`truncate deliveries, delivery_attachments, delivery_events, attempts, sending_accounts, runs cascade`.execute(
    world.owner,
  );
  await sql`delete from pgboss.job`.execute(world.owner);
}

/** Lets so many deliveries wait, shared out evenly among mailboxes. `lane` 1 unless told otherwise. */
export async function fill(world: World, mailboxes: readonly BenchMailbox[], count: number, load: Load): Promise<void> {
  for (const [index, mailbox] of mailboxes.entries()) {
    const mine = Math.floor((count * (index + 1)) / mailboxes.length) - Math.floor((count * index) / mailboxes.length);
    if (load.kind === 'record') await fillWithRecords(world, mailbox, mine);
    else await fillWithFiles(world, mailbox, mine);
  }
  if (load.kind === 'file') {
    await sql`insert into delivery_attachments (delivery_id, tenant_id, file_name, media_type, sha256, bytes)
      select id, tenant_id, 'invoice.pdf', 'application/pdf', 'bench', ${load.bytes} from deliveries`.execute(
      world.owner,
    );
  }
  await sql`analyze deliveries, delivery_attachments`.execute(world.owner);
}

/** As a run writes them: some hundreds in a transaction, one transaction after the other. */
const writtenAt = sql`now() - interval '1 hour' + (nth / 500) * interval '100 milliseconds'`;

async function fillWithFiles({ owner }: World, mailbox: BenchMailbox, count: number): Promise<void> {
  await sql`
    insert into deliveries (tenant_id, purpose, member_id, mailbox_id, account, rule_mode, from_email, from_name,
      recipients, subject, message, state, idempotency_key, request_hash, lane, created_at)
    select ${mailbox.tenantId}, 'test', ${mailbox.memberId}, ${mailbox.mailboxId}, ${mailbox.account}, 'alias',
      ${mailbox.email}, 'Bench', ${recipients}::jsonb, 'Invoice', 'Here it is.', 'queued', gen_random_uuid()::text, 'bench', 1, ${writtenAt}
    from generate_series(1, ${count}::int) as nth`.execute(owner);
}

/** Lines that no other invoice has, so that a memory of the last ones helps no more than it would in earnest. */
const ownLines = sql`(select jsonb_agg(line || jsonb_build_object(
    'name', concat(line->>'name', ' of order ', nth, '-', (random() * 100000)::int),
    'quantity', (1 + random() * 40)::int::text, 'unitPrice', (20 + random() * 900)::numeric(6, 2)::text))
  from jsonb_array_elements(${JSON.stringify(invoice().lines)}::jsonb) as line)`;

async function fillWithRecords({ owner, app }: World, mailbox: BenchMailbox, count: number): Promise<void> {
  const { tenantId, memberId, mailboxId, email } = mailbox;
  const record = await inTenant(app, tenantId, (trx) => createDocument(trx, tenantId, { content: invoice() }));
  const head = JSON.stringify({ company: { name: 'Bench Ltd', country: 'IE' }, locale: 'en-IE' });
  const { rows } = await sql<{ id: string }>`
    insert into runs (tenant_id, member_id, document_kind, mailbox_id, from_email, from_name, subject, message, head, total,
      left_out, state_at, idempotency_key, request_hash)
    values (${tenantId}, ${memberId}, 'invoice', ${mailboxId}, ${email}, 'Bench', 'Invoice', 'Here it is.', ${head},
      ${count}, '{}', now(), gen_random_uuid()::text, 'bench') returning id`.execute(owner);
  await sql`
    insert into deliveries (tenant_id, purpose, document_id, document_snapshot, run_id, member_id, mailbox_id, account,
      rule_mode, from_email, from_name, recipients, subject, message, state, idempotency_key, request_hash, lane)
    select ${tenantId}, 'document', ${record.id}, jsonb_set(jsonb_set(jsonb_set(${JSON.stringify(record.content)}::jsonb,
        '{number}', to_jsonb('INV-' || nth)), '{party,name}', to_jsonb('Customer ' || nth)), '{lines}', ${ownLines}),
      ${rows[0]?.id}, ${memberId}, ${mailboxId}, ${mailbox.account}, 'alias', ${email}, 'Bench', ${recipients}::jsonb, 'Invoice', 'Here it is.', 'queued',
      gen_random_uuid()::text, 'bench', 1
    from generate_series(1, ${count}::int) as nth`.execute(owner);
}

function invoice() {
  return {
    kind: 'invoice' as const,
    issueDate: '2026-11-21',
    currency: 'EUR',
    party: { name: 'Northgate Café', email: 'mira@northgate.example' },
    lines: Array.from({ length: 5 }, (_, index) => ({
      ...{ name: `Shelf ${index + 1}`, quantity: '2', unitPrice: '60.00', taxRate: '23' },
      ...{ adjustments: [], extras: [] },
    })),
    ...{ adjustments: [], notes: [], extras: [] },
  };
}
