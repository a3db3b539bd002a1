import { randomUUID } from 'node:crypto';
import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import helmet from 'helmet';
import type pg from 'pg';
import { isDatabaseAway } from '../platform/database-away.ts';
import { accountChoicePages } from './account-choice.ts';
import { activityPages } from './activity.ts';
import { asset, assets } from './assets.ts';
import { checkUpPages } from './check-up.ts';
import { connectionPages } from './connection.ts';
import type { WebContext } from './context.ts';
import { dailyLimitPages } from './daily-limit.ts';
import { databaseProbe, whileDatabaseAnswers } from './database-answers.ts';
import { deliveryPages } from './deliveries.ts';
import { documentPages } from './documents.ts';
import { PageError } from './errors.ts';
import { formBody } from './form-body.ts';
import { fromSwapPages } from './from-swaps.ts';
import { errorPage, googleAnswerPages, isCallback, leaveCallback } from './google-answer.ts';
import { googleEvents } from './google-events.ts';
import { googleFlows } from './google-flows.ts';
import { homePages } from './home.ts';
import { importPages } from './imports.ts';
import { invitationPages } from './invitations.ts';
import { keptFormPages } from './kept-form.ts';
import { limited } from './limits.ts';
import { mailboxAccessPages } from './mailbox-access.ts';
import { mailboxHealthPages } from './mailbox-health.ts';
import { mailboxNamePages } from './mailbox-name.ts';
import { mailboxPages } from './mailboxes.ts';
import { loadViewer, requireMember } from './membership.ts';
import { noNulls } from './no-nulls.ts';
import { answerWithSwitch } from './other-company.ts';
import { ownCompany } from './own-company.ts';
import { partyPages } from './parties.ts';
import { PendingChoices } from './pending-choices.ts';
import { permissionPages } from './permissions.ts';
import { runPages } from './runs.ts';
import { sameOrigin } from './same-origin.ts';
import { sendPages } from './send.ts';
import { formOnceMore } from './send-once-more.ts';
import { leaveSession, sessions } from './session.ts';
import { settingsPages } from './settings.ts';
import { signInPages } from './sign-in.ts';
import { capRefusal } from './too-many.ts';
import { waitingPages } from './waiting.ts';
import { workspacePages } from './workspace.ts';

/**
 * The whole HTTP ring, in the order a request meets it: whether it asks for a path, health, security headers, Google's events, files, the session,
 * the same-origin check, who it is, the form that was sent, sign-in; behind it everything that belongs to a company,
 * where each write names the company it is for.
 *
 * @param pool the app's pool, for the sessions and what is under way at Google
 */
export function createApp(ctx: WebContext, pool: pg.Pool): Express {
  const app = express();
  const secure = ctx.publicUrl.startsWith('https:');
  const flows = googleFlows(ctx.google, ctx.publicUrl, pool);
  const choices = new PendingChoices(pool, ctx.keys, ctx.clock);
  app.disable('x-powered-by');
  // What nobody may keep needs no name to be kept under.
  app.disable('etag');
  app.set('trust proxy', ctx.trustProxy);
  app.locals['asset'] = asset;
  app.locals['clock'] = ctx.clock;
  app.locals['localMailUrl'] = ctx.localMailUrl;

  app.use(paths);
  app.get('/healthz', health(pool));
  app.use(securityHeaders(ctx, secure));
  // Google says who it is by its signature: no cookie, no page of ours, and whatever way the proxy let it in.
  app.use(googleEvents(ctx));
  app.use(assets());
  app.use(ownHost(ctx.publicUrl));
  if (secure) app.use(knownAsSecure);
  const onError = answerErrors(ctx);
  const giveUp = async (req: Request, res: Response) => onError(PageError.busy(), req, res, () => {});
  app.use(whileDatabaseAnswers(databaseProbe(pool), giveUp));
  app.use(sessions(pool, ctx.sessionSecrets, secure));
  app.use(sameOrigin(ctx.publicUrl));
  app.use(loadViewer(ctx));
  app.use(limited(ctx.limits));
  // No body is read before it is known where it comes from and who sent it.
  app.use(formBody());
  app.use(noNulls);

  app.use(signInPages(ctx, flows.signIn));
  app.use(invitationPages(ctx));
  app.use(googleAnswerPages());
  app.use(requireMember);
  app.use(keptFormPages());
  app.use(ownCompany);
  app.use(homePages(ctx));
  app.use(documentPages(ctx));
  app.use(importPages(ctx));
  app.use(partyPages(ctx));
  app.use(sendPages(ctx));
  app.use(activityPages(ctx));
  app.use(deliveryPages(ctx));
  app.use(runPages(ctx));
  app.use(connectionPages(ctx, flows.connect, choices));
  app.use(accountChoicePages(ctx, flows.connect, choices));
  app.use(mailboxPages(ctx));
  app.use(mailboxHealthPages(ctx));
  app.use(fromSwapPages(ctx));
  app.use(mailboxAccessPages(ctx));
  app.use(mailboxNamePages(ctx));
  app.use(dailyLimitPages(ctx));
  app.use(checkUpPages(ctx));
  app.use(permissionPages(ctx, flows.connect));
  app.use(waitingPages(ctx));
  app.use(workspacePages(ctx));
  app.use(settingsPages(ctx));

  app.use(() => {
    throw PageError.notFound();
  });
  app.use(onError);
  return app;
}

