import { type Request, type Response, Router } from 'express';
import { holdMailbox } from '../deliveries/release.ts';
import { disconnectMailbox } from '../mailboxes/disconnect.ts';
import { listMailboxes } from '../mailboxes/mailboxes.ts';
import { inTenant } from '../tenants/scope.ts';
import { findConnected } from './connected-mailbox.ts';
import { askGoogle, keepConsent, requireConnector } from './connection.ts';
import type { WebContext } from './context.ts';
import { found, PageError } from './errors.ts';
import type { GoogleFlow } from './google-flows.ts';
import { choiceMinutes, type PendingChoice, type PendingChoices } from './pending-choices.ts';
import { asPermissions } from './permission-words.ts';
import { onlyIds } from './query.ts';
import { page } from './render.ts';
import { param, type Viewer, viewerOf } from './viewer.ts';

const settings = '/settings/email';

/**
 * Somebody connected a mailbox again and chose another Google account: go back and choose the right one, or keep
 * what Google allowed as a mailbox of its own. Nothing happens before they say.
 */
export function accountChoicePages(ctx: WebContext, flow: GoogleFlow, choices: PendingChoices): Router {
  const router = Router();
  onlyIds(router);

  router.get('/mailboxes/connection/choices/:id', async (req, res) => {
    const viewer = viewerOf(res);
    const choice = await choices.look(req, viewer, param(req, 'id'));
    if (!choice) throw choiceGone();
    const { kind, mailboxId } = choice.request;
    const mailboxes = await inTenant(ctx.db, viewer.tenantId, (trx) =>
      listMailboxes(trx, viewer.tenantId, viewer.memberId),
    );
    const isKnown = mailboxes.some(
      (each) => each.kind === kind && each.googleSub === choice.consent.identity.sub && each.state !== 'disconnected',
    );
    await page(res, 'mailboxes/choice', {
      title: 'That is another Google account',
      section: 'settings',
      id: param(req, 'id'),
      ...{ kind, isKnown, minutes: choiceMinutes, expected: choice.expected, chosen: choice.consent.identity.email },
      replaces: kind === 'personal' && mailboxes.find((each) => each.id === mailboxId)?.state !== 'disconnected',
    });
  });

  router.post('/mailboxes/connection/choices/:id', async (req, res, next) => {
    const viewer = viewerOf(res);
    const choice = await choices.take(req, viewer, param(req, 'id'));
    if (!choice) throw choiceGone();
    requireConnector(res, choice.request.kind);
    if (req.body?.choice === 'another') return connectAsAnother(ctx, req, res, choices, viewer, choice);
    const { kind, mailboxId, asked } = choice.request;
    const mailbox = found(await findConnected(ctx, viewer, mailboxId));
    const add = asPermissions(asked).find((permission) => !mailbox.wanted.includes(permission)) ?? null;
    askGoogle(ctx, flow, req, res, next, { viewer, kind, mailbox, add });
  });

  return router;
}

async function connectAsAnother(
  ctx: WebContext,
  req: Request,
  res: Response,
  choices: PendingChoices,
  viewer: Viewer,
  { request, consent }: PendingChoice,
): Promise<void> {
  // A member has one Gmail of their own: the page has said that the other ends.
  if (request.kind === 'personal') {
    await disconnectMailbox(ctx, viewer, request.mailboxId, (trx) =>
      holdMailbox(trx, ctx.clock, viewer, request.mailboxId),
    );
  }
  await keepConsent(ctx, req, res, choices, { ...request, mailboxId: null }, consent, settings);
}

function choiceGone(): PageError {
  return new PageError(404, 'choice_gone', {
    title: 'This choice is not open any more',
    message: `It was made already, or waited for more than ${choiceMinutes} minutes. Nothing has changed since. Press “Reconnect” once more.`,
    next: { href: settings, label: 'Back to the email settings' },
  });
}
