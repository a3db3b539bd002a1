import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { dateQuestions, datesMark } from '../documents/date-questions.ts';
import { type DocumentKind, type PartyDetails, unnumbered } from '../documents/document.ts';
import { DocumentError } from '../documents/errors.ts';
import { documentFormOf, type FormProblem } from '../documents/form.ts';
import { kindWords, nameOf, titleOf, wordsOf } from '../documents/format.ts';
import { lastChange } from '../documents/last-change.ts';
import { createParty, getParty, listParties } from '../documents/parties.ts';
import {
  createDocument,
  type DocumentRecord,
  type DraftContent,
  documentOfForm,
  getDocument,
  updateDocument,
} from '../documents/store.ts';
import type { Database } from '../platform/database.ts';
import { each, inTurns, type Work } from '../platform/turns.ts';
import { inTenant } from '../tenants/scope.ts';
import { countries, currencies } from './choices.ts';
import type { WebContext } from './context.ts';
import { type Difference, differences, rebased } from './document-changes.ts';
import {
  formOf,
  type HeadField,
  labels,
  nextLine,
  partyFields,
  partyForm,
  readTyped,
  type TypedForm,
  turned,
} from './document-form.ts';
import { byField, linesLocals, totalsLocals } from './document-rows.ts';
import { found } from './errors.ts';
import { guessedWords } from './number-marks.ts';
import { revisedWords, toWhom } from './paper-words.ts';
import { type ChosenParty, chooseParty, questionWords, readPicked, suggestParty } from './party-choice.ts';
import { onlyIds, textField, textParam } from './query.ts';
import {
  carryNewVersion,
  type EmailAnswer,
  emailQuestion,
  emailsOfRecord,
  newPaper,
  readEmailAnswer,
} from './record-emails.ts';
import { dayFrom, kindNamed, pillOf } from './record-words.ts';
import { fragment, page } from './render.ts';
import { notify } from './session.ts';
import { param, requireRole, type Viewer } from './viewer.ts';
import { whoChangedIt } from './who-changed.ts';

/** Which fields each kind of record shows, beside its party, lines and notes. */
const shownFields: Record<DocumentKind, readonly HeadField[]> = {
  invoice: ['number', 'issueDate', 'dueDate', 'deliveryDate', 'currency', 'reference', 'orderReference'],
  credit_note: ['number', 'issueDate', 'currency', 'invoiceReference', 'reference'],
  quote: ['number', 'issueDate', 'validUntil', 'currency', 'reference'],
  purchase_order: ['number', 'issueDate', 'deliveryDate', 'currency', 'reference'],
};

