import { createHash } from 'node:crypto';
import type { Head } from '../../documents/pdf/head.ts';
import type { PdfRenderer } from '../../documents/pdf/render.ts';
import type { SenderResolution } from '../../mailboxes/sender.ts';
import type { Database } from '../../platform/database.ts';
import { marksOf } from '../../platform/marks.ts';
import { TemplateError } from '../merge.ts';
import { type Judgement, judge, type RunCommon, type RunTemplates } from './judge.ts';
import { type ChosenRecord, type RunSelection, readRecords } from './records.ts';
import { unprintableLetters } from './unprintable.ts';

/** Everything that decides what a run would send. */
export interface RunQuestion {
  readonly tenantId: string;
  readonly selection: RunSelection;
  readonly templates: RunTemplates;
  readonly common: RunCommon;
  readonly head: Head;
  readonly resolution: SenderResolution;
  /** Says what cannot be printed. */
  readonly pdf: Pick<PdfRenderer, 'missingLetters'>;
  readonly now: Date;
}

/** A chosen record and what becomes of it. */
export interface Surveyed {
  readonly record: ChosenRecord;
  readonly judgement: Judgement;
}

/** How many records are read, and written, at once; other requests are served in between. */
const chunk = 500;

/** Putting all records into the texts may take so long, in milliseconds; a common text takes 20 µs for each. */
const mostMergeMs = 20_000;

/**
 * Goes through the chosen records, a chunk at a time, and says what becomes of each.
 *
 * @param ids of the chosen records, in their order
 * @returns the fingerprint of everything that a page shows of the run, as marks of its parts: `head`, the company's; `sender`;
 * `paid`, whether paid ones are sent; `records`, which and in which version, to whom, what is left out and why. The same one
 * again says that what was previewed is what is sent.
 * @throws {TemplateError} where the text itself is at fault
 */
export async function* survey(
  trx: Database,
  { tenantId, templates, common, head, now, resolution, pdf }: RunQuestion,
  ids: readonly string[],
): AsyncGenerator<Surveyed[], string, undefined> {
  const digest = createHash('sha256');
  let mergedMs = 0;
  for (let start = 0; start < ids.length; start += chunk) {
    const records = await readRecords(trx, tenantId, ids.slice(start, start + chunk), now);
    const begun = performance.now();
    const judged = records.map((record) => ({ record, judgement: judge(record, templates, common) }));
    mergedMs += performance.now() - begun;
    if (mergedMs > mostMergeMs)
      throw new TemplateError('The text takes too long to put together for so many records. Make it simpler.');
    const ready = judged.flatMap(({ record, judgement }) => (judgement.kind === 'ready' ? [record.id] : []));
    const letters = await unprintableLetters(trx, pdf, head, tenantId, ready);
    const surveyed = judged.map((each): Surveyed => {
      const without = letters.get(each.record.id);
      if (!without) return each;
      return { record: each.record, judgement: { kind: 'left_out', reason: { kind: 'letters', ...without } } };
    });
    for (const { record, judgement } of surveyed) digest.update(trace(record, judgement));
    yield surveyed;
  }
  const sender = resolution.ok && resolution.sender;
  return marksOf({ head, sender, paid: common.thoughPaid, records: digest.digest('hex') });
}

function trace({ id, version, recent }: ChosenRecord, judgement: Judgement): string {
  const became = judgement.kind === 'ready' ? judgement.recipients.to : judgement.reason.kind;
  return JSON.stringify([id, version, recent?.id, became]);
}
