import { createHash } from 'node:crypto';
import type { Head } from '../../documents/pdf/head.ts';
import type { SenderResolution } from '../../mailboxes/sender.ts';
import type { Database } from '../../platform/database.ts';
import { TemplateError } from '../merge.ts';
import { type Judgement, judge, type Reason, type RunCommon, type RunTemplates } from './judge.ts';
import { type ChosenRecord, type RunSelection, readRecords } from './records.ts';

/** Everything that decides what a run would send. */
export interface RunQuestion {
  readonly tenantId: string;
  readonly selection: RunSelection;
  readonly templates: RunTemplates;
  readonly common: RunCommon;
  readonly head: Head;
  readonly resolution: SenderResolution;
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
 * @returns the fingerprint of everything that a page shows of the run: the records and their versions, to whom, from
 * whom, the company's head, what is left out and why. The same one again says that what was previewed is what is sent.
 * @throws {TemplateError} where the text itself is at fault
 */
export async function* survey(
  trx: Database,
  { tenantId, templates, common, head, now, resolution }: RunQuestion,
  ids: readonly string[],
): AsyncGenerator<Surveyed[], string, undefined> {
  const fingerprint = createHash('sha256').update(JSON.stringify([head, resolution.ok && resolution.sender]));
  let mergedMs = 0;
  for (let start = 0; start < ids.length; start += chunk) {
    const records = await readRecords(trx, tenantId, ids.slice(start, start + chunk), now);
    const begun = performance.now();
    const surveyed = records.map((record) => ({ record, judgement: judge(record, templates, common) }));
    mergedMs += performance.now() - begun;
    if (mergedMs > mostMergeMs)
      throw new TemplateError('The text takes too long to put together for so many records. Make it simpler.');
    for (const { record, judgement } of surveyed) fingerprint.update(trace(record, judgement));
    yield surveyed;
  }
  return fingerprint.digest('hex');
}

function trace({ id, version, recent }: ChosenRecord, judgement: Judgement): string {
  const became = judgement.kind === 'ready' ? judgement.recipients.to : judgement.reason.kind;
  return JSON.stringify([id, version, recent?.id, became]);
}

/** A record that is left out, or that should not be sent without a second look. */
export interface Noticed {
  readonly record: ChosenRecord;
  readonly reason: Reason;
}

/** What a page says of a run before it is started. */
export interface Overview {
  readonly total: number;
  /** Could be sent; those that were sent lately are among them. */
  readonly ready: number;
  /** How many cannot be sent, by reason. */
  readonly leftOut: Readonly<Partial<Record<Reason['kind'], number>>>;
  /** How many of the ready ones wait already, or were sent in the last 24 hours. */
  readonly recent: number;
  /** A page of those that cannot be sent, and one of those sent lately. */
  readonly noticed: { readonly leftOut: readonly Noticed[]; readonly recent: readonly Noticed[] };
  readonly fingerprint: string;
}

/** How many records of a list are shown at once. */
export const noticedPage = 25;

/**
 * Looks over a run before it is started.
 *
 * @param from which of the records that cannot be sent, and which of those sent lately, to list; from 0
 * @throws {TemplateError} where the text itself is at fault
 */
export async function overview(
  trx: Database,
  question: RunQuestion,
  ids: readonly string[],
  from: { readonly leftOut: number; readonly recent: number } = { leftOut: 0, recent: 0 },
): Promise<Overview> {
  const counts: Partial<Record<Reason['kind'], number>> = {};
  const leftOut: Noticed[] = [];
  const recent: Noticed[] = [];
  const seen = { total: 0, ready: 0, leftOut: 0, recent: 0 };
  const notice = (list: Noticed[], which: 'leftOut' | 'recent', noticed: Noticed) => {
    if (seen[which] >= from[which] && list.length < noticedPage) list.push(noticed);
    seen[which] += 1;
  };
  const records = survey(trx, question, ids);
  while (true) {
    const { done, value } = await records.next();
    if (done) {
      const { total, ready } = seen;
      return { total, ready, leftOut: counts, recent: seen.recent, noticed: { leftOut, recent }, fingerprint: value };
    }
    for (const { record, judgement } of value) {
      seen.total += 1;
      if (judgement.kind === 'left_out') {
        const { reason } = judgement;
        counts[reason.kind] = (counts[reason.kind] ?? 0) + 1;
        notice(leftOut, 'leftOut', { record, reason });
        continue;
      }
      seen.ready += 1;
      if (record.recent !== null) notice(recent, 'recent', { record, reason: { kind: 'recent' } });
    }
  }
}
