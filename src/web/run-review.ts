import { type Budget, budgetOf } from '../deliveries/budget.ts';
import { leavesFrom } from '../deliveries/departure.ts';
import { parseTemplate, TemplateError } from '../deliveries/merge.ts';
import { type Judgement, judge, readTemplates } from '../deliveries/runs/judge.ts';
import { type Overview, overview } from '../deliveries/runs/overview.ts';
import { askRun } from '../deliveries/runs/question.ts';
import { chosenIds, mostRecords, type PlacedRecord, placedRecord } from '../deliveries/runs/records.ts';
import type { RunQuestion } from '../deliveries/runs/survey.ts';
import { unprintableLetters } from '../deliveries/runs/unprintable.ts';
import { kindWords } from '../documents/format.ts';
import type { SenderResolution } from '../mailboxes/sender.ts';
import type { Database } from '../platform/database.ts';
import { type SendingRules, sendingRulesOf } from '../tenants/sending-rules.ts';
import { type CapNotice, capNotice } from './cap-words.ts';
import type { WebContext } from './context.ts';
import { PageError } from './errors.ts';
import type { RunForm } from './run-form.ts';
import { budgetLines, number } from './run-words.ts';
import type { Viewer } from './viewer.ts';
import { when } from './words.ts';

/** What is wrong with a field of the page. */
export interface Problem {
  readonly field: string;
  readonly message: string;
}

/** What the page shows. `overview` is null where a text is wrong: then nobody can say what would be sent. */
export interface Seen {
  readonly total: number;
  readonly resolution: SenderResolution;
  readonly rules: SendingRules;
  readonly overview: Overview | null;
  readonly budget: string[];
  /** The same in numbers; undefined where nothing would be sent, or nobody knows. */
  readonly room: Budget | undefined;
  /** Where the operator's cap lets the company send no more, or not so many. */
  readonly cap: CapNotice | null;
  /** When the sending hours let it leave, where that is later than now. */
  readonly opening: Date | null;
  readonly preview: Preview;
  readonly problems: readonly Problem[];
}

/**
 * Everything the page that starts a run shows.
 *
 * @throws {PageError} where nothing is chosen, or too much
 */
export async function review(trx: Database, ctx: WebContext, viewer: Viewer, form: RunForm): Promise<Seen> {
  const { tenantId } = viewer;
  const ids = await chosenIds(trx, tenantId, form.selection);
  if (ids.length === 0) throw nothingChosen(form);
  if (ids.length > mostRecords) throw tooMany(form, viewer.locale);
  const { question, problems } = await ask(trx, ctx, viewer, form);
  const { resolution } = question;
  const rules = await sendingRulesOf(trx, tenantId);
  const preview = await previewOf(trx, form, question, problems);
  const nothingYet = { overview: null, budget: [], room: undefined, cap: null, opening: null };
  const seen = { total: ids.length, resolution, rules, preview, ...nothingYet };
  if (problems.length > 0) return { ...seen, problems };
  try {
    const over = await overview(trx, question, ids, form);
    const budget =
      resolution.ok && over.sending > 0
        ? await budgetOf(
            trx,
            { pace: ctx.pace, now: question.now },
            tenantId,
            resolution.sender.mailboxId,
            over.sending,
            null,
          )
        : undefined;
    const at = (date: Date) => when(date, viewer.tenant.timeZone, question.now, viewer.locale);
    const opens = leavesFrom(rules, form.anyTime, question.now);
    const opening = opens > question.now ? opens : null;
    const waits = resolution.ok && (resolution.trouble !== null || resolution.paused);
    const written = { ofRun: 'of these', at, opening, waits, locale: viewer.locale };
    const lines = budget ? budgetLines(budget, written) : [];
    const cap = over.sending > 0 ? await capNotice(trx, ctx, viewer, over.recipients) : null;
    return { ...seen, overview: over, budget: lines, room: budget, cap, opening, problems };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { ...seen, problems: [{ field: 'message', message: error.message }] };
  }
}

/** With texts that are wrong, everything but the texts is still asked. */
async function ask(
  trx: Database,
  ctx: WebContext,
  viewer: Viewer,
  form: RunForm,
): Promise<{ question: RunQuestion; problems: readonly Problem[] }> {
  const read = readTemplates(form);
  const nothing = parseTemplate('');
  const templates = read.ok ? read.templates : { subject: nothing, message: nothing };
  const question = await askRun(trx, ctx, viewer, form.selection, templates, form.thoughPaid);
  return { question, problems: read.ok ? [] : read.problems };
}

/** One record as it would be sent; `record` null where none fits what was looked for. */
export interface Preview {
  readonly record: PlacedRecord | null;
  readonly judgement: Judgement | null;
  readonly resolution: SenderResolution;
  readonly problems: readonly Problem[];
}

/** The preview alone, with how many records are chosen. */
export async function previewAlone(
  trx: Database,
  ctx: WebContext,
  viewer: Viewer,
  form: RunForm,
): Promise<Preview & { total: number }> {
  const { question, problems } = await ask(trx, ctx, viewer, form);
  const ids = await chosenIds(trx, viewer.tenantId, form.selection);
  return { ...(await previewOf(trx, form, question, problems)), total: ids.length };
}

async function previewOf(
  trx: Database,
  { selection, preview }: RunForm,
  { tenantId, templates, common, head, now, resolution, pdf }: RunQuestion,
  problems: readonly Problem[],
): Promise<Preview> {
  const record = (await placedRecord(trx, tenantId, selection, now, preview)) ?? null;
  if (!record || problems.length > 0) return { record, judgement: null, resolution, problems };
  try {
    const letters = (await unprintableLetters(trx, pdf, head, tenantId, [record.id])).get(record.id);
    const judgement: Judgement = letters
      ? { kind: 'left_out', reason: { kind: 'letters', ...letters } }
      : judge(record, templates, common);
    return { record, judgement, resolution, problems };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { record, judgement: null, resolution, problems: [{ field: 'message', message: error.message }] };
  }
}

function nothingChosen({ selection }: RunForm): PageError {
  const { plural } = kindWords[selection.kind];
  const named = selection.ids !== undefined;
  return new PageError(404, 'nothing_chosen', {
    title: named && selection.ids?.length === 0 ? 'Nothing was ticked' : 'None of these is here',
    message: `Tick the ${plural.toLowerCase()} to send in their list, or send all that it shows.`,
    next: { href: `/documents?kind=${selection.kind}`, label: `Back to the ${plural.toLowerCase()}` },
  });
}

/** The page for a choice of more records than a run takes. */
export function tooMany({ selection }: RunForm, locale: string): PageError {
  const { plural } = kindWords[selection.kind];
  return new PageError(422, 'too_many', {
    title: 'Too many at once',
    message: `A run takes ${number(mostRecords, locale)} ${plural.toLowerCase()} at most. Search for a part of them, and send that first.`,
    next: { href: `/documents?kind=${selection.kind}`, label: `Back to the ${plural.toLowerCase()}` },
  });
}
