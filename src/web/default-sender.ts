import { Router } from 'express';
import { z } from 'zod';
import { chooseOwnDefault, letDefaultStandIn, readDefaults } from '../mailboxes/default-sender.ts';
import type { MailboxRecord } from '../mailboxes/mailboxes.ts';
import type { SenderRule } from '../mailboxes/sender.ts';
import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import type { WebContext } from './context.ts';
import { badChoice } from './sender-choice.ts';
import { notify } from './session.ts';
import { requireRole } from './viewer.ts';

const settings = '/settings/email#send-from';

/** Which mailbox is somebody's own default, and whether the company's stands in for whoever has none. */
export function defaultSenderPages(ctx: WebContext): Router {
  const router = Router();

  router.post('/settings/email/own-default', async (req, res) => {
    const { tenantId, memberId } = requireRole(res, 'owner', 'admin', 'member');
    const choice = z.union([z.literal(''), z.uuid()]).safeParse(req.body?.mailboxId).data;
    const mailboxId = choice === '' ? null : choice;
    const chosen =
      mailboxId !== undefined &&
      (await inTenant(ctx.db, tenantId, (trx) =>
        chooseOwnDefault(trx, tenantId, mailboxId, { memberId, at: ctx.clock() }),
      ));
    if (!chosen) throw badChoice('Choose one of the connected Gmail accounts that you may use.');
    const words = mailboxId === null ? 'the company’s default' : 'the one you chose';
    await notify(req, 'ok', `Saved: your own default is ${words}. The line below says whom your emails come from now.`);
    res.redirect(303, settings);
  });

  router.post('/settings/email/stand-in', async (req, res) => {
    const { tenantId, memberId } = requireRole(res, 'owner', 'admin');
    const standsIn = req.body?.standsIn === 'yes';
    const by = { memberId, at: ctx.clock() };
    await inTenant(ctx.db, tenantId, (trx) => letDefaultStandIn(trx, tenantId, standsIn, by));
    const words = standsIn
      ? 'Saved: whoever’s own address is not connected sends from the default Gmail, with replies to them.'
      : 'Saved: whoever’s own address is not connected cannot send.';
    await notify(req, 'ok', words);
    res.redirect(303, settings);
  });

  return router;
}

/** What the email settings show of it. */
export async function defaultChoices(
  trx: Database,
  tenantId: string,
  memberId: string,
  rules: readonly SenderRule[],
  mailboxes: readonly MailboxRecord[],
) {
  const { ownDefaultId, standsIn } = await readDefaults(trx, tenantId, memberId);
  const usable = mailboxes.filter((mailbox) => mailbox.mayUse && mailbox.state !== 'disconnected');
  const isLost = ownDefaultId !== null && !usable.some((mailbox) => mailbox.id === ownDefaultId);
  const matters = rules.some((rule) => rule.mode !== 'alias');
  return {
    ownDefault: {
      ...{ chosenId: ownDefaultId, isLost, companyEmail: usable.find((mailbox) => mailbox.isDefault)?.email },
      choices: usable.map(({ id, email, displayName }) => ({ id, email, displayName })),
      // With one Gmail there is nothing to choose, unless what was chosen is gone.
      isShown: ownDefaultId !== null || (matters && usable.some((mailbox) => !mailbox.isDefault)),
    },
    standIn: { isOn: standsIn, isShown: standsIn || rules.some((rule) => rule.mode === 'current_user') },
  };
}
