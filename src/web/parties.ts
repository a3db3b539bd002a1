import { randomUUID } from 'node:crypto';
import { Router } from 'express';
import { type PartyDetails, partyDetailsSchema } from '../documents/document.ts';
import { DocumentError } from '../documents/errors.ts';
import { similarParties } from '../documents/find-party.ts';
import type { FormProblem } from '../documents/form.ts';
import { formatCountry, wordsOf } from '../documents/format.ts';
import { lastPartyChange } from '../documents/last-change.ts';
import { listDocuments } from '../documents/listing.ts';
import { createParty, getParty, listParties, lockParty, type Party, updateParty } from '../documents/parties.ts';
import { listMerges, mergeParties, undoMerge } from '../documents/party-merges.ts';
import { addressesOfRecords } from '../documents/party-records.ts';
import type { DocumentSummary } from '../documents/summary.ts';
import { readAddressField } from '../platform/address-list.ts';
import { idOfForm } from '../platform/form-id.ts';
import { marksOf } from '../platform/marks.ts';
import { inTenant } from '../tenants/scope.ts';
import { countries } from './choices.ts';
import type { WebContext } from './context.ts';
import { partyDifferences } from './document-changes.ts';
import { labels, type PartyForm, partyFields, partyForm, readParty } from './document-form.ts';
import { found } from './errors.ts';
import { onlyIds, textField, textParam } from './query.ts';
import { dayFrom, statusPill } from './record-words.ts';
import { page } from './render.ts';
import { number } from './run-words.ts';
import { notify } from './session.ts';
import { param, requireRole, viewerOf } from './viewer.ts';
import { whoChangedIt } from './who-changed.ts';

/** Contacts: customers and suppliers, with the records that are for them. Behind the sign-in. */
export function partyPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get('/parties', async (req, res) => {
    const viewer = viewerOf(res);
    const search = textParam(req, 'q');
    const after = textParam(req, 'after');
    const list = await inTenant(ctx.db, viewer.tenantId, (trx) => listParties(trx, viewer.tenantId, { search, after }));
    await page(res, 'parties/list', {
      title: 'Contacts',
      section: 'contacts',
      rows: list.rows,
      next: list.next,
      search,
      after,
      mayWrite: viewer.role !== 'viewer',
    });
  });

  router.get('/parties/new', async (_req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    await page(res, 'parties/form', formLocals({ country: viewer.tenant.country }, [], undefined, randomUUID()));
  });

  router.post('/parties', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const typed = readParty(req.body);
    const checked = checkParty(typed);
    if ('problems' in checked) {
      res.status(422);
      return page(res, 'parties/form', formLocals(typed, checked.problems, undefined, textField(req, 'key')));
    }
    // Sent twice, it is one contact.
    const id = idOfForm(textField(req, 'key'), viewer.tenantId, checked.details);
    const party = await inTenant(ctx.db, viewer.tenantId, (trx) =>
      createParty(trx, viewer.tenantId, checked.details, id),
    );
    await notify(req, 'ok', `${party.name} is among your contacts now.`);
    res.redirect(303, `/parties/${party.id}`);
  });

  router.get('/parties/:id', async (req, res) => {
    const viewer = viewerOf(res);
    const id = param(req, 'id');
    const after = textParam(req, 'after');
    const { party, records, similar, merges, addresses } = await inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const party = found(await getParty(trx, viewer.tenantId, id));
      return {
        party,
        records: await listDocuments(trx, viewer.tenantId, { partyId: id, after }),
        similar: await similarParties(trx, viewer.tenantId, party),
        merges: await listMerges(trx, viewer.tenantId, id),
        addresses: await addressesOfRecords(trx, viewer.tenantId, id, party.email),
      };
    });
    if (party.mergedInto !== undefined) return res.redirect(303, `/parties/${party.mergedInto}`);
    const locale = viewer.locale;
    const today = dayFrom(ctx.clock(), viewer.tenant.timeZone);
    await page(res, 'parties/show', {
      title: party.name,
      section: 'contacts',
      party,
      ...{ similar, merges, addresses },
      rows: records.rows,
      next: records.next,
      after,
      wordsOf,
      statusPill: (row: DocumentSummary) => statusPill(row, today),
      labels,
      locale,
      country: party.country && formatCountry(party.country, locale),
      mayWrite: viewer.role !== 'viewer',
    });
  });

  router.get('/parties/:id/edit', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const id = param(req, 'id');
    const party = found(await inTenant(ctx.db, viewer.tenantId, (trx) => getParty(trx, viewer.tenantId, id)));
    await page(res, 'parties/form', formLocals(partyForm(party), [], party));
  });

  router.post('/parties/:id/merges', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const { tenantId, memberId } = viewer;
    const id = param(req, 'id');
    found(await inTenant(ctx.db, tenantId, (trx) => getParty(trx, tenantId, id)));
    const other = typeof req.body?.other === 'string' ? req.body.other : '';
    const merged = await tellApart(() =>
      inTenant(ctx.db, tenantId, async (trx) => {
        const gone = await getParty(trx, tenantId, other);
        await mergeParties(trx, tenantId, id, other, { memberId, at: ctx.clock() });
        return gone?.name ?? '';
      }),
    );
    if ('problem' in merged) await notify(req, 'fail', merged.problem);
    else await notify(req, 'ok', `${merged.done} is part of this contact now. You can take them apart again below.`);
    res.redirect(303, `/parties/${id}`);
  });

  router.post('/parties/:id/merges/:merge/undo', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const id = param(req, 'id');
    found(await inTenant(ctx.db, viewer.tenantId, (trx) => getParty(trx, viewer.tenantId, id)));
    const apart = await tellApart(() =>
      inTenant(ctx.db, viewer.tenantId, (trx) => undoMerge(trx, viewer.tenantId, param(req, 'merge'), ctx.clock())),
    );
    if ('problem' in apart) await notify(req, 'fail', apart.problem);
    else await notify(req, 'ok', `${apart.done.name} is a contact of its own again, with the records that it had.`);
    res.redirect(303, `/parties/${'problem' in apart ? id : apart.done.id}`);
  });

  router.post('/parties/:id', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const id = param(req, 'id');
    const typed = readParty(req.body);
    const seen = textField(req, 'seen');
    const saved = await inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const party = found(await lockParty(trx, viewer.tenantId, id));
      // Somebody else's change is said first; a program that shows no form has seen none.
      if (seen !== '' && seen !== markOf(party)) {
        const who = whoChangedIt(await lastPartyChange(trx, viewer.tenantId, id), viewer, ctx.clock());
        return { party, changed: changedMeanwhile(party, typed, who) };
      }
      const checked = checkParty(typed, party);
      if ('problems' in checked) return { party, problems: checked.problems };
      await updateParty(trx, viewer.tenantId, id, checked.details, viewer.memberId);
      return checked;
    });
    if (!('details' in saved)) {
      res.status(saved.changed ? 409 : 422);
      const locals = formLocals(typed, saved.problems, saved.party);
      // What is refused stays as it was seen: what somebody else changes meanwhile is still said.
      return page(res, 'parties/form', { ...locals, changed: saved.changed, seen: saved.changed ? locals.seen : seen });
    }
    const checked = saved;
    const { elsewhere, here } = await inTenant(ctx.db, viewer.tenantId, (trx) =>
      addressesOfRecords(trx, viewer.tenantId, id, checked.details.email),
    );
    await notify(req, 'ok', savedWords(checked.details.email, elsewhere, here, viewer.locale));
    res.redirect(303, `/parties/${id}`);
  });

  return router;
}

