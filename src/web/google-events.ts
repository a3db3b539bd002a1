import express, { type ErrorRequestHandler, Router } from 'express';
import { releaseMailbox } from '../deliveries/release.ts';
import { GoogleError } from '../google/errors.ts';
import { readSecurityEvents, type SecurityEvent, SecurityEventError } from '../google/security-events.ts';
import { MailboxUnusableError } from '../mailboxes/access-token.ts';
import { explainLook, handleSecurityEvent } from '../mailboxes/security-events.ts';
import { KeyRingError } from '../platform/key-ring.ts';
import { inTenant } from '../tenants/scope.ts';
import type { GrantPlace } from '../tenants/system.ts';
import type { WebContext } from './context.ts';

/**
 * Where Google posts its security events (RFC 8935). Nobody is signed in here: what counts is Google's signature. It
 * stands in front of sessions and of the same-origin check, and answers no pages.
 */
export function googleEvents(ctx: WebContext): Router {
  const router = Router();
  // Whatever the type says: Google's is application/secevent+jwt, and an event lost for its label would be a pity.
  const body = express.raw({ type: () => true, limit: '16kb' });

  router.post('/google/risc', body, async (req, res) => {
    const token = Buffer.isBuffer(req.body) ? req.body.toString('latin1') : '';
    for (const event of await readSecurityEvents(ctx.google, token)) await handle(ctx, event);
    res.status(202).end();
  });

  router.use('/google/risc', refuse(ctx));
  return router;
}

async function handle(ctx: WebContext, event: SecurityEvent): Promise<void> {
  const { jti, detail } = event;
  const about = { jti, type: event.type ?? event.uri, ...(detail !== null && { detail }) };
  const handled = await handleSecurityEvent(ctx, event);
  if (!handled) return ctx.log.info(about, 'a security event from Google came again');
  const { grantsEnded, sessionsEnded, toCheck } = handled;
  ctx.log.info({ ...about, grantsEnded, sessionsEnded, checked: toCheck.length }, 'a security event from Google');
  // Google is not kept waiting for this. Cut off, nothing is lost: the next use of each asks by itself.
  void Promise.all(toCheck.map((place) => check(ctx, event, place)));
}

/** Asks Google for a token, which marks the mailbox one way or the other; what it held can go where it works. */
async function check(ctx: WebContext, event: SecurityEvent, place: GrantPlace): Promise<void> {
  const { tenantId, mailboxId } = place;
  try {
    await ctx.tokens.of(tenantId, mailboxId);
    await inTenant(ctx.db, tenantId, (trx) => releaseMailbox(trx, ctx.clock, tenantId, mailboxId));
  } catch (error) {
    const expected =
      error instanceof MailboxUnusableError || error instanceof GoogleError || error instanceof KeyRingError;
    if (error instanceof MailboxUnusableError && error.code === 'needs_reconnect') await explainLook(ctx, event, place);
    if (!expected) ctx.log.error({ err: error, tenantId, mailboxId }, 'looking at a mailbox after a security event');
  }
}

/** RFC 8935, section 2.3: an error in JSON. What is our own trouble gets a 5xx, so that Google sends it again. */
function refuse(ctx: WebContext): ErrorRequestHandler {
  return (error, _req, res, next) => {
    if (res.headersSent) return next(error);
    res.set('Content-Language', 'en');
    if (error instanceof SecurityEventError) {
      const { code, message } = error;
      ctx.log.info({ code }, 'a security event was refused');
      return res.status(400).json({ err: code, description: message });
    }
    if (error instanceof GoogleError) {
      ctx.log.warn({ err: error }, 'a security event could not be checked');
      return res.status(503).json({ err: 'unavailable', description: 'Try again later.' });
    }
    if (isClientError(error)) {
      return res.status(400).json({ err: 'invalid_request', description: 'The request cannot be read.' });
    }
    ctx.log.error({ err: error }, 'a security event could not be dealt with');
    return res.status(500).json({ err: 'unavailable', description: 'Try again later.' });
  };
}

/** The body parser's own refusals: too large, or cut off. */
function isClientError(error: unknown): boolean {
  return (
    error instanceof Error &&
    'status' in error &&
    typeof error.status === 'number' &&
    error.status >= 400 &&
    error.status < 500
  );
}
