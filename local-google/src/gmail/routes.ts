import { type NextFunction, type Request, type Response, Router } from 'express';
import type { Answer } from '../answers.ts';
import { serveEndpoint } from '../endpoint.ts';
import { bearerToken } from '../oauth/bearer.ts';
import type { World } from '../world.ts';
import { markCrowded } from './access.ts';
import { serveBatch } from './batch.ts';
import {
  modifyBatch,
  modifyMessage,
  modifyThread,
  removeMessage,
  trashMessage,
  trashThread,
  untrashMessage,
  untrashThread,
} from './change.ts';
import {
  createDraftMethod,
  getDraftMethod,
  listDraftsMethod,
  removeDraftMethod,
  sendDraftMethod,
  updateDraftMethod,
} from './drafts.ts';
import { notFound } from './errors.ts';
import { listHistory } from './history.ts';
import { createLabel, getLabel, listLabels, removeLabel, updateLabel } from './labels.ts';
import { METHODS, type Method } from './methods.ts';
import { getAttachment, getMessage, getProfile, listMessages } from './read.ts';
import { ResumableUploads } from './resumable.ts';
import { sendJson, sendUpload } from './send.ts';
import { createSendAs, getSendAs, listSendAs, removeSendAs, updateSendAs, verifySendAs } from './send-as.ts';
import { getThread, listThreads } from './threads.ts';
import { stopWatching, watchMailbox } from './watch.ts';

type Work = (world: World, req: Request) => Promise<Answer> | Answer;
type Handler = (req: Request, res: Response, next: NextFunction) => Promise<void>;

/** The Gmail API, as far as it is modelled; the rest of it answers 404 in Google's words. */
export function gmailRoutes(world: World): Router {
  const router = Router();
  const user = '/gmail/v1/users/:user';
  const uploads = new ResumableUploads(world.url, world.now);
  const serve = (method: Method, work: Work) => serveMethod(world, method, work, (req) => callerOf(world, req));
  /** Uploads of one method: begun, or whole, at its own verb; gone on with by PUT. */
  const upload = (path: string, verb: 'post' | 'put', method: Method, work: Work) => {
    const goOn = serveMethod(
      world,
      method,
      (_world, req) => uploads.goOn(req),
      (req) => uploads.accountOf(req),
    );
    const begin = serve(method, work);
    const isGoingOn = (req: Request) => req.method === 'PUT' && req.query['upload_id'] !== undefined;
    router.put(`/upload${user}${path}`, (req, res, next) => (isGoingOn(req) ? goOn(req, res, next) : next()));
    router[verb](`/upload${user}${path}`, begin);
  };

  router.get(`${user}/profile`, serve(METHODS.getProfile, getProfile));
  router.post(`${user}/watch`, serve(METHODS.watch, watchMailbox));
  router.post(`${user}/stop`, serve(METHODS.stop, stopWatching));
  router.get(`${user}/history`, serve(METHODS.listHistory, listHistory));

  router.get(`${user}/messages`, serve(METHODS.list, listMessages));
  router.post(`${user}/messages/send`, serve(METHODS.send, sendJson));
  upload('/messages/send', 'post', METHODS.send, (_world, req) => sendUpload(world, req, uploads));
  router.post(`${user}/messages/batchModify`, serve(METHODS.batchModify, modifyBatch));
  router.get(`${user}/messages/:id`, serve(METHODS.get, getMessage));
  router.delete(`${user}/messages/:id`, serve(METHODS.remove, removeMessage));
  router.get(`${user}/messages/:id/attachments/:attachment`, serve(METHODS.attachment, getAttachment));
  router.post(`${user}/messages/:id/modify`, serve(METHODS.modify, modifyMessage));
  router.post(`${user}/messages/:id/trash`, serve(METHODS.trash, trashMessage));
  router.post(`${user}/messages/:id/untrash`, serve(METHODS.untrash, untrashMessage));

  const create: Work = (_world, req) => createDraftMethod(world, req, uploads);
  const update: Work = (_world, req) => updateDraftMethod(world, req, uploads);
  const send: Work = (_world, req) => sendDraftMethod(world, req, uploads);
  router.get(`${user}/drafts`, serve(METHODS.listDrafts, listDraftsMethod));
  router.post(`${user}/drafts`, serve(METHODS.createDraft, create));
  upload('/drafts', 'post', METHODS.createDraft, create);
  router.post(`${user}/drafts/send`, serve(METHODS.sendDraft, send));
  upload('/drafts/send', 'post', METHODS.sendDraft, send);
  router.get(`${user}/drafts/:id`, serve(METHODS.getDraft, getDraftMethod));
  router.put(`${user}/drafts/:id`, serve(METHODS.updateDraft, update));
  upload('/drafts/:id', 'put', METHODS.updateDraft, update);
  router.delete(`${user}/drafts/:id`, serve(METHODS.removeDraft, removeDraftMethod));

  router.get(`${user}/threads`, serve(METHODS.listThreads, listThreads));
  router.get(`${user}/threads/:id`, serve(METHODS.getThread, getThread));
  router.post(`${user}/threads/:id/modify`, serve(METHODS.modifyThread, modifyThread));
  router.post(`${user}/threads/:id/trash`, serve(METHODS.trashThread, trashThread));
  router.post(`${user}/threads/:id/untrash`, serve(METHODS.untrashThread, untrashThread));

  router.get(`${user}/labels`, serve(METHODS.listLabels, listLabels));
  router.post(`${user}/labels`, serve(METHODS.createLabel, createLabel));
  router.get(`${user}/labels/:id`, serve(METHODS.getLabel, getLabel));
  router.put(`${user}/labels/:id`, serve(METHODS.updateLabel, updateLabel));
  router.patch(`${user}/labels/:id`, serve(METHODS.updateLabel, updateLabel));
  router.delete(`${user}/labels/:id`, serve(METHODS.removeLabel, removeLabel));

  const sendAs = `${user}/settings/sendAs`;
  router.get(sendAs, serve(METHODS.listSendAs, listSendAs));
  router.post(sendAs, serve(METHODS.createSendAs, createSendAs));
  router.get(`${sendAs}/:email`, serve(METHODS.getSendAs, getSendAs));
  router.put(`${sendAs}/:email`, serve(METHODS.updateSendAs, updateSendAs));
  router.patch(`${sendAs}/:email`, serve(METHODS.updateSendAs, updateSendAs));
  router.delete(`${sendAs}/:email`, serve(METHODS.removeSendAs, removeSendAs));
  router.post(`${sendAs}/:email/verify`, serve(METHODS.verifySendAs, verifySendAs));

  router.post('/batch/gmail/v1', serveBatch(world));
  router.use(
    ['/gmail', '/upload', '/batch'],
    serveEndpoint(world, { method: 'unknown', account: () => null, work: notFound }),
  );
  return router;
}

/** A handler of a Gmail method: what was due happens first, and the request counts as running until its answer ends. */
function serveMethod(
  world: World,
  { name, rpc }: Method,
  work: Work,
  account: (req: Request) => string | null,
): Handler {
  const handler = serveEndpoint(world, { method: name, rpc, account, work: (req) => work(world, req) });
  return (req, res, next) => {
    world.later.catchUp();
    const email = account(req);
    if (email !== null) {
      const { fits, end } = world.quotas.begin(email);
      res.once('close', end);
      if (!fits) markCrowded(req);
    }
    return handler(req, res, next);
  };
}

function callerOf(world: World, req: Request): string | null {
  const access = world.grants.accessToken(bearerToken(req));
  return access ? (world.accounts.bySub(access.sub)?.email ?? null) : null;
}
