/**
 * How long it takes to look over, to start, to count, to pause, resume and cancel a run, and what each poll of its page costs.
 *
 *   node bench/runs.ts [records]
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readTemplates, usualText } from '../src/deliveries/runs/judge.ts';
import { askRun } from '../src/deliveries/runs/question.ts';
import { chosenIds } from '../src/deliveries/runs/records.ts';
import { startRun } from '../src/deliveries/runs/start.ts';
import { overview } from '../src/deliveries/runs/survey.ts';
import { startEmbeddedPostgres } from '../src/platform/embedded-postgres.ts';
import { migrate } from '../src/platform/migrate.ts';
import { deriveUrls } from '../src/platform/roles.ts';
import { inTenant } from '../src/tenants/scope.ts';
import { manyRecords } from '../test/support/many-records.ts';
import { startProduct } from '../test/support/product.ts';
import { founder } from '../test/support/visitor.ts';

const count = Number(process.argv[2] ?? 10_000);

const dataDir = mkdtempSync(path.join(tmpdir(), 'letterhead-bench-'));
const postgres = await startEmbeddedPostgres({ dataDir, ephemeral: true, log: () => {} });
const urls = deriveUrls(postgres.ownerUrl, { app: 'app', system: 'system' });
await migrate(urls);
const product = await startProduct(urls, { worker: false });
const { context } = product;

try {
  const dana = await founder(product);
  await dana.connect('office@brightwater.example');
  const { tenant_id: tenantId, id: memberId } = await context.system
    .selectFrom('members')
    .select(['id', 'tenant_id'])
    .executeTakeFirstOrThrow();
  const who = { tenantId, memberId };
  await inTenant(context.db, tenantId, (trx) => manyRecords(trx, tenantId, count));
  const selection = { kind: 'invoice', status: 'open' } as const;
  const text = usualText('invoice');
  const read = readTemplates(text);
  if (!read.ok) throw new Error('The usual text is wrong.');

  console.log(`${count} records`);
  const seen = await timed('looked over', () =>
    inTenant(context.db, tenantId, async (trx) =>
      overview(
        trx,
        await askRun(trx, context.clock, who, selection, read.templates),
        await chosenIds(trx, tenantId, selection),
      ),
    ),
  );
  const request = { ...who, idempotencyKey: randomUUID(), selection, text, again: [], fingerprint: seen.fingerprint };
  const started = await timed('started', () => startRun(context, request));
  if (started.kind !== 'started') throw new Error(`Not started: ${started.kind}`);
  await timed('started again with the same key', () => startRun(context, request));
} finally {
  await product.close();
  await postgres.stop();
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work();
  console.log(`  ${what.padEnd(34)} ${(performance.now() - begun).toFixed(0).padStart(6)} ms`);
  return result;
}
