/**
 * How fast documents go through Letterhead, side by side with what a plain script and bare HTTP reach, in one run on one
 * machine: PostgreSQL, Local Google, the workers and the load each in processes of their own. Prints a table, and JSON
 * to a file.
 *
 *   npm run bench [-- --quick] [--json FILE] [--only a,b,…]
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Capability } from '../src/platform/capability.ts';
import { withBacklog } from './delivery/backlog.ts';
import { drain, unpaced } from './delivery/drain.ts';
import { empty, fill, someFile } from './delivery/fill.ts';
import { clickToGmail } from './delivery/latency.ts';
import { bareLimit, plainScript } from './delivery/plain.ts';
import { startWorld, type World } from './delivery/world.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, only: { type: 'string' } },
});
const { quick } = values;
const wanted = values.only?.split(',');
const mailboxCount = quick ? 20 : 200;
const count = (full: number, short: number) => (quick ? short : full);
const file = someFile(60_000);
/** As it is unless an operator says otherwise. */
const paced = { GMAIL_UNITS_PER_MINUTE: '6000', GMAIL_PROJECT_UNITS_PER_MINUTE: '1200000', GMAIL_IN_FLIGHT: '5' };
const results: { id: string; what: string; figures: Readonly<Record<string, number>> }[] = [];

await within(['send'], [...'ahgbcdepnf'], async (world) => {
  const all = world.mailboxes;
  const one = all.slice(0, 1);
  const pipeline = async (world: World, documents: number, workers = 1) => {
    await empty(world);
    await fill(world, all, documents, { kind: 'record' });
    return figures(await drain(world, { workers }));
  };
  await measure('a', `pipeline, ${all.length} mailboxes, Google at once`, () => pipeline(world, count(4_000, 400)));
  // A short run says nothing about what is left after very many.
  if (!quick)
    await measure('h', 'memory of the worker with its PDF process, after 10,000 PDFs', () => pipeline(world, 10_000));
  await measure('g', 'the same by two workers', () => pipeline(world, count(4_000, 400), 2));
  await world.answerAfter(200);
  await measure('b', 'pipeline, Google in 200 ms', () => pipeline(world, count(4_000, 400)));
  await measure('c200', 'one mailbox, 60 KB, Google in 200 ms', () => ready(world, one, count(3_000, 400)));
  await world.answerAfter(0);
  await measure('c', 'one mailbox, 60 KB, Google at once', () => ready(world, one, count(3_000, 400)));
  await measure('d', 'plain script: googleapis and nodemailer in a loop', () =>
    plainScript(world, count(3_000, 400), file).then(rounded),
  );
  await measure('d0', 'bare limit: prebuilt bytes over kept-alive HTTP', () =>
    bareLimit(world, count(3_000, 400), file).then(rounded),
  );
  await empty(world);
  await measure('e', 'click to Gmail, idle, in milliseconds', async () =>
    rounded(await clickToGmail(world, one, count(200, 30))),
  );
  await measure('p', 'pipeline with pacing on: one minute', async () => {
    await empty(world);
    await fill(world, all, count(12_000, 400), { kind: 'record' });
    return figures(await drain(world, { env: paced, until: count(9_000, 120) }));
  });
  const backlog = count(100_000, 10_000);
  const beside = `click to Gmail beside ${backlog.toLocaleString('en')} of another company`;
  // Each sends from its default mailbox, and no faster than Google lets it: so many are a burst.
  const firstOfOthers = all.filter((_, index) => index % 10 === 0).slice(1);
  for (const [id, how, env] of [
    ['n', 'paced', paced],
    ['n0', 'unpaced', unpaced],
  ] as const) {
    await measure(id, `${beside}, ${how}`, async () => {
      await empty(world);
      await fill(world, one, backlog, { kind: 'text' });
      return rounded(await clickToGmail(world, firstOfOthers, count(76, 4), env));
    });
  }
  for (const queued of quick ? [1_000, 20_000] : [1_000, 100_000, 1_000_000]) {
    await measure(`f${queued}`, `${queued.toLocaleString('en')} queued in one mailbox`, async () =>
      rounded(await withBacklog(world, queued, count(1_000, 300))),
    );
  }
});

for (const capabilities of [
  ['send', 'safe_retry'],
  ['send', 'tracking'],
  ['send', 'safe_retry', 'tracking'],
] as const) {
  if (quick && capabilities.length === 2) continue;
  const id = capabilities.join('+');
  await within(capabilities, [id], (world) =>
    measure(id, `ready files, ${world.mailboxes.length} mailboxes`, () =>
      ready(world, world.mailboxes, count(3_000, 300)),
    ),
  );
}

report();

async function ready(world: World, mailboxes: World['mailboxes'], documents: number) {
  await empty(world);
  await fill(world, mailboxes, documents, { kind: 'file', bytes: file });
  return figures(await drain(world));
}

/** Runs in a world of its own, unless nothing whose id begins with one of these is wanted. */
async function within(
  capabilities: readonly Capability[],
  ids: readonly string[],
  run: (world: World) => Promise<void>,
): Promise<void> {
  if (wanted && !wanted.some((id) => ids.includes(id) || ids.includes(id.charAt(0)))) return;
  const world = await startWorld(mailboxCount, capabilities);
  try {
    await run(world);
  } finally {
    await world.close();
  }
}

async function measure(id: string, what: string, run: () => Promise<Readonly<Record<string, number>>>): Promise<void> {
  if (wanted && !wanted.includes(id)) return;
  const row = { id, what, figures: await run() };
  results.push(row);
  console.log(line(row));
}

function figures({ perSecond, cpuMs, peakMb, afterMb }: Awaited<ReturnType<typeof drain>>) {
  return rounded({ perSecond, cpuMs: cpuMs.product, googleCpuMs: cpuMs.google, peakMb, afterMb });
}

function rounded<Row extends object>(row: Row): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Math.round(Number(value) * 100) / 100]));
}

function line({ id, what, figures: row }: (typeof results)[number]): string {
  const told = Object.entries(row).map(([name, value]) => `${name} ${value}`);
  return `${id.padEnd(6)} ${what.padEnd(62)} ${told.join('  ')}`;
}

function report(): void {
  const of = (id: string) => results.find((row) => row.id === id)?.figures;
  const ratio = (a: number | undefined, b: number | undefined) =>
    a && b ? Math.round((a / b) * 100) / 100 : undefined;
  const ratios = {
    'c ÷ plain script, a second': ratio(of('c')?.['perSecond'], of('d')?.['perSecond']),
    'c ÷ plain script, CPU': ratio(of('c')?.['cpuMs'], of('d')?.['cpuMs']),
    'c ÷ bare limit, a second': ratio(of('c')?.['perSecond'], of('d0')?.['perSecond']),
    'g ÷ a': ratio(of('g')?.['perSecond'], of('a')?.['perSecond']),
    'longest ÷ shortest backlog, CPU': ratio(of(quick ? 'f20000' : 'f1000000')?.['cpuMs'], of('f1000')?.['cpuMs']),
    'longest ÷ shortest backlog, a round': ratio(
      of(quick ? 'f20000' : 'f1000000')?.['roundMs'],
      of('f1000')?.['roundMs'],
    ),
  };
  console.log('');
  for (const [what, value] of Object.entries(ratios))
    if (value !== undefined) console.log(`${what.padEnd(40)} ${value}`);
  const machine = { cores: cpus().length, cpu: cpus()[0]?.model ?? '', node: process.version };
  if (values.json) writeFileSync(values.json, JSON.stringify({ machine, quick, unpaced, results, ratios }, null, 2));
}
