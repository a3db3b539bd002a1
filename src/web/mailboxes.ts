import { Router } from 'express';
import { releaseMailbox } from '../deliveries/decide.ts';
import { scopes } from '../google/app.ts';
import { GoogleError } from '../google/errors.ts';
import { MailboxUnusableError } from '../mailboxes/access-token.ts';
import { scopesFor } from '../mailboxes/capabilities.ts';
import { askedOfAll, ConnectError, connectMailbox, disconnectMailbox } from '../mailboxes/connect.ts';
import { findMailbox, makeDefault } from '../mailboxes/mailboxes.ts';
import { refreshSendAs } from '../mailboxes/send-as.ts';
import { KeyRingError } from '../platform/key-ring.ts';
import { inTenant } from '../tenants/scope.ts';
import { connectError, consentError, wrongViewer } from './connect-errors.ts';
import type { WebContext } from './context.ts';
import { found, PageError } from './errors.ts';
import { callbackPaths, type GoogleFlow } from './google-flows.ts';
import { onlyIds } from './query.ts';
import { notify } from './session.ts';
import { param, requireRole, type Viewer, viewerOf } from './viewer.ts';

const settings = '/settings/email';

/** Connecting Gmail, coming back from Google, asking for the list of addresses, disconnecting. */
export function mailboxPages(ctx: WebContext, flow: GoogleFlow): Router {
  const router = Router();
  onlyIds(router);

  router.post('/mailboxes/connection', async (req, res, next) => {
    const kind = req.body?.kind === 'personal' ? 'personal' : 'shared';
    const viewer =
      kind === 'shared' ? requireRole(res, 'owner', 'admin') : requireRole(res, 'owner', 'admin', 'member');
    const { tenantId, memberId } = viewer;
    const mailboxId = typeof req.body?.mailboxId === 'string' && req.body.mailboxId !== '' ? req.body.mailboxId : null;
    const mailbox = mailboxId ? found(await find(ctx, viewer, mailboxId)) : null;
    if (mailbox && mailbox.kind !== kind) throw PageError.notFound();
    const loginHint = mailbox?.email ?? (kind === 'personal' ? viewer.email : undefined);
    const purpose = { returnTo: settings, connect: { tenantId, memberId, kind, mailboxId } } as const;
    // Google gives a refresh token only where it shows its consent page, so it is made to.
    const options = { scope: scopesFor(askedOfAll), prompt: 'consent', accessType: 'offline' } as const;
    flow.begin(req, res, next, purpose, loginHint ? { ...options, loginHint } : options);
  });

  router.get(callbackPaths.connect, async (req, res) => {
    const viewer = viewerOf(res);
    const result = await flow.finish(req, res);
    if (result.kind !== 'consent') {
      if (result.kind === 'failed') ctx.log.warn({ err: result.error, code: result.code }, 'connecting Gmail failed');
      throw consentError(result.kind, 'code' in result ? result.code : '');
    }
    const request = result.purpose.connect;
    // Signed in as somebody else meanwhile, or looking at another company: it belongs to whoever began it.
    if (!request || request.memberId !== viewer.memberId) throw wrongViewer();
    let mailboxId: string;
    try {
      mailboxId = await connectMailbox(ctx, request, result.consent);
    } catch (error) {
      throw error instanceof ConnectError ? connectError(error) : error;
    }
    const mayRead = result.consent.scopes.includes(scopes.gmailSettingsBasic);
    const aliases = mayRead ? await tryToReadAliases(ctx, viewer.tenantId, mailboxId) : 'not_allowed';
    const { released, waiting } = await inTenant(ctx.db, viewer.tenantId, (trx) =>
      releaseMailbox(trx, ctx.clock, viewer.tenantId, mailboxId),
    );
    const words = [`${result.consent.identity.email} is connected.`];
    if (released > 0) words.push(`${released} waiting ${released === 1 ? 'email is' : 'emails are'} going out now.`);
    if (waiting > 0) words.push(`${waiting} waited for more than a day: decide about them in Activity.`);
    if (aliases === 'failed') words.push('Gmail did not tell its other addresses just now; press “Check again” below.');
    await notify(req, 'ok', words.join(' '));
    res.redirect(303, result.purpose.returnTo);
  });

  router.post('/mailboxes/:id/send-as-refresh', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const mailbox = found(await find(ctx, viewer, param(req, 'id')));
    const outcome = mailbox.capabilities.includes('aliases')
      ? await tryToReadAliases(ctx, viewer.tenantId, mailbox.id)
      : 'not_allowed';
    const words = {
      read: ['ok', `Gmail’s list of addresses for ${mailbox.email} is up to date.`],
      unusable: ['fail', `${mailbox.email} must be connected to Gmail again first.`],
      failed: ['fail', 'Gmail did not answer. Try again in a minute.'],
      not_allowed: [
        'fail',
        'We may not read Gmail’s list of addresses. Connect again and leave the box about settings ticked.',
      ],
    } as const;
    const [tone, text] = words[outcome];
    await notify(req, tone, text);
    res.redirect(303, settings);
  });

  router.post('/mailboxes/:id/default', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin');
    const mailbox = found(await find(ctx, viewer, param(req, 'id')));
    const made = await inTenant(ctx.db, viewer.tenantId, (trx) => makeDefault(trx, viewer.tenantId, mailbox.id));
    if (made) await notify(req, 'ok', `${mailbox.email} is the company’s default now.`);
    else await notify(req, 'fail', 'Only a connected Gmail account of the company can be its default.');
    res.redirect(303, settings);
  });

  router.post('/mailboxes/:id/disconnection', async (req, res) => {
    const viewer = viewerOf(res);
    const mailbox = found(await find(ctx, viewer, param(req, 'id')));
    // One's own can always be taken back; the company's takes an admin.
    if (mailbox.kind === 'shared') requireRole(res, 'owner', 'admin');
    const done = found(await disconnectMailbox(ctx, viewer.tenantId, mailbox.id));
    await notify(req, 'ok', disconnectedWords(done));
    res.redirect(303, settings);
  });

  return router;
}

/** Not a delegated one: nobody connects or disconnects that by itself. */
async function find(ctx: WebContext, { tenantId, memberId }: Viewer, mailboxId: string) {
  const mailbox = await inTenant(ctx.db, tenantId, (trx) => findMailbox(trx, tenantId, memberId, mailboxId));
  return mailbox?.delegated ? undefined : mailbox;
}

/** Without the list the mailbox works all the same, so a failure here fails nothing else. */
async function tryToReadAliases(
  ctx: WebContext,
  tenantId: string,
  mailboxId: string,
): Promise<'read' | 'unusable' | 'failed'> {
  try {
    await refreshSendAs(ctx, tenantId, mailboxId);
    return 'read';
  } catch (error) {
    if (error instanceof MailboxUnusableError) return 'unusable';
    if (error instanceof GoogleError || error instanceof KeyRingError) return 'failed';
    throw error;
  }
}

function disconnectedWords(done: { email: string; revokedAtGoogle: boolean; usedElsewhere: boolean }): string {
  if (done.revokedAtGoogle) return `${done.email} is disconnected, and Google has been told.`;
  if (done.usedElsewhere) {
    return `${done.email} is disconnected here. The permission at Google stays, because another mailbox uses the same Google account.`;
  }
  return `${done.email} is disconnected here, but Google could not be told. You can remove Letterhead yourself under “Third-party apps” in that Google account.`;
}