/** Writing records: the form, its running totals, and what happens when it is sent. */
export function documentEditor(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get('/documents/new', async (req, res) => {
    const viewer = writer(res);
    const kind = kindNamed(req.query['kind']);
    const partyId = textParam(req, 'party');
    const party = /^[\da-f-]{36}$/i.test(partyId)
      ? await inTenant(ctx.db, viewer.tenantId, (trx) => getParty(trx, viewer.tenantId, partyId))
      : undefined;
    const blank = blankForm(kind, viewer, ctx.clock());
    const instead = textParam(req, 'instead');
    if (instead) {
      const old = await stored(viewer, instead);
      const { party, lines, head } = turned(formOf(old.content));
      const { currency = '', reference = '', notes = '' } = head;
      return show(res, {
        form: { ...blank, party, lines, head: { ...blank.head, currency, reference, notes } },
        chosen: { partyId: old.partyId },
      });
    }
    await show(res, {
      form: { ...blank, ...(party ? { party: partyForm(party) } : {}) },
      chosen: { partyId: party?.id ?? '' },
    });
  });

  router.post('/documents', async (req, res) => {
    const viewer = writer(res);
    const typed = await inTurns(readTyped(kindNamed(req.body?.kind), req.body));
    const picked = readPicked(req.body?.partyId);
    const edited = afterRowButton(req, typed);
    if (edited) return show(res, { form: edited, chosen: { partyId: picked } });
    const chosen = await inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const key = readKey(req);
      // Sent once more, it is for whom it was: the contact that it added then is nobody to ask about.
      const made = key === undefined ? undefined : await documentOfForm(trx, viewer.tenantId, key);
      const before = made && { partyId: made.partyId, party: made.content.party };
      return chooseParty(trx, viewer.tenantId, typed.party, picked, before);
    });
    const form = { ...typed, party: chosen.form };
    const fields = contentFields(req, { kind: form.kind, party: form.party });
    const parsed = await inTurns(documentFormOf(fields, undefined, viewer.locale));
    if (!parsed.ok || chosen.question) return show(res, { form, chosen, problems: parsed.ok ? [] : parsed.problems });
    const asked = datesAsked(req, parsed.content);
    if (asked.length > 0) return show(res, { form, chosen, problems: asked, dates: datesMark(parsed.content) });
    const status = req.body?.do === 'draft' ? 'draft' : 'open';
    try {
      const record = await createOnce(viewer, readKey(req), parsed.content, async (trx, formKey) =>
        createDocument(trx, viewer.tenantId, {
          ...{ content: parsed.content, status, memberId: viewer.memberId, at: ctx.clock(), formKey },
          partyId: await partyOf(trx, viewer, chosen, parsed.content.party),
        }),
      );
      const said = status === 'draft' ? 'is saved as a draft.' : 'is saved. It is not sent yet: that is the next step.';
      await notify(req, 'ok', `${titleOf(record)} ${said}${guessedWords(parsed.guesses, form, viewer)}`);
      res.redirect(303, `/documents/${record.id}`);
    } catch (error) {
      await show(res, { form, chosen, problems: [numberProblem(error)] });
    }
  });

  // The sums under the form, while somebody types: computed here, by the same rules as on the record.
  router.post('/documents/totals', async (req, res) => {
    const viewer = writer(res);
    const id = typeof req.body?.id === 'string' ? req.body.id : '';
    const base = id ? (await stored(viewer, id)).content : undefined;
    const typed = await inTurns(readTyped(kindNamed(req.body?.kind), req.body));
    await fragment(res, 'documents/totals', await totalsLocals(res, viewer, typed, base));
  });

  // A contact's address, once its name is typed; nothing where no contact has that name.
  router.get('/documents/party', async (req, res) => {
    const viewer = writer(res);
    const typed = Object.fromEntries(partyFields.map((field) => [field, textParam(req, `party[${field}]`)]));
    const picked = readPicked(textParam(req, 'partyId'));
    const chosen = await inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const record = await getDocument(trx, viewer.tenantId, textParam(req, 'id'));
      const before = record && { partyId: record.partyId, party: record.content.party };
      return suggestParty(trx, viewer.tenantId, typed, picked, before);
    });
    if (!chosen) return void res.status(204).end();
    await fragment(res, 'documents/party-choice', {
      chosen,
      labels,
      countries,
      problemOf: () => undefined,
    });
  });

  router.get('/documents/:id/edit', async (req, res) => {
    const record = await stored(writer(res), param(req, 'id'));
    await show(res, { form: formOf(record.content), record, chosen: { partyId: record.partyId } });
  });

  router.post('/documents/:id', async (req, res) => {
    const viewer = writer(res);
    const record = await stored(viewer, param(req, 'id'));
    const typed = await inTurns(readTyped(record.kind, req.body));
    const picked = readPicked(req.body?.partyId);
    const edited = afterRowButton(req, typed);
    const version = Number(textField(req, 'version'));
    if (edited)
      return show(res, {
        form: edited,
        record,
        version,
        chosen: { partyId: picked },
        answer: readEmailAnswer(req.body),
      });
    const before = { partyId: record.partyId, party: record.content.party };
    // A form without a name, such as a program's that changes one field, leaves the customer as it is.
    const chosen =
      typed.party.name === undefined
        ? { form: typed.party, partyId: record.partyId }
        : await inTenant(ctx.db, viewer.tenantId, (trx) =>
            chooseParty(trx, viewer.tenantId, typed.party, picked, before),
          );
    const form = { ...typed, party: chosen.form };
    // Somebody else's change is said first: what they changed may be what is wrong.
    if (version !== record.version) return showConflict(res, form, record, readEmailAnswer(req.body));
    const fields = contentFields(req, { kind: record.kind, party: form.party });
    const parsed = await inTurns(documentFormOf(fields, record.content, viewer.locale));
    if (!parsed.ok || chosen.question)
      return show(res, {
        ...{ form, record, chosen, answer: readEmailAnswer(req.body) },
        problems: parsed.ok ? [] : parsed.problems,
      });
    const { number = record.number, ...rest } = parsed.content;
    const content = { ...rest, number };
    const answer = readEmailAnswer(req.body);
    const emails = await inTenant(ctx.db, viewer.tenantId, (trx) => emailsOfRecord(trx, viewer, record));
    const dates = datesMark(content) === datesMark(record.content) ? [] : datesAsked(req, content);
    const asked = [...dates, ...emailQuestion(emails, answer, record.content, content)];
    if (asked.length > 0)
      return show(res, {
        ...{ form, record, chosen, problems: asked, answer },
        ...(dates.length > 0 || req.body?.dates ? { dates: datesMark(content) } : {}),
      });
    const wantsNew = answer.choice === 'new' && answer.named.length > 0;
    const paper = wantsNew ? await newPaper(ctx, viewer.tenantId, record, content) : undefined;
    if (paper && 'field' in paper) return show(res, { form, record, chosen, problems: [paper], answer });
    try {
      const revised = await inTenant(ctx.db, viewer.tenantId, async (trx) => {
        const saved = await updateDocument(trx, viewer.tenantId, record.id, {
          ...{ version, memberId: viewer.memberId, at: ctx.clock(), content },
          partyId: await partyOf(trx, viewer, chosen, rest.party),
        });
        return paper && carryNewVersion(ctx, trx, viewer, answer, { ...paper, record: saved });
      });
      const kept = emails.keeping.length + (wantsNew ? 0 : emails.changeable.length);
      const tooLate = revised?.tooLate ?? emails.leaving.length;
      const became = revisedWords(answer.choice, revised?.ids.length ?? 0, tooLate, kept, viewer.locale);
      await notify(
        req,
        tooLate > 0 ? 'wait' : 'ok',
        `Your changes are saved. ${became}`.trim() + guessedWords(parsed.guesses, form, viewer),
      );
      res.redirect(303, `/documents/${record.id}`);
    } catch (error) {
      if (error instanceof DocumentError && error.code === 'changed_meanwhile') {
        return showConflict(res, form, await stored(viewer, record.id), answer);
      }
      await show(res, { form, record, chosen, answer, problems: [numberProblem(error)] });
    }
  });

  async function stored(viewer: Viewer, id: string): Promise<DocumentRecord> {
    return found(await inTenant(ctx.db, viewer.tenantId, (trx) => getDocument(trx, viewer.tenantId, id)));
  }

  /**
   * A form that comes twice makes one record: a double click, or a browser that asks again. One that says something else by
   * then, such as after going back, makes another.
   */
  async function createOnce(
    viewer: Viewer,
    key: string | undefined,
    content: DraftContent,
    create: (trx: Database, formKey: string | undefined) => Promise<DocumentRecord>,
  ): Promise<DocumentRecord> {
    try {
      return await inTenant(ctx.db, viewer.tenantId, (trx) => create(trx, key));
    } catch (error) {
      if (!(error instanceof DocumentError) || error.code !== 'already_saved') throw error;
      const record = await stored(viewer, error.documentId ?? '');
      const number = content.number ?? record.content.number;
      if (isDeepStrictEqual(plainCopy({ ...content, number }), plainCopy(record.content))) return record;
      return inTenant(ctx.db, viewer.tenantId, (trx) => create(trx, undefined));
    }
  }

  /** The contact that was chosen; undefined where the details say who it is. */
  async function partyOf(
    trx: Database,
    { tenantId }: Viewer,
    { partyId }: ChosenParty,
    details: PartyDetails,
  ): Promise<string | undefined> {
    if (partyId === 'new') return (await createParty(trx, tenantId, details)).id;
    return partyId || undefined;
  }

  /** Both versions side by side; what was typed stays, and may be saved over the other on purpose. */
  async function showConflict(
    res: Response,
    form: TypedForm,
    record: DocumentRecord,
    answer: EmailAnswer,
  ): Promise<void> {
    const viewer = writer(res);
    const change = await inTenant(ctx.db, viewer.tenantId, (trx) => lastChange(trx, viewer.tenantId, record.id));
    const whoChanged = whoChangedIt(change, viewer, ctx.clock());
    const changes = differences(record.content, form);
    await show(res, {
      form: rebased(record.content, form),
      record,
      changes,
      whoChanged,
      chosen: { partyId: record.partyId },
      answer,
    });
  }

  interface Shown {
    readonly form: TypedForm;
    readonly record?: DocumentRecord;
    readonly version?: number;
    readonly problems?: readonly FormProblem[];
    readonly changes?: readonly Difference[];
    /** Who it is for, and what must be asked about that. */
    readonly chosen: Omit<ChosenParty, 'form'>;
    /** Whose change it was, where there are changes. */
    readonly whoChanged?: string;
    /** The dates that are asked about, as `datesMark` writes them. */
    readonly dates?: string;
    /** What was said of the emails that wait. */
    readonly answer?: EmailAnswer;
  }

  async function show(
    res: Response,
    { form, record, version, problems: given = [], changes, whoChanged, chosen, answer, dates }: Shown,
  ): Promise<void> {
    const viewer = writer(res);
    const words = record ? wordsOf(record) : kindWords[form.kind];
    const asked = chosen.question && questionWords(chosen.question, form.party.name ?? '');
    const problems = asked ? [{ field: 'party[name]', message: asked }, ...given] : given;
    const { contacts, emails } = await inTenant(ctx.db, viewer.tenantId, async (trx) => ({
      contacts: await listParties(trx, viewer.tenantId, { limit: 200 }),
      emails: record && (await emailsOfRecord(trx, viewer, record)),
    }));
    const totals = await totalsLocals(res, viewer, form, record?.content);
    const problemOf = byField(problems);
    res.status(changes ? 409 : problems.length > 0 ? 422 : 200);
    await page(res, 'documents/form', {
      whoChanged,
      title: record ? `Edit ${nameOf(record)}` : `New ${words.lower}`,
      section: form.kind,
      scripts: ['letterhead/lines.js', 'letterhead/party.js'],
      words,
      unnumbered,
      form,
      chosen: { ...chosen, form: form.party },
      record,
      version: version ?? record?.version,
      labels,
      shown: shownFields[form.kind],
      countries,
      currencies,
      contacts: contacts.rows,
      key: record ? undefined : (readKey(res.req) ?? randomUUID()),
      problems: await inTurns(asListed(problems, form)),
      problemOf,
      changes,
      ...{ emails, emailChoice: answer?.choice, toWhom, pillOf, dates, confirmed: res.req.body?.dates === dates },
      ...(await linesLocals(res, form, totals, problems)),
      ...totals,
    });
  }

  return router;
}

