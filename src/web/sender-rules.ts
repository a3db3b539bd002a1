import { type Response, Router } from 'express';
import { z } from 'zod';
import { type DocumentKind, documentKinds } from '../documents/document.ts';
import { kindWords } from '../documents/format.ts';
import { listMailboxes, type MailboxRecord } from '../mailboxes/mailboxes.ts';
import { ruleFor } from '../mailboxes/sender.ts';
import { listMemberSenders, listRules, removeRule, saveRule } from '../mailboxes/sender-rules.ts';
import { inTenant } from '../tenants/scope.ts';
import type { WebContext } from './context.ts';
import { textParam } from './query.ts';
import { page } from './render.ts';
import { aliasChoices, badChoice, choiceOf, readChoice, ruleWords } from './sender-choice.ts';
import { refusals, ruleColumns } from './sender-overview.ts';
import { notify } from './session.ts';
import { requireRole, viewerOf } from './viewer.ts';

type Rules = Awaited<ReturnType<typeof listRules>>;
type ByKind = Partial<Record<DocumentKind, string>>;

/**
 * Whose address emails come from: the company's way, another per kind of record, and what that means for each member. Owners and
 * admins see all members; the others themselves, because senders can be of mailboxes that they were not given.
 */
export function senderRulePages(ctx: WebContext): Router {
  const router = Router();

  router.post('/settings/email/sender-rule', async (req, res) => {
    const { tenantId, memberId } = requireRole(res, 'owner', 'admin');
    const form = modeSchema.safeParse(req.body);
    if (!form.success) throw badChoice('Choose one of the three ways to send.');
    const value = form.data.mode === 'alias' ? (form.data.alias ?? '') : form.data.mode;
    const words = await inTenant(ctx.db, tenantId, async (trx) => {
      const mailboxes = await listMailboxes(trx, tenantId, memberId);
      const choice = readChoice(mailboxes, value);
      if ('problem' in choice) throw badChoice(choice.problem);
      await saveRule(trx, tenantId, null, choice.rule, { memberId, at: ctx.clock() });
      return ruleWords(choice.rule, mailboxes);
    });
    await notify(req, 'ok', `Saved: from now on emails come from ${words}.`);
    res.redirect(303, '/settings/email');
  });

  router.get('/settings/email/rules', async (req, res) => {
    const after = z.uuid().safeParse(textParam(req, 'after')).data;
    await rulesPage(ctx, res, { after });
  });

  router.post('/settings/email/rules', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin');
    const form = kindsSchema.safeParse(req.body);
    if (!form.success) throw badChoice('Choose one of the ways to send for each kind.');
    const problems = await saveKinds(ctx, viewer, form.data.rule);
    if (Object.keys(problems).length > 0) {
      res.status(422);
      return rulesPage(ctx, res, { typed: form.data.rule, problems });
    }
    await notify(req, 'ok', 'Saved. The table shows whom each member’s emails come from now.');
    res.redirect(303, '/settings/email/rules');
  });

  return router;
}

const modeSchema = z.object({ mode: z.enum(['default', 'current_user', 'alias']), alias: z.string().optional() });

/** A kind that is left out stays as it is; an empty one is as for everything. */
const kindsSchema = z.object({ rule: z.partialRecord(z.enum(documentKinds), z.string()) });

/** The kinds that have a rule of their own, in words: `invoices come from accounts@brightwater.example`. */
export function exceptionWords(rules: Rules, mailboxes: readonly MailboxRecord[]): string[] {
  return documentKinds.flatMap((kind) => {
    const own = rules.find((each) => each.documentKind === kind);
    return own ? [`${kindWords[kind].plural.toLowerCase()} come from ${ruleWords(own.rule, mailboxes)}`] : [];
  });
}

/** Saves all that changed, or nothing where one cannot be; returns what is wrong by kind. */
async function saveKinds(
  ctx: WebContext,
  { tenantId, memberId }: { readonly tenantId: string; readonly memberId: string },
  asked: ByKind,
): Promise<ByKind> {
  return inTenant(ctx.db, tenantId, async (trx) => {
    const rules = await listRules(trx, tenantId);
    const mailboxes = await listMailboxes(trx, tenantId, memberId);
    // What is not changed is not judged: an address that Gmail lost must not stand in the way of another kind's rule.
    const changed = documentKinds.flatMap((kind) => {
      const value = asked[kind];
      return value === undefined || value === savedChoice(rules, kind) ? [] : [{ kind, value }];
    });
    const read = changed.map(({ kind, value }) => ({
      kind,
      choice: value === '' ? null : readChoice(mailboxes, value),
    }));
    const problems: ByKind = {};
    for (const { kind, choice } of read) if (choice && 'problem' in choice) problems[kind] = choice.problem;
    if (Object.keys(problems).length > 0) return problems;
    const by = { memberId, at: ctx.clock() };
    for (const { kind, choice } of read) {
      if (choice === null) await removeRule(trx, tenantId, kind, by);
      else if ('rule' in choice) await saveRule(trx, tenantId, kind, choice.rule, by);
    }
    return problems;
  });
}

function savedChoice(rules: Rules, kind: DocumentKind): string {
  const own = rules.find((each) => each.documentKind === kind);
  return own ? choiceOf(own.rule) : '';
}

async function rulesPage(
  ctx: WebContext,
  res: Response,
  asked: { readonly after?: string | undefined; readonly typed?: ByKind; readonly problems?: ByKind },
) {
  const { tenantId, memberId, role } = viewerOf(res);
  const mayChange = role === 'owner' || role === 'admin';
  const { rules, columns, mailboxes, overview } = await inTenant(ctx.db, tenantId, async (trx) => {
    const rules = await listRules(trx, tenantId);
    const columns = ruleColumns(rules);
    const shown = columns.map((column) => column.rule);
    return {
      ...{ rules, columns, mailboxes: await listMailboxes(trx, tenantId, memberId) },
      overview: await listMemberSenders(trx, tenantId, shown, mayChange ? { after: asked.after } : { only: memberId }),
    };
  });
  const general = ruleFor(null, rules);
  const kinds = documentKinds.map((kind) => {
    const own = rules.find((each) => each.documentKind === kind)?.rule ?? { mode: 'default' };
    return {
      ...{ kind, label: kindWords[kind].plural, value: asked.typed?.[kind] ?? savedChoice(rules, kind) },
      ...{ error: asked.problems?.[kind], aliases: aliasChoices(mailboxes, own) },
    };
  });
  const shared = mailboxes.filter((mailbox) => mailbox.kind === 'shared' && mailbox.state !== 'disconnected');
  await page(res, 'settings/rules', {
    title: 'Send from, per kind',
    section: 'settings',
    ...{ kinds, columns, memberId },
    general: ruleWords(general, mailboxes),
    rows: overview.rows,
    refused: refusals(columns, overview.rows, memberId),
    company: shared.find((mailbox) => mailbox.isDefault) ?? shared[0],
    settingsUrl: `${ctx.publicUrl}/settings/email`,
    first: asked.after && '/settings/email/rules',
    more: overview.next && `/settings/email/rules?after=${overview.next}`,
    mayChange,
  });
}
