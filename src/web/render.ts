import path from 'node:path';
import ejs from 'ejs';
import type { Response } from 'express';
import type { DocumentKind } from '../documents/document.ts';
import { formatDate, formatMoney, formatNumber, wordsOf } from '../documents/format.ts';
import { dateLocale } from '../documents/locale.ts';
import { payableWord, type SummedRecord, sumNote, sumOf, sumWords, taxWordOf } from '../documents/sum-words.ts';
import { turn } from '../platform/turns.ts';
import type { Membership } from '../tenants/system.ts';
import { breakAddresses } from './addresses.ts';
import { carryCompany } from './carry-company.ts';
import { companyName, toldApartBy } from './company-names.ts';
import { formFiller } from './fill-form.ts';
import { troubleOf, untilWords } from './health-words.ts';
import { icon } from './icon.ts';
import type { KeptForm } from './kept-fields.ts';
import { keepRows, sendInPieces, throughPieces } from './long-page.ts';
import { what, withoutRecord } from './record-words.ts';
import { countWords, emailCount } from './run-words.ts';
import type { Viewer } from './viewer.ts';
import { fileSize, sentence, toTheSecond, when } from './words.ts';

const views = path.join(import.meta.dirname, '../../views');

/** Which item of the navigation is lit. */
export type Section =
  | 'home'
  | 'invoice'
  | 'credit_note'
  | 'quote'
  | 'purchase_order'
  | 'contacts'
  | 'activity'
  | 'runs'
  | 'settings'
  | 'none';

/** What every page says about itself; the rest of the locals belong to its view. */
export interface PageLocals {
  readonly title: string;
  readonly section: Section;
  readonly [local: string]: unknown;
}

/**
 * Answers with a whole page: the view inside `views/layout/page.ejs`.
 *
 * Views also see `icon(name)`, `locale` (that of the viewer, for everything on a page), `formatMoney`, `formatDate`,
 * `number(count)`, `fileSize(bytes)` and `when(date)` in the tenant's time zone, and
 * the viewer (null in front of the sign-in).
 *
 * @param view path under `views/`, without `.ejs`
 */
export async function page(res: Response, view: string, locals: PageLocals): Promise<void> {
  const shared = { ...helpers(res), ...res.app.locals, ...res.locals, ...locals };
  const body = await fillKept(res, await renderView(view, shared));
  await answer(res, await renderView('layout/page', { ...shared, ...body }));
}

/** Answers with a piece of a page, for htmx to put in place. */
export async function fragment(res: Response, view: string, locals: Record<string, unknown>): Promise<void> {
  const shared = { ...helpers(res), ...res.app.locals, ...res.locals, ...locals };
  await answer(res, await renderView(view, shared));
}

/**
 * Renders a long list for a page, a few rows at a time, and lets others have their turn in between.
 *
 * @param view is given `rows`, some of them, and the locals
 * @returns what stands for the rows in the page or the piece of one that is answered with, see `long-page.ts`
 */
export async function rowsOf(
  res: Response,
  view: string,
  rows: readonly unknown[],
  locals: Record<string, unknown>,
): Promise<string> {
  const shared = { ...helpers(res), ...locals };
  const pieces: string[] = [];
  for (let from = 0; from < rows.length; from += rowsAtATime) {
    if (from > 0) await turn();
    pieces.push(await renderView(view, { ...shared, rows: rows.slice(from, from + rowsAtATime) }));
  }
  return pieces.length > 1 ? keepRows(res, pieces) : (pieces[0] ?? '');
}

/** A few milliseconds of work. */
const rowsAtATime = 50;

async function answer(res: Response, html: string): Promise<void> {
  keepPrivate(res);
  res.type('html');
  await sendInPieces(res, await throughPieces(res, html, (piece) => finish(res, piece)));
}