function writer(res: Response): Viewer {
  return requireRole(res, 'owner', 'admin', 'member');
}

function blankForm(kind: DocumentKind, viewer: Viewer, now: Date): TypedForm {
  const { timeZone, currency, country } = viewer.tenant;
  const month = dayFrom(now, timeZone, 30);
  return {
    kind,
    head: { issueDate: dayFrom(now, timeZone), dueDate: month, validUntil: month, currency },
    party: { country },
    lines: [nextLine([])],
  };
}

/** Which form it was; undefined for a program's. */
function readKey(req: Request): string | undefined {
  return z.uuid().safeParse(req.body?.key).data;
}

function plainCopy(content: object): unknown {
  return JSON.parse(JSON.stringify(content));
}

/** What was posted, with what is known better. Not copied: there may be tens of thousands of fields. */
function contentFields(req: Request, known: Pick<TypedForm, 'kind' | 'party'>): Record<string, unknown> {
  return Object.assign(req.body ?? {}, known);
}

/** In the order of the page. The list above the form says which line a sentence is about; beside the field it is plain to see. */
function* asListed(problems: readonly FormProblem[], form: TypedForm): Work<FormProblem[]> {
  const places = new Map(form.lines.map(({ key }, index) => [String(key), index]));
  const placed = yield* each(problems, ({ field, message }) => {
    const index = places.get(/^lines\[(\d+)\]/.exec(field)?.[1] ?? '');
    if (index !== undefined) return { field, message: `Line ${index + 1}: ${message}`, place: index + 2 };
    return { field, message, place: field.startsWith('party') ? 0 : 1 };
  });
  return placed.sort((a, b) => a.place - b.place).map(({ field, message }) => ({ field, message }));
}

