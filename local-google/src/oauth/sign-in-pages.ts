import type { Response } from 'express';
import { html } from '../pages/render.ts';
import type { World } from '../world.ts';
import { accessProblem } from './access-problems.ts';
import type { AuthorizeProblem } from './authorize-request.ts';
import { askedScopes, type Flow, hasBoxes, hintedAccount, stageOf } from './flow.ts';
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
  const problem = accessProblem(world, request, account);
  if (problem) return problemPage(problem, flow);
  const facts = { flow: flow.id, app: request.client.name, account, title: `Sign in to ${request.client.name}` };
  // Chrome applies form-action to the redirect after a form as well, so the way back to the app must be allowed.
  const formAction = new URL(request.redirectUri).origin;
  if (stage === 'warning') return { view: 'sign-in/warning', data: facts, status: 200, formAction };
  const asked = askedScopes(world, request, account).flatMap((name) => findScope(name) ?? []);
  const identity = request.scopes.filter(isSignInScope);
  const boxes = hasBoxes(world, request, account);
  const data = { ...facts, asked, boxes, identity, host: new URL(request.redirectUri).host };
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
export function problemPage(problem: AuthorizeProblem, flow: Flow | null = null): Step {
  const { heading, lead } = WORDS[problem.code] ?? INVALID;
  const data = {
    title: 'Access blocked',
    problem,
    heading,
    lead,
    flow: flow?.id ?? null,
    account: flow?.account ?? null,
  };
  return { view: 'sign-in/problem', data, status: 400 };
}

const INVALID = {
  heading: 'Access blocked: this app’s request is invalid',
  lead: 'You cannot sign in, because the app sent a request that Local Google does not accept. Its developer can put that right; trying again will not.',
};

const WORDS: Partial<Record<AuthorizeProblem['code'], typeof INVALID>> = {
  deleted_client: { heading: 'Access blocked: authorization error', lead: 'The app is not known any more.' },
  disallowed_useragent: {
    heading: 'Access blocked: this app’s request does not comply with policy',
    lead: 'Signing in is possible in a browser only, where nobody can look over your shoulder.',
  },
  org_internal: {
    heading: 'Access blocked: this app can only be used within its organization',
    lead: 'Sign in with an account of that organization, or ask its developer.',
  },
  access_denied: {
    heading: 'Access blocked: this app has not completed verification',
    lead: 'It is being tested, and only people its developer has approved can use it.',
  },
  admin_policy_enforced: {
    heading: 'Access blocked: your organization’s policy',
    lead: 'Your administrator has to review this app before it can reach what it asks for.',
  },
  user_cap_reached: {
    heading: 'Sign-in is temporarily disabled for this app',
    lead: 'It has not been verified, and takes no more people until it is.',
  },
  account_disabled: {
    heading: 'This account is disabled',
    lead: 'Nobody can sign in with it at present.',
  },
};

/** A flow that is over, or that a restart forgot. */
export function lostPage(): Step {
  return { view: 'sign-in/lost', data: { title: 'This sign-in has ended' }, status: 404 };
}
