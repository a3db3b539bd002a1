import { type NextFunction, type Request, type Response, Router } from 'express';
import { releaseMailbox } from '../deliveries/release.ts';
import type { Consent } from '../google/strategy.ts';
import { readCapabilities, scopesFor } from '../mailboxes/capabilities.ts';
import { connectMailbox } from '../mailboxes/connect.ts';
import { ConnectError } from '../mailboxes/connect-error.ts';
import { endedWords } from '../mailboxes/ended-words.ts';
import type { MailboxRecord } from '../mailboxes/mailboxes.ts';
import type { ConnectRequest } from '../mailboxes/place.ts';
import { probeConnected } from '../mailboxes/recheck.ts';
import type { MailboxKind } from '../platform/database-types.ts';
import { connectError, consentError, wrongViewer } from './connect-errors.ts';
import { findConnected } from './connected-mailbox.ts';
import { connectedWords } from './connected-words.ts';
import type { WebContext } from './context.ts';
import { found, PageError } from './errors.ts';
import { callbackPaths, type GoogleFlow } from './google-flows.ts';
import type { PendingChoices } from './pending-choices.ts';
import type { Permission } from './permission-words.ts';
import { type ReleasedWords, tellReleased } from './released-words.ts';
import { tryToReadAliases } from './send-as.ts';
import { notify } from './session.ts';
import { requireRole, type Viewer, viewerOf } from './viewer.ts';

const settings = '/settings/email';
const nothingReleased: ReleasedWords = { tone: 'ok', text: '' };

/** Connecting Gmail: the way to Google, and what is made of the answer. */
export function connectionPages(ctx: WebContext, flow: GoogleFlow, choices: PendingChoices): Router {
  const router = Router();

  router.post('/mailboxes/connection', async (req, res, next) => {
    const kind = req.body?.kind === 'personal' ? 'personal' : 'shared';
    const viewer = requireConnector(res, kind);
    const mailboxId = typeof req.body?.mailboxId === 'string' && req.body.mailboxId !== '' ? req.body.mailboxId : null;
    const mailbox = mailboxId ? found(await findConnected(ctx, viewer, mailboxId)) : null;
    if (mailbox && mailbox.kind !== kind) throw PageError.notFound();
    askGoogle(ctx, flow, req, res, next, { viewer, kind, mailbox, add: null });
  });

  router.get(callbackPaths.connect, async (req, res) => {
    const viewer = viewerOf(res);
    const result = await flow.finish(req, res);
    if (result.kind !== 'consent') {
      if (result.kind === 'failed') ctx.log.warn({ err: result.error, code: result.code }, 'connecting Gmail failed');
      const asked = result.kind === 'lost' ? null : (result.purpose?.connect?.mailboxId ?? null);
      const connected = await standingAddress(ctx, viewer, asked);
      throw consentError(result.kind, 'code' in result ? result.code : '', connected);
    }
    const request = result.purpose.connect;
    // Signed in as somebody else meanwhile, or looking at another company: it belongs to whoever began it.
    if (!request || request.memberId !== viewer.memberId) throw wrongViewer(viewer, request?.tenantId);
    requireConnector(res, request.kind);
    await keepConsent(ctx, req, res, choices, request, result.consent, result.purpose.returnTo);
  });

  return router;
}

/** The address of a mailbox that was asked about, where it is connected and stays so. */
async function standingAddress(
  ctx: WebContext,
  viewer: Pick<Viewer, 'tenantId' | 'memberId'>,
  mailboxId: string | null,
): Promise<string | null> {
  const mailbox = mailboxId === null ? undefined : await findConnected(ctx, viewer, mailboxId);
  return mailbox?.state === 'active' ? mailbox.email : null;
}

/** Whoever may connect a mailbox of this kind: the company's takes an admin, one's own everybody who may send. */
export function requireConnector(res: Response, kind: MailboxKind): Viewer {
  return kind === 'shared' ? requireRole(res, 'owner', 'admin') : requireRole(res, 'owner', 'admin', 'member');
}

/** What to connect. */
export interface Asking {
  readonly viewer: Viewer;
  readonly kind: MailboxKind;
  /** The one to connect again; null for a new one. */
  readonly mailbox: MailboxRecord | null;
  /** What is switched on with it. */
  readonly add: Permission | null;
  /** Where to come back to; the email settings unless told. */
  readonly returnTo?: string;
}

/** Sends the person to Google, to ask for all that the mailbox wants and our app may ask for. */
export function askGoogle(
  ctx: WebContext,
  flow: GoogleFlow,
  req: Request,
  res: Response,
  next: NextFunction,
  { viewer, kind, mailbox, add, returnTo = settings }: Asking,
): void {
  const { tenantId, memberId } = viewer;
  const wanted = readCapabilities(['send', ...(mailbox?.wanted ?? []), ...(add ? [add] : [])]);
  const asked = wanted.filter((capability) => ctx.offered.includes(capability));
  const loginHint = mailbox?.email ?? (kind === 'personal' ? viewer.email : undefined);
  const purpose = { returnTo, connect: { tenantId, memberId, kind, mailboxId: mailbox?.id ?? null, asked } };
  // Google gives a refresh token only where it shows its consent page, so it is made to.
  const options = { scope: scopesFor(asked), prompt: 'consent', accessType: 'offline' } as const;
  flow.begin(req, res, next, purpose, loginHint ? { ...options, loginHint } : options);
}

/** Makes of a consent what can be made of it, and leads to the page that says so. */
export async function keepConsent(
  ctx: WebContext,
  req: Request,
  res: Response,
  choices: PendingChoices,
  request: ConnectRequest,
  consent: Consent,
  returnTo: string,
): Promise<void> {
  const { tenantId } = request;
  const { email } = consent.identity;
  const viewer = viewerOf(res);
  const connected = await connectMailbox(ctx, request, consent, async (trx, mailboxId) => {
    const { released, ...others } = await releaseMailbox(trx, ctx.clock, tenantId, mailboxId);
    return { ...others, released: await tellReleased(trx, ctx, viewer, released) };
  }).catch((error: unknown) => {
    if (error instanceof ConnectError) return error;
    throw error;
  });
  if (connected instanceof ConnectError) {
    const { mailboxId } = request;
    const { code, expected } = connected;
    if (code !== 'other_account' || mailboxId === null || expected === null)
      throw connectError(connected, await standingAddress(ctx, request, mailboxId));
    const id = await choices.keep(req, { request: { ...request, mailboxId }, consent, expected });
    return res.redirect(303, `/mailboxes/connection/choices/${id}`);
  }
  const { mailboxId, result } = connected;
  const cannot = await probeConnected(ctx, tenantId, mailboxId, consent.accessToken);
  if (cannot) {
    const { what, fix } = endedWords({ reason: cannot, sure: true }, email);
    await notify(req, 'fail', `${email} is connected, but cannot send. ${what} ${fix}`);
    return res.redirect(303, `/mailboxes/${mailboxId}`);
  }
  const mailbox = await findConnected(ctx, request, mailboxId);
  const aliases = mailbox?.capabilities.includes('aliases')
    ? await tryToReadAliases(ctx, tenantId, mailboxId)
    : 'not_allowed';
  const { waiting, hours, released } = result ?? { waiting: 0, hours: 0, released: nothingReleased };
  const notice = connectedWords(connected, {
    ...{ email, aliases, paused: mailbox?.state === 'paused', waiting, hours, locale: viewer.locale },
    released,
  });
  await notify(req, notice.tone, notice.text);
  res.redirect(303, waiting > 0 && mailbox?.state === 'active' ? `/mailboxes/${mailboxId}/waiting` : returnTo);
}
