import type { Response } from 'express';
import type { DocumentContent } from '../documents/document.ts';
import type { FormProblem } from '../documents/form.ts';
import { formatAmount, formatPercent } from '../documents/format.ts';
import { each, inTurns } from '../platform/turns.ts';
import { labels, nextLine, type TypedForm } from './document-form.ts';
import { sumsOf } from './document-sums.ts';
import { marksOf, type NumberMark } from './number-marks.ts';
import { rowsOf } from './render.ts';
import { sumMeaning } from './sum-meaning.ts';
import type { Viewer } from './viewer.ts';

/** What a form adds up to, and beside its rows: `nets` and `marks` as they are, `data` as the page's scripts read them. */
export async function totalsLocals(res: Response, viewer: Viewer, form: TypedForm, base: DocumentContent | undefined) {
  const locale = viewer.locale;
  const { totals, currency, leftOut, ...read } = await inTurns(sumsOf(form, base, viewer.tenant.currency, locale));
  const percent = (value: string) => formatPercent(value, locale);
  const nets = await inTurns(each(read.nets, (net) => net && formatAmount(net, currency, locale)));
  const marks = await inTurns(marksOf(read, currency, locale));
  const said = totals && sumMeaning({ kind: form.kind, typeCode: base?.typeCode }, totals, currency, locale);
  return {
    ...{ totals, leftOut, currency, percent, locale, kind: form.kind, isNew: base === undefined },
    ...{ nets, marks, data: await rowsOf(res, 'documents/line-data', [...nets.map((net) => ({ net })), ...marks], {}) },
    ...{ payment: said?.payment, payable: said?.payable, instead: said?.instead ?? null, meaning: said?.meaning ?? '' },
  };
}

/** The rows of a form's lines, and the one that a script makes others of. */
export async function linesLocals(
  res: Response,
  form: TypedForm,
  { nets, marks }: { readonly nets: readonly (string | undefined)[]; readonly marks: readonly NumberMark[] },
  problems: readonly FormProblem[],
) {
  const marked = new Map(marks.map((mark) => [mark.field, mark]));
  const shared = { labels, problemOf: byField(problems), markOf: (field: string) => marked.get(field) };
  const blank = nextLine(form.lines);
  const rows = form.lines.map((line, index) => ({ line, place: line.key, net: nets[index], number: index + 1 }));
  return {
    rows: await rowsOf(res, 'documents/line-rows', rows, shared),
    blankRow: await rowsOf(res, 'documents/line-rows', [{ line: blank, place: '__i__', net: '', number: '' }], shared),
    blank,
  };
}

/** The first problem of a field. A form of thousands of rows asks for each of theirs. */
export function byField(problems: readonly FormProblem[]): (field: string) => string | undefined {
  const found = new Map(problems.toReversed().map(({ field, message }) => [field, message]));
  return (field) => found.get(field);
}
