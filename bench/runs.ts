/**
 * How long it takes to look over a run, to start it, to show how far it is, to report it, and to pause, resume and cancel
 * it.
 *
 *   node bench/runs.ts [records]
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { controlRun, type RunControl } from '../src/deliveries/runs/control.ts';
import { readTemplates, usualText } from '../src/deliveries/runs/judge.ts';
import { overview } from '../src/deliveries/runs/overview.ts';
import { askRun } from '../src/deliveries/runs/question.ts';
import { chosenIds } from '../src/deliveries/runs/records.ts';
import { reportPage } from '../src/deliveries/runs/report.ts';
import { getRun } from '../src/deliveries/runs/runs.ts';
import { startRun } from '../src/deliveries/runs/start.ts';
import type { Database } from '../src/platform/database.ts';
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
  const text = usualText();
  const read = readTemplates(text);
  if (!read.ok) throw new Error('The usual text is wrong.');

  console.log(`${count} records`);
  const seen = await timed('looked over', () =>
    inTenant(context.db, tenantId, async (trx) =>
      overview(
        trx,
        await askRun(trx, context, who, selection, read.templates),
        await chosenIds(trx, tenantId, selection),
      ),
    ),
  );
  const request = { ...who, idempotencyKey: randomUUID(), selection, text, again: [], fingerprint: seen.fingerprint };
  const started = await timed('started', () => startRun(context, request));
  if (started.kind !== 'started') throw new Error(`Not started: ${started.kind}`);
  await timed('started again with the same key', () => startRun(context, request));

  const { runId } = started;
  const onlooker = { memberId, seesAll: true };
  const inside = <T>(work: (trx: Database) => Promise<T>) => inTenant(context.db, tenantId, work);
  const control = (what: RunControl) => inside((trx) => controlRun(trx, context.clock, { ...who, runId }, what));
  await timed('shown how far it is, without PostgreSQL’s statistics', () =>
    inside((trx) => getRun(trx, tenantId, onlooker, runId)),
  );
  await asOwner(urls.owner, 'vacuum analyze deliveries');
  await timed('shown how far it is', () => inside((trx) => getRun(trx, tenantId, onlooker, runId)));
  await timed('the first page of its report', () => inside((trx) => reportPage(trx, tenantId, onlooker, runId)));
  await timed('its whole report as CSV', () => dana.get(`/runs/${runId}/report.csv`));
  await timed('paused', () => control('pause'));
  await timed('resumed', () => control('resume'));
  await timed('cancelled', () => control('cancel'));
} finally {
  await product.close();
  await postgres.stop();
}

async function asOwner(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work();
  console.log(`  ${what.padEnd(54)} ${(performance.now() - begun).toFixed(0).padStart(6)} ms`);
  return result;
}
