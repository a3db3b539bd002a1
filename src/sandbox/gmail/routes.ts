import { type Request, Router } from 'express';
import type { Answer } from '../answers.ts';
import { serveEndpoint } from '../endpoint.ts';
import { bearerToken } from '../oauth/bearer.ts';
import type { World } from '../world.ts';
import { METHODS, type Method } from './access.ts';
import { notFound } from './errors.ts';
import { getAttachment, getMessage, getProfile, listMessages } from './read.ts';
import { sendJson, sendUpload } from './send.ts';
import { getSendAs, listSendAs } from './send-as.ts';

/** The Gmail API, as far as it is modelled; the rest of it answers 404 in Google's words. */
export function gmailRoutes(world: World): Router {
  const router = Router();
  const user = '/gmail/v1/users/:user';
  const serve = (method: Method, work: (world: World, req: Request) => Promise<Answer> | Answer) =>
    serveEndpoint(world, {
      method: method.name,
      rpc: method.rpc,
      account: (req) => callerOf(world, req),
      work: (req) => work(world, req),
    });

  router.get(`${user}/profile`, serve(METHODS.getProfile, getProfile));
  router.get(`${user}/messages`, serve(METHODS.list, listMessages));
  router.get(`${user}/messages/:id`, serve(METHODS.get, getMessage));
  router.get(`${user}/messages/:id/attachments/:attachment`, serve(METHODS.attachment, getAttachment));
  router.post(`${user}/messages/send`, serve(METHODS.send, sendJson));
  router.post(`/upload${user}/messages/send`, serve(METHODS.send, sendUpload));
  router.get(`${user}/settings/sendAs`, serve(METHODS.listSendAs, listSendAs));
  router.get(`${user}/settings/sendAs/:email`, serve(METHODS.getSendAs, getSendAs));
  router.use(['/gmail', '/upload'], serveEndpoint(world, { method: 'unknown', account: () => null, work: notFound }));
  return router;
}

function callerOf(world: World, req: Request): string | null {
  const access = world.grants.accessToken(bearerToken(req));
  return access ? (world.accounts.bySub(access.sub)?.email ?? null) : null;
}
