import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { changeSenderName } from '../mailboxes/mailbox-settings.ts';
import { findMailbox, type MailboxRecord } from '../mailboxes/mailboxes.ts';
import { holdsOtherAddress } from '../platform/address.ts';
import { readOneAddress } from '../platform/address-list.ts';
import { oneLine } from '../platform/plain-text.ts';
import { inTenant } from '../tenants/scope.ts';
import type { WebContext } from './context.ts';
import { found } from './errors.ts';
import { onlyIds } from './query.ts';
import { page } from './render.ts';
import { notify } from './session.ts';
import { param, requireRole } from './viewer.ts';

/** The name that people see before a mailbox's address, and where replies go. */
export function mailboxNamePages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get('/mailboxes/:id/name', async (req, res) => {
    const mailbox = await findOwn(ctx, req, res);
    await namePage(res, mailbox, { name: mailbox.displayName, replyTo: mailbox.replyTo ?? '' }, {});
  });

  router.post('/mailboxes/:id/name', async (req, res) => {
    const mailbox = await findOwn(ctx, req, res);
    const form = nameSchema(mailbox.email).safeParse(req.body ?? {});
    if (!form.success) {
      res.status(422);
      return namePage(res, mailbox, typedSchema.parse(req.body ?? {}), z.flattenError(form.error).fieldErrors);
    }
    const { tenantId, memberId } = requireRole(res, 'owner', 'admin', 'member');
    const by = { memberId, at: ctx.clock() };
    await inTenant(ctx.db, tenantId, (trx) => changeSenderName(trx, tenantId, mailbox.id, form.data, by));
    const replies = form.data.replyTo ?? 'the address that they come from';
    await notify(
      req,
      'ok',
      `Saved: emails from ${mailbox.email} now come from “${form.data.name}”, and replies go to ${replies}. What was sent or written before keeps what it had.`,
    );
    res.redirect(303, `/mailboxes/${mailbox.id}`);
  });

  return router;
}

/** One's own can be named by oneself, the company's by an admin. */
async function findOwn(ctx: WebContext, req: Request, res: Response): Promise<MailboxRecord> {
  const { tenantId, memberId } = requireRole(res, 'owner', 'admin', 'member');
  const id = param(req, 'id');
  const mailbox = found(await inTenant(ctx.db, tenantId, (trx) => findMailbox(trx, tenantId, memberId, id)));
  if (mailbox.kind === 'shared') requireRole(res, 'owner', 'admin');
  return mailbox;
}

const nameSchema = (email: string) =>
  z.object({
    name: z
      .string({ error: 'Write the name that people see.' })
      .transform(oneLine)
      .pipe(
        z
          .string()
          .min(1, 'Write the name that people see.')
          .max(100, 'The name is longer than 100 characters. Shorten it.')
          .refine(
            (name) => !holdsOtherAddress(name, email),
            `The name holds an address that is not ${email}. Mail programs warn of such emails: write a name.`,
          ),
      ),
    replyTo: z.string({ error: 'Write one email address, or leave it empty.' }).transform((typed, context) => {
      const read = readOneAddress(typed);
      if (read.ok) return read.email;
      context.addIssue({ code: 'custom', message: read.message });
      return z.NEVER;
    }),
  });

const typedSchema = z.object({ name: z.string().catch(''), replyTo: z.string().catch('') });

function namePage(
  res: Response,
  mailbox: MailboxRecord,
  values: z.infer<typeof typedSchema>,
  errors: Readonly<Record<string, string[] | undefined>>,
) {
  return page(res, 'mailboxes/name', {
    title: `Name of ${mailbox.email}`,
    section: 'settings',
    ...{ mailbox, values },
    problemOf: (field: string) => errors[field]?.[0],
  });
}
