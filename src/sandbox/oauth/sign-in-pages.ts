import type { Response } from 'express';
import { html } from '../pages/render.ts';
import type { World } from '../world.ts';
import type { AuthorizeProblem } from './authorize-request.ts';
import { askedScopes, type Flow, hintedAccount, stageOf } from './flow.ts';
import { findScope, isSignInScope } from './scopes.ts';

/** What the browser gets next: another address, or a page. */
export type Step =
  | { go: string }
  | { view: string; data: { title: string } & Record<string, unknown>; status: number; formAction?: string };

/** Sends a step. Redirects are 303, so that a form is never posted again. */
export function takeStep(res: Response, step: Step): void {
  if ('go' in step) res.redirect(303, step.go);
  else
    html(res, step.view, step.data, step.status, step.formAction === undefined ? {} : { formAction: step.formAction });
}

/** The page at which a flow stands; undefined when it needs none any more. */
export function pageOf(world: World, flow: Flow): Step | undefined {
  const { account, request } = flow;
  const stage = stageOf(world, flow);
  if (stage === 'finish') return undefined;
  if (stage === 'account' || !account) return chooserPage(world, flow, null);
  const facts = { flow: flow.id, app: request.client.name, account, title: `Sign in to ${request.client.name}` };
  // Chrome applies form-action to the redirect after a form as well, so the way back to the app must be allowed.
  const formAction = new URL(request.redirectUri).origin;
  if (stage === 'warning') return { view: 'sign-in/warning', data: facts, status: 200, formAction };
  const asked = askedScopes(world, request, account).flatMap((name) => findScope(name) ?? []);
  const identity = request.scopes.filter(isSignInScope);
  const data = { ...facts, asked, identity, host: new URL(request.redirectUri).host };
  return { view: 'sign-in/consent', data, status: 200, formAction };
}

/** The account chooser, the hinted account first; with a problem it answers 400. */
export function chooserPage(world: World, flow: Flow, problem: string | null): Step {
  const { request } = flow;
  const hinted = hintedAccount(world, request);
  const others = world.accounts.all().filter((account) => account !== hinted);
  return {
    view: 'sign-in/chooser',
    data: {
      title: 'Choose an account',
      flow: flow.id,
      app: request.client.name,
      accounts: hinted ? [hinted, ...others] : others,
      hinted,
      problem,
    },
    status: problem === null ? 200 : 400,
    formAction: new URL(request.redirectUri).origin,
  };
}

/** An error that Google shows on its own page and never sends to the app. */
export function problemPage(problem: AuthorizeProblem): Step {
  return { view: 'sign-in/problem', data: { title: 'Access blocked', problem }, status: 400 };
}

/** A flow that is over, or that a restart forgot. */
export function lostPage(): Step {
  return { view: 'sign-in/lost', data: { title: 'This sign-in has ended' }, status: 404 };
}