/** What a form showed of a contact, in short. */
function markOf(party: Party): string {
  return marksOf({ contact: partyForm(party) });
}

/** What somebody else saved while a form was open, beside what was typed. */
function changedMeanwhile(party: Party, typed: PartyForm, who: string) {
  const changes = partyDifferences(partyForm(party), typed);
  return { what: 'This contact was changed while you had it open', who, drop: `/parties/${party.id}/edit`, changes };
}

/** What a changed contact means for the records that are there already. */
function savedWords(email: string | undefined, elsewhere: number, here: number, locale: string): string {
  const kept = 'The contact is saved. Records that are written already keep what was printed on them.';
  const others =
    elsewhere === 0
      ? ''
      : elsewhere === 1
        ? ' 1 open record still goes to another email: the one written on it.'
        : ` ${number(elsewhere, locale)} open records still go to another email: the one written on them.`;
  if (here === 0) return kept + others;
  const [which, goes, cannot] =
    here === 1
      ? ['1 open record has no email of its own', 'it goes', 'it cannot']
      : [`${number(here, locale)} open records have no email of their own`, 'they go', 'they cannot'];
  return `${kept}${others} ${which}: ${email === undefined ? `${cannot} be sent.` : `${goes} to ${email}.`}`;
}

/** What contacts cannot be, in words; anything else is not ours to explain. */
async function tellApart<T>(act: () => Promise<T>): Promise<{ readonly done: T } | { readonly problem: string }> {
  try {
    return { done: await act() };
  } catch (error) {
    if (error instanceof DocumentError && error.code === 'party_not_found') return { problem: error.message };
    throw error;
  }
}

/** The details that a form means, or everything that is wrong with it. */
function checkParty(form: PartyForm, known?: Party): { details: PartyDetails } | { problems: FormProblem[] } {
  const typed = Object.entries(form).map(([name, value]) => [name, value.trim() || undefined]);
  const read = form.email === known?.email ? { ok: true as const, email: form.email } : readAddressField(form.email);
  const problems: FormProblem[] = read.ok ? [] : [{ field: 'party[email]', message: read.message }];
  const email = read.ok ? read.email || undefined : undefined;
  const checked = partyDetailsSchema.safeParse({ ...Object.fromEntries(typed), email, endpoint: known?.endpoint });
  if (checked.success) return problems.length > 0 ? { problems } : { details: checked.data };
  const unfit = checked.error.issues.map((issue) => {
    const field = partyFields.find((name) => name === issue.path[0]) ?? 'name';
    const said = /^Invalid|expected/.test(issue.message) ? 'is missing' : issue.message;
    return { field: `party[${field}]`, message: `${labels[field]} ${said}.` };
  });
  return { problems: [...unfit, ...problems] };
}

function formLocals(
  party: PartyForm,
  problems: readonly FormProblem[] = [],
  stored?: Party,
  /** Which form it is, of a new contact. */
  key?: string,
) {
  return {
    title: stored ? `Edit ${stored.name}` : 'New contact',
    section: 'contacts' as const,
    party,
    ...{ stored, key, seen: stored && markOf(stored), changed: undefined },
    labels,
    countries,
    problems,
    problemOf: (field: string) => problems.find((problem) => problem.field === field)?.message,
  };
}