/** The form after “Add line” or “Remove”, for browsers without scripts; undefined where another button was pressed. */
function afterRowButton(req: Request, form: TypedForm): TypedForm | undefined {
  const pressed = typeof req.body?.do === 'string' ? req.body.do : '';
  if (pressed === 'add-line') return { ...form, lines: [...form.lines, nextLine(form.lines)] };
  if (pressed === 'add-up') return form;
  if (pressed === 'turn') return turned(form);
  const removed = /^remove-line:(\d+)$/.exec(pressed)?.[1];
  if (removed === undefined) return undefined;
  const left = form.lines.filter(({ key }) => key !== Number(removed));
  // Numbered anew: express closes the gaps in what comes back, and the next “Remove” must mean the same row.
  const lines = left.map((line, key) => ({ ...line, key }));
  return { ...form, lines: lines.length > 0 ? lines : [nextLine([])] };
}

/** What is asked about the dates of a form, unless it confirms these very dates. */
function datesAsked(req: Request, content: Parameters<typeof datesMark>[0]): FormProblem[] {
  return req.body?.dates === datesMark(content) ? [] : dateQuestions(content);
}

/** Words for what only the database could tell; anything else is not ours to explain. */
function numberProblem(error: unknown): FormProblem {
  if (error instanceof DocumentError && error.code === 'number_taken')
    return { field: 'number', message: error.message };
  throw error;
}
