import { setTimeout as wait } from 'node:timers/promises';
import type { NextFunction, Request, Response } from 'express';
import { type Answer, Refusal } from './answers.ts';
import { drawLatency, type FaultEffect } from './fault-effects.ts';
import type { Strike } from './faults.ts';
import {
  backendError,
  forbiddenFor,
  invalidArgument,
  invalidCredentials,
  mailNotEnabled,
  notFound,
  tooMany,
} from './gmail/errors.ts';
import type { World } from './world.ts';

/** What a Google endpoint is: its name in truth and faults, whose call it is, and the work. */
export interface Endpoint {
  method: string;
  /** Google's own name of the method, for the bodies that carry it. */
  rpc?: string;
  /** The account behind a call, found without its body, so that faults can strike before the body is read. */
  account: (req: Request) => Promise<string | null> | string | null;
  work: (req: Request) => Promise<Answer> | Answer;
}

/**
 * What becomes of a call: an answer; an answer that is `cut` in its middle or `garbled`; or nothing at all, because the
 * connection is gone or hangs until one side closes it.
 */
type Outcome = { answer: Answer; spoilt?: 'cut' | 'cutJson' | 'html' } | 'none';

/** An Express handler around an endpoint: counts the call, lets a fault strike, and sends the answer. */
export function serveEndpoint(world: World, endpoint: Endpoint) {
  return async (req: Request, res: Response, next: NextFunction): Promise<void> => {
    const count = world.truth.called(endpoint.method);
    world.underWay.atWork += 1;
    try {
      const account = await endpoint.account(req);
      if (account !== null) world.truth.calledFor(endpoint.method, account);
      const fault = world.faults.strike(endpoint.method, account);
      const work = () => answered(() => endpoint.work(req));
      const outcome = fault ? await underFault(world, endpoint, fault, req, work) : { answer: await work() };
      const gone = req.socket.destroyed ? 'unheard' : undefined;
      const word = outcome === 'none' ? 'dropped' : (outcome.spoilt ?? gone ?? String(outcome.answer.status));
      count.answers[word] = (count.answers[word] ?? 0) + 1;
      if (outcome !== 'none') send(res, world.now(), outcome.answer, outcome.spoilt);
    } catch (error) {
      next(error);
    } finally {
      world.underWay.atWork -= 1;
    }
  };
}

/**
 * Sends an answer, dated by the clock of this Local Google, and spoilt on the way if a fault says so. Plain `end`, since a
 * bench sends thousands a second.
 */
function send(res: Response, now: number, answer: Answer, spoilt?: 'cut' | 'cutJson' | 'html'): void {
  const whole = answer.body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(answer.body));
  const body =
    spoilt === 'html'
      ? Buffer.from('<html><title>Error</title>That’s an error.</html>')
      : spoilt === 'cutJson'
        ? whole.subarray(0, Math.ceil(whole.length / 2))
        : whole;
  res.writeHead(answer.status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-cache, no-store',
    'Content-Length': body.length,
    Date: new Date(now).toUTCString(),
    ...answer.headers,
  });
  if (spoilt !== 'cut') res.end(body);
  else res.write(body.subarray(0, Math.ceil(body.length / 2)), () => res.socket?.destroy());
}

async function underFault(
  world: World,
  endpoint: Endpoint,
  { effect, random, taken }: Strike,
  req: Request,
  work: () => Promise<Answer>,
): Promise<Outcome> {
  switch (effect.kind) {
    case 'drop':
      if (effect.when === 'middle') return { answer: await work(), spoilt: 'cut' };
      if (effect.when === 'after') await work();
      req.socket.destroy();
      return 'none';
    case 'reset':
      if (effect.when === 'after') await work();
      req.socket.resetAndDestroy();
      return 'none';
    case 'hang':
      if (effect.when === 'after') await work();
      hangs(world, req);
      return 'none';
    case 'slow':
      await heldUp(world, drawLatency(effect.ms, random), taken);
      return world.closing.aborted ? 'none' : { answer: await work() };
    case 'malformed': {
      const answer = effect.when === 'after' ? await work() : { status: 200, body: { id: '', threadId: '' } };
      return { answer, spoilt: effect.as === 'html' ? 'html' : 'cutJson' };
    }
    case 'serverError':
      if (effect.when === 'after') await work();
      return { answer: backendError(effect.status) };
    default:
      return { answer: refusalFor(world, endpoint, effect) };
  }
}

/** The refusals proper: nothing is done, and Google says why. */
function refusalFor(
  world: World,
  endpoint: Endpoint,
  effect: Exclude<FaultEffect, { kind: 'drop' | 'reset' | 'hang' | 'slow' | 'malformed' | 'serverError' }>,
): Answer {
  switch (effect.kind) {
    case 'unauthorized':
      return invalidCredentials();
    case 'forbidden':
      return forbiddenFor(effect.reason, endpoint.rpc ?? endpoint.method);
    case 'tooMany':
      return tooMany(effect, world.now());
    case 'mailNotEnabled':
      return mailNotEnabled();
    case 'invalidTo':
      return invalidArgument('Invalid To header');
    case 'notFound':
      return notFound();
    case 'invalidGrant':
      return { status: 400, body: { error: 'invalid_grant', error_description: effect.description } };
    case 'invalidClient':
      return { status: 401, body: { error: 'invalid_client', error_description: 'The OAuth client was not found.' } };
    default:
      return effect satisfies never;
  }
}

/** From so much on a call is not slow: it is held up until its rule is taken away. */
const FOR_GOOD_MS = 60_000;

/** Waits for so long, or until nobody wants it to any more. */
async function heldUp({ underWay }: World, ms: number, over: AbortSignal): Promise<void> {
  const forGood = ms >= FOR_GOOD_MS ? 1 : 0;
  underWay.atWork -= forGood;
  underWay.heldUp += forGood;
  await wait(ms, undefined, { signal: over }).catch(() => {});
  underWay.atWork += forGood;
  underWay.heldUp -= forGood;
}

/** Until one side closes the connection. */
function hangs({ underWay }: World, { socket }: Request): void {
  if (socket.destroyed) return;
  underWay.heldUp += 1;
  socket.once('close', () => {
    underWay.heldUp -= 1;
  });
}

async function answered(work: () => Promise<Answer> | Answer): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}
