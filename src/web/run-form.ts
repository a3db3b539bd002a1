import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Asked } from '../deliveries/runs/asked.ts';
import { mostText, type RunText, usualText } from '../deliveries/runs/judge.ts';
import type { RunSelection } from '../deliveries/runs/records.ts';
import { kindNamed, statusMatch } from './record-words.ts';

/** The most records that are named one by one: a page of a list has fewer. */
const mostNamed = 1_000;

/** One field that may come once, several times, or as the numbered object that a parser makes of very many. */
const several = z
  .union([z.string(), z.array(z.string()), z.record(z.string(), z.string())])
  .catch([])
  .transform((value) => (typeof value === 'string' ? [value] : Object.values(value)));
const text = z.string().catch('');

const selectionSchema = z.object({ kind: text, all: text, status: text, q: text, id: several });

/**
 * Which records a list, or a page that came from it, names: some by their ids, or all that match a search and a status.
 *
 * @param said a query or a form
 * @param today a day of the company, for what is overdue
 */
export function readSelection(said: unknown, today: string): RunSelection {
  const { kind, all, status, q, id } = selectionSchema.parse(said ?? {});
  const named = { kind: kindNamed(kind) };
  if (all !== '1') return { ...named, ids: id.slice(0, mostNamed) };
  const search = q.replaceAll('\u0000', '').slice(0, 500).trim();
  return { ...named, ...statusMatch(status, today), search: search || undefined };
}

/** The same as the fields of a form, `[name, value]`. */
export function selectionFields({ kind, ids, status, overdueOn, search }: RunSelection): [string, string][] {
  if (ids) return [['kind', kind], ...ids.map((id): [string, string] => ['id', id])];
  return [
    ['kind', kind],
    ['all', '1'],
    ...(overdueOn ? [['status', 'overdue'] satisfies [string, string]] : []),
    ...(status ? [['status', status] satisfies [string, string]] : []),
    ...(search ? [['q', search] satisfies [string, string]] : []),
  ];
}

/** The page that starts a run, as it was filled in. */
export interface RunForm extends RunText {
  readonly selection: RunSelection;
  /** Made when the page is shown: the same page sent twice is one run. */
  readonly key: string;
  /** Of what the page showed; empty for a page that showed nothing yet. */
  readonly fingerprint: string;
  /** Which of those that were sent lately are sent again. */
  readonly again: 'all' | readonly string[];
  /** Those that are paid are sent, too. */
  readonly thoughPaid: boolean;
  /** Which button was pressed. */
  readonly when: 'now' | 'later';
  /** For later: the company's clock, as `<input type="datetime-local">` writes it. */
  readonly sendAt: string;
  /** It leaves whatever the sending hours say. */
  readonly anyTime: boolean;
  /** Made when the page is shown: a double click sends one sample. */
  readonly sampleKey: string;
  /** Which record is previewed: a place from 1, or a text to look for. */
  readonly preview: { readonly place: number } | { readonly search: string };
  /** Where the lists of what needs a look begin. */
  readonly from: { readonly leftOut: number; readonly recent: number };
}

const place = (least: number) => z.coerce.number().int().min(least).max(1_000_000).catch(least);

const formSchema = z.object({
  key: z.uuid().catch(''),
  fingerprint: text,
  subject: text,
  message: text,
  again: several,
  againAll: text,
  thoughPaid: text,
  when: z.enum(['now', 'later']).catch('now'),
  sendAt: text,
  anyTime: text,
  sampleKey: z.uuid().catch(''),
  // Of the button that was pressed, and of the preview as it was.
  place: z.coerce.number().int().min(1).max(1_000_000).optional().catch(undefined),
  shown: place(1),
  find: text,
  leftOutFrom: place(0),
  recentFrom: place(0),
});

/** Reads that page. Texts are cut far beyond what is allowed, so that nothing typed is lost. */
export function readRunForm(body: unknown, today: string): RunForm {
  const form = formSchema.parse(body ?? {});
  return {
    selection: readSelection(body, today),
    key: form.key || randomUUID(),
    fingerprint: form.fingerprint,
    subject: form.subject.slice(0, 2 * mostText.subject),
    message: form.message.replaceAll('\r\n', '\n').slice(0, 2 * mostText.message),
    again: form.againAll === '1' ? 'all' : form.again,
    thoughPaid: form.thoughPaid === 'yes',
    when: form.when,
    sendAt: form.sendAt.slice(0, 100),
    anyTime: form.anyTime === 'yes',
    sampleKey: form.sampleKey || randomUUID(),
    preview: previewOf(form.place, form.shown, form.find.trim().slice(0, 200)),
    from: { leftOut: form.leftOutFrom, recent: form.recentFrom },
  };
}

/** A place that was pressed goes before what is still in the search field; without either it stays where it is. */
function previewOf(pressed: number | undefined, shown: number, find: string): RunForm['preview'] {
  return pressed === undefined && find !== '' ? { search: find } : { place: pressed ?? shown };
}

/** The fields by which one page hands everything that was filled in to the next, `[name, value]`. */
export function runFields(form: RunForm): [string, string][] {
  const again: [string, string][] = form.again === 'all' ? [['againAll', '1']] : form.again.map((id) => ['again', id]);
  const { key, fingerprint, subject, message, when, sendAt } = form;
  return [
    ...selectionFields(form.selection),
    ...again,
    ...Object.entries({ key, fingerprint, subject, message, when, sendAt }),
    ...(form.anyTime ? [['anyTime', 'yes'] satisfies [string, string]] : []),
    ...(form.thoughPaid ? [['thoughPaid', 'yes'] satisfies [string, string]] : []),
  ];
}

/** What the page begins with. */
export interface RunBeginning extends Asked {
  /** Of an earlier run, to begin again from; left out: the usual ones. */
  readonly text?: RunText;
  /** The time that is suggested for later. */
  readonly sendAt: string;
}

/** That page, before anybody wrote anything. */
export function newRunForm({ selection, again, thoughPaid, text, sendAt }: RunBeginning): RunForm {
  const { subject, message } = text ?? usualText();
  return {
    ...{ subject, message, selection, again, thoughPaid, sendAt },
    ...{ key: randomUUID(), fingerprint: '', when: 'now', anyTime: false, sampleKey: randomUUID() },
    preview: { place: 1 },
    from: { leftOut: 0, recent: 0 },
  };
}
