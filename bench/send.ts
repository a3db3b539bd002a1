/**
 * How much of Gmail's own speed is left when documents go through Letterhead: the same number of messages, to the same
 * Local Google, once by bare HTTP uploads and once from a filled queue through worker, MIME and Gmail client.
 *
 *   npm run bench [messages]
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createDelivery } from '../src/deliveries/create.ts';
import { createDocument } from '../src/documents/store.ts';
import { startEmbeddedPostgres } from '../src/platform/embedded-postgres.ts';
import { migrate } from '../src/platform/migrate.ts';
import { deriveUrls } from '../src/platform/roles.ts';
import { inTenant } from '../src/tenants/scope.ts';
import { startProduct } from '../test/support/product.ts';
import { founder } from '../test/support/visitor.ts';

const count = Number(process.argv[2] ?? 400);
const inFlight = 40;

const dataDir = mkdtempSync(path.join(tmpdir(), 'letterhead-bench-'));
const postgres = await startEmbeddedPostgres({ dataDir, ephemeral: true, log: () => {} });
const urls = deriveUrls(postgres.ownerUrl, { app: 'app', system: 'system' });
await migrate(urls);
const product = await startProduct(urls, { worker: false, sendDeadlineMs: 60_000 });
const { google, context } = product;

try {
  const dana = await founder(product);
  await dana.connect('office@brightwater.example');
  const { tenant_id: tenantId, id: memberId } = await context.system
    .selectFrom('members')
    .select(['id', 'tenant_id'])
    .executeTakeFirstOrThrow();
  const record = await inTenant(context.db, tenantId, (trx) => createDocument(trx, tenantId, { content: invoice() }));
  const company = { name: 'Brightwater Joinery' };
  const pdf = await context.pdf.render({ company, content: record.content, locale: 'en-IE' });

  const written = await rate(() =>
    inTenant(context.db, tenantId, (trx) =>
      createDelivery(trx, context.clock, {
        tenantId,
        memberId,
        idempotencyKey: randomUUID(),
        recipients: { to: [{ name: '', email: 'mira@northgate.example' }], cc: [], bcc: [] },
        subject: 'Invoice',
        message: 'Here it is.',
        document: { record, fileName: 'invoice.pdf', pdf },
      }),
    ),
  );

  const started = performance.now();
  await product.startWorker();
  while (google.truth.accepted().length < count) await new Promise((resolve) => setTimeout(resolve, 10));
  const delivered = perSecond(performance.now() - started);

  const sent = google.mail.messages('office@brightwater.example').at(-1);
  if (!sent) throw new Error('Nothing arrived.');
  const mime = google.mail.raw(sent);
  const mailbox = await context.system.selectFrom('mailboxes').select('id').executeTakeFirstOrThrow();
  const { token } = await context.tokens.of(tenantId, mailbox.id);
  const bare = await rate(async () => {
    const address = `${google.url}/upload/gmail/v1/users/me/messages/send?uploadType=media`;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'message/rfc822' };
    const response = await fetch(address, { method: 'POST', headers, body: new Uint8Array(mime) });
    if (!response.ok) throw new Error(`Local Google answered ${response.status}`);
    await response.text();
  });

  console.log(`${count} messages of ${Math.round(mime.length / 1024)} KB, everything in one process`);
  console.log(`  deliveries written with their job   ${written} a second`);
  console.log(`  deliveries taken to Gmail           ${delivered} a second`);
  console.log(`  bare uploads, ${inFlight} in flight         ${bare} a second`);
  console.log(`  taken ÷ bare                        ${(delivered / bare).toFixed(2)}`);
} finally {
  await product.close();
  await postgres.stop();
}

/** Runs it `count` times, `inFlight` at once. */
async function rate(once: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0) await once();
    }),
  );
  return perSecond(performance.now() - started);
}

function perSecond(ms: number): number {
  return Math.round((count / ms) * 1_000);
}

function invoice() {
  return {
    kind: 'invoice' as const,
    issueDate: '2026-11-21',
    currency: 'EUR',
    party: { name: 'Northgate Café', email: 'mira@northgate.example' },
    lines: Array.from({ length: 10 }, (_, index) => ({
      name: `Shelf ${index + 1}`,
      quantity: '2',
      unitPrice: '60.00',
      taxRate: '23',
      adjustments: [],
      extras: [],
    })),
    adjustments: [],
    notes: [],
    extras: [],
  };
}