function helpers(res: Response) {
  const now: Date = res.app.locals['clock']();
  const timeZone = res.locals['viewer']?.tenant.timeZone ?? 'UTC';
  const locale = res.locals['viewer']?.locale ?? 'en-GB';
  return {
    viewer: null,
    ...companyHelpers(res.locals['viewer']),
    icon,
    formatMoney,
    formatDate,
    sentence,
    dateLocale,
    ...{
      sumWords,
      payableWord,
      sumNote,
      sumOf: (row: SummedRecord) => sumOf(row, locale),
      taxWord: taxWordOf(res.locals['viewer']?.tenant.country),
    },
    ...{ troubleOf, untilWords },
    withoutRecord,
    wordsOf,
    what,
    locale,
    number: (count: number | string) => formatNumber(String(count), locale),
    countWords: (count: number, kind: DocumentKind) => countWords(count, kind, locale),
    emailCount: (count: number) => emailCount(count, locale),
    toTheSecond: (date: Date, zone: string) => toTheSecond(date, zone, locale),
    when: (date: Date) => when(date, timeZone, now, locale),
    fileSize: (bytes: number) => fileSize(bytes, locale),
    unsavedAs: (name: string, isUnsaved?: boolean) => unsavedAs(res, name, isUnsaved),
  };
}

/** How a company of the viewer's is named where others of theirs may have the same name. */
function companyHelpers(viewer: Viewer | undefined) {
  const memberships = viewer?.memberships ?? [];
  const here = memberships.find(({ tenantId }) => tenantId === viewer?.tenantId);
  return {
    toldApartBy: (company: Membership) => toldApartBy(company, memberships),
    companyName: (company: Membership) => companyName(company, memberships),
    ownCompanyName: here ? companyName(here, memberships) : '',
    ownToldApartBy: here ? toldApartBy(here, memberships) : null,
  };
}

/**
 * The attributes of a form whose unsaved content the browser keeps, see `public/unsaved.js`: under this name, and whether
 * what it shows is unsaved from the beginning: unless told, what answers a form that was sent, or is filled in again after
 * signing in.
 */
function unsavedAs(res: Response, name: string, isUnsaved = res.req.method === 'POST' || 'kept' in res.locals): string {
  return `data-unsaved-as="${ejs.escapeXML(name)}"${isUnsaved ? ' data-unsaved-now' : ''}`;
}

/** Fills in again what somebody typed before they had to sign in once more. */
async function fillKept(res: Response, body: string) {
  const kept: KeptForm | undefined = res.locals['kept'];
  if (!kept) return { body };
  const here = pathOf(res.req.originalUrl);
  const filler = formFiller(pathOf(kept.action), kept.fields, here);
  const filled = await throughPieces(res, body, filler.fill);
  return { body: filled, isWhole: filler.isWhole() };
}

function pathOf(address: string): string {
  return address.split('?')[0] ?? '';
}

/** What is done to everything that is shown, so that no view has to think of it. */
function finish(res: Response, html: string): string {
  const { viewer } = res.locals;
  const carried = viewer ? carryCompany(html, viewer.tenantId, res.req.originalUrl) : html;
  return breakAddresses(limitsIn(carried, viewer?.locale ?? 'en-GB'));
}

/** What is too much says of how much: our schemas and importers know no reader, and write the bare number. */
function limitsIn(html: string, locale: string): string {
  const limits = /\b\d{4,}(?= (?:(?:characters|elements|details)\b|are the most\b))/g;
  return html.replaceAll(limits, (most) => formatNumber(most, locale));
}

/** After signing out, the back button must not bring a company's data back. */
function keepPrivate(res: Response): void {
  res.set('Cache-Control', 'private, no-store');
}

/** Views are compiled once: `npm run dev` starts anew when one changes. */
function renderView(view: string, locals: Record<string, unknown>): Promise<string> {
  return ejs.renderFile(path.join(views, `${view}.ejs`), locals, { cache: true, root: views });
}
