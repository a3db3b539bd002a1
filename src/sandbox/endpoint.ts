import { setTimeout as wait } from 'node:timers/promises';
import type { NextFunction, Request, Response } from 'express';
import { type Answer, Refusal } from './answers.ts';
import type { Fault } from './faults.ts';
import { backendError, forbiddenFor, invalidCredentials, mailNotEnabled, notFound, tooMany } from './gmail/errors.ts';
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

/** An Express handler around an endpoint: counts the call, lets a fault strike, and sends the answer. */
export function serveEndpoint(world: World, endpoint: Endpoint) {
  return async (req: Request, res: Response, next: NextFunction): Promise<void> => {
    const count = world.truth.called(endpoint.method);
    try {
      const fault = world.faults.strike(endpoint.method, await endpoint.account(req));
      const answer = await underFault(world, endpoint, fault, req, () => answered(() => endpoint.work(req)));
      const outcome = answer === 'none' ? 'dropped' : String(answer.status);
      count.answers[outcome] = (count.answers[outcome] ?? 0) + 1;
      if (answer !== 'none') {
        res
          .status(answer.status)
          .set('Cache-Control', 'no-cache, no-store')
          .set(answer.headers ?? {})
          .json(answer.body);
      }
    } catch (error) {
      next(error);
    }
  };
}

/** `none`: nobody will ever answer; the connection is gone, or hangs until one side closes it. */
async function underFault(
  world: World,
  endpoint: Endpoint,
  fault: Fault | undefined,
  req: Request,
  work: () => Promise<Answer>,
): Promise<Answer | 'none'> {
  if (!fault) return work();
  const { effect } = fault;
  switch (effect.kind) {
    case 'drop':
      if (effect.when === 'after') await work();
      req.socket.destroy();
      return 'none';
    case 'hang':
      if (effect.when === 'after') await work();
      return 'none';
    case 'slow':
      return (await waited(effect.ms, world.closing)) ? work() : 'none';
    case 'serverError':
      if (effect.when === 'after') await work();
      return backendError(effect.status);
    case 'unauthorized':
      return invalidCredentials();
    case 'forbidden':
      return forbiddenFor(effect.reason, endpoint.rpc ?? endpoint.method);
    case 'tooMany':
      return tooMany(effect, world.now());
    case 'mailNotEnabled':
      return mailNotEnabled();
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

/** false when the server closed before the time was over. */
async function waited(ms: number, closing: AbortSignal): Promise<boolean> {
  try {
    await wait(ms, undefined, { signal: closing });
    return true;
  } catch {
    return false;
  }
}

async function answered(work: () => Promise<Answer> | Answer): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}