/** A request target need not be a path (`*`, RFC 9112, section 3.2); only paths are ours. */
const paths: RequestHandler = (req, _res, next) => {
  next(req.path.startsWith('/') ? undefined : PageError.notFound());
};

function health(pool: pg.Pool): RequestHandler {
  return async (_req, res) => {
    await pool.query('select 1');
    res.type('text').send('ok\n');
  };
}

/** A strict policy: nothing inline, nothing from elsewhere; forms may lead to Google and nowhere else. */
function securityHeaders(ctx: WebContext, secure: boolean): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        frameAncestors: ["'self'"],
        formAction: ["'self'", new URL(ctx.google.endpoints.authorize).origin],
      },
    },
    strictTransportSecurity: secure ? { maxAge: 31_536_000 } : false,
    referrerPolicy: { policy: 'same-origin' },
  });
}

/** Without https in between, browsers would drop our cookie, and nobody could sign in or see why. */
const knownAsSecure: RequestHandler = (req, _res, next) => {
  if (req.secure) return next();
  throw new PageError(400, 'not_https', {
    title: 'The way to Letterhead is not set up yet',
    message:
      'PUBLIC_URL begins with https, but this request did not come that way. Whoever runs Letterhead must let the proxy in front send “X-Forwarded-Proto: https”, and set TRUST_PROXY to the number of proxies.',
  });
};

/** Somebody at 127.0.0.1 would come back from Google at localhost, with another cookie: one address for all. */
function ownHost(publicUrl: string): RequestHandler {
  const { host } = new URL(publicUrl);
  return (req, res, next) => {
    if (req.method !== 'GET' || req.get('host') === host) return next();
    // A request target need not be a path; only a path is ours.
    const path = req.originalUrl.startsWith('/') ? req.originalUrl.replace(/^\/+/, '/') : '/';
    res.redirect(307, `${publicUrl}${path}`);
  };
}

function answerErrors(ctx: WebContext) {
  return async (error: unknown, req: Request, res: Response, next: NextFunction): Promise<void> => {
    // Given up before: whatever came of it, there is nobody to tell.
    if (res.writableEnded) return;
    if (res.headersSent) return next(error);
    const known =
      error instanceof PageError
        ? error
        : (clientError(error) ?? capRefusal(error, res.locals['viewer']?.locale ?? 'en-GB') ?? awayOf(error));
    if (known?.code === 'busy') {
      ctx.log.warn({ err: error, path: req.path }, 'the database did not answer');
      leaveSession(req);
    }
    if (known?.retryAfter) res.set('Retry-After', String(known.retryAfter));
    if (await answerWithSwitch(ctx, req, res, known)) return;
    const reference = known ? undefined : randomUUID().slice(0, 8);
    if (!known) ctx.log.error({ err: error, method: req.method, path: req.path, reference }, 'request failed');
    const shown = known ?? {
      status: 500,
      title: 'Something went wrong on our side',
      message:
        'It was written down for whoever runs Letterhead. Try again; if it stays, tell them the reference below.',
      next: { href: '/', label: 'Go to the start page' },
    };
    const { status, title, message } = shown;
    const form = known && (await formOnceMore(req, res, known, ctx.publicUrl));
    const words = { status, title, message, next: shown.next, reference, form };
    if (isCallback(req.path) && (await leaveCallback(req, res, words))) return;
    res.status(status);
    await errorPage(res, words);
  };
}

/** The same is worth another try in a moment. */
function awayOf(error: unknown): PageError | undefined {
  return isDatabaseAway(error) ? PageError.busy({ cause: error }) : undefined;
}

/** Express's own refusals of a request: a body too large, an address that cannot be decoded. */
function clientError(error: unknown): PageError | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  if (error.status < 400 || error.status >= 500) return undefined;
  const large = error.status === 413;
  return new PageError(error.status, 'bad_request', {
    title: large ? 'That is too much at once' : 'This could not be understood',
    message: large
      ? 'What was sent is larger than this page takes.'
      : 'Your browser sent something that Letterhead cannot read. Go back and try again.',
  });
}
