import { type Response, Router } from 'express';
import { z } from 'zod';
import { holdWithdrawn } from '../deliveries/withdrawn.ts';
import { changeAccess, givenAmong, NobodyChosenError } from '../mailboxes/access.ts';
import { findMailbox, type MailboxRecord } from '../mailboxes/mailboxes.ts';
import { listMembers } from '../tenants/members.ts';
import { inTenant } from '../tenants/scope.ts';
import type { WebContext } from './context.ts';
import { found, PageError } from './errors.ts';
import { onlyIds, textParam } from './query.ts';
import { releaseAllowedAndTell } from './released-words.ts';
import { page } from './render.ts';
import { number } from './run-words.ts';
import { notify } from './session.ts';
import { param, requireRole, type Viewer } from './viewer.ts';

/** Who may use a shared mailbox: everybody, or those an owner or admin chooses. */
export function mailboxAccessPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get('/mailboxes/:id/access', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin');
    const mailbox = await findShared(ctx, viewer, param(req, 'id'));
    const after = z.uuid().safeParse(textParam(req, 'after')).data;
    await accessPage(ctx, res, mailbox, { after, search: textParam(req, 'q').trim() });
  });

  router.post('/mailboxes/:id/access', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin');
    const mailbox = await findShared(ctx, viewer, param(req, 'id'));
    const form = formSchema.safeParse(req.body ?? {});
    if (!form.success) {
      throw new PageError(422, 'mailbox_access', {
        title: 'Not saved',
        message: 'Choose whether everybody may use it, or only those you tick.',
        next: { href: `/mailboxes/${mailbox.id}/access`, label: 'Back' },
      });
    }
    const { access, shown, given } = form.data;
    const change = { forEverybody: access === 'everybody', shown: Object.keys(shown), given: Object.keys(given) };
    const { tenantId, memberId } = viewer;
    const by = { memberId, at: ctx.clock() };
    const save = () => inTenant(ctx.db, tenantId, (trx) => changeAccess(trx, tenantId, mailbox.id, change, by));
    const saved = await save().catch((error: unknown) => {
      if (error instanceof NobodyChosenError) return 'nobody' as const;
      throw error;
    });
    if (saved === 'nobody') {
      res.status(422);
      return accessPage(ctx, res, { ...mailbox, forEverybody: false }, { after: undefined, search: '', nobody: true });
    }
    const words = [
      whoMay(mailbox.email, change.forEverybody, found(saved), viewer.locale),
      ...(await followUp(ctx, viewer, mailbox.id)),
    ];
    await notify(req, 'ok', words.join(' '));
    res.redirect(303, `/mailboxes/${mailbox.id}/access`);
  });

  return router;
}

/** The members that the page showed, and those of them that were ticked: by their ids. */
const membersSchema = z
  .record(z.uuid(), z.unknown())
  .refine((members) => Object.keys(members).length <= 500)
  .default({});
const formSchema = z.object({
  access: z.enum(['everybody', 'chosen']),
  shown: membersSchema,
  given: membersSchema,
});

async function findShared(ctx: WebContext, { tenantId, memberId }: Viewer, id: string): Promise<MailboxRecord> {
  const mailbox = found(await inTenant(ctx.db, tenantId, (trx) => findMailbox(trx, tenantId, memberId, id)));
  if (mailbox.kind !== 'shared') throw PageError.notFound();
  return mailbox;
}

function whoMay(email: string, everybody: boolean, count: number, locale: string): string {
  if (everybody) return `Everybody may use ${email} now.`;
  return `${number(count, locale)} ${count === 1 ? 'member' : 'members'} may use ${email} now.`;
}

/** What is queued and may not leave any more is held; what was held for that and may leave goes on. Says so. */
async function followUp(ctx: WebContext, viewer: Viewer, mailboxId: string): Promise<string[]> {
  const { tenantId } = viewer;
  const held = await holdWithdrawn(ctx, tenantId, { mailboxId });
  const { text } = await releaseAllowedAndTell(ctx, viewer, { mailboxId });
  return [
    ...(held > 0
      ? [`${number(held, viewer.locale)} waiting ${held === 1 ? 'email is' : 'emails are'} held: look in Activity.`]
      : []),
    text,
  ].filter(Boolean);
}

/** Which members are listed, and whether it was tried to choose none. */
interface AccessView {
  readonly after: string | undefined;
  readonly search: string;
  readonly nobody?: boolean;
}

async function accessPage(
  ctx: WebContext,
  res: Response,
  mailbox: MailboxRecord,
  { after, search, nobody = false }: AccessView,
) {
  const { tenantId } = requireRole(res, 'owner', 'admin');
  const { members, given, next } = await inTenant(ctx.db, tenantId, async (trx) => {
    const { rows, next } = await listMembers(trx, tenantId, { after, search });
    const ids = rows.map((member) => member.id);
    return { members: rows, given: await givenAmong(trx, tenantId, mailbox.id, ids), next };
  });
  const address = `/mailboxes/${mailbox.id}/access`;
  const query = search ? `&q=${encodeURIComponent(search)}` : '';
  await page(res, 'mailboxes/access', {
    title: `Who may use ${mailbox.email}`,
    section: 'settings',
    ...{ mailbox, members, given: nobody ? new Set<string>() : given, nobody, search, address },
    first: after && `${address}?${query}`,
    more: next && `${address}?after=${next}${query}`,
  });
}
