import { type Request, type Response, Router, urlencoded } from 'express';
import type { World } from '../world.ts';
import { isEmbeddedBrowser } from './access-problems.ts';
import {
  type AuthorizeProblem,
  type AuthorizeRequest,
  callbackUrl,
  readAuthorizeRequest,
} from './authorize-request.ts';
import { allow, askedScopes, deny, type Flow, Flows, hasBoxes, presetAccount, stageOf } from './flow.ts';
import type { Sessions } from './sessions.ts';
import { chooserPage, lostPage, pageOf, problemPage, type Step, takeStep } from './sign-in-pages.ts';

/**
 * The authorization endpoint and the forms behind it: chooser, unverified-app warning, consent. A person with JavaScript
 * off gets through; the app's callback is reached by a plain redirect.
 */
export function authorizeRoutes(world: World, sessions: Sessions): Router {
  const flows = new Flows();
  const router = Router();

  router.get(['/o/oauth2/v2/auth', '/o/oauth2/auth'], (req, res) => {
    world.truth.called('authorize');
    const request = isEmbeddedBrowser(req.headers['user-agent'] ?? '')
      ? DISALLOWED_USERAGENT
      : readAuthorizeRequest(new URL(req.originalUrl, world.url).searchParams, world.clients, (id) =>
          world.policies.isDeleted(id),
        );
    takeStep(res, 'code' in request ? problemPage(request) : begin(req, request));
  });

  router.get(
    '/signin/:flow',
    onFlow((_req, _res, flow) => pageOf(world, flow) ?? finish(flow)),
  );

  onForm('account', (req, res, flow) => {
    const account = world.accounts.byEmail(field(req, 'email'));
    if (!account) return chooserPage(world, flow, 'Local Google has no such account. Choose one from the list.');
    sessions.signIn(req, res, account);
    flow.account = account;
    return onward(flow);
  });

  onForm('switch', (_req, _res, flow) => {
    flow.account = null;
    flow.warned = false;
    return onward(flow);
  });

  onForm('unsafe', (_req, _res, flow) => {
    flow.warned = true;
    if (flow.account) world.policies.countUnverifiedUser(flow.request.client.project, flow.account.sub);
    return onward(flow);
  });

  onForm('decision', (req, _res, flow) => {
    if (field(req, 'decision') !== 'allow') {
      flows.end(flow);
      return { go: deny(flow.request) };
    }
    if (!flow.account || stageOf(world, flow) !== 'consent') return onward(flow);
    const asked = askedScopes(world, flow.request, flow.account);
    const whole = field(req, 'all') === 'on' || !hasBoxes(world, flow.request, flow.account);
    const ticked = whole ? asked : asked.filter((scope) => fields(req, 'scope').includes(scope));
    flows.end(flow);
    return { go: allow(world, flow.request, flow.account, ticked, true) };
  });

  return router;

  function begin(req: Request, request: AuthorizeRequest): Step {
    const account = presetAccount(world, request, sessions.signedIn(req));
    const flow = flows.begin(request, account, world.now());
    if (!request.prompt.has('none')) return onward(flow);
    if (account && stageOf(world, flow) === 'finish') return finish(flow);
    flows.end(flow);
    return { go: callbackUrl(request, { error: account ? 'consent_required' : 'interaction_required' }) };
  }

  /** A page is always shown by GET: reload and Back then do what people expect. */
  function onward(flow: Flow): Step {
    return stageOf(world, flow) === 'finish' ? finish(flow) : { go: `/signin/${flow.id}` };
  }

  function finish(flow: Flow): Step {
    flows.end(flow);
    return flow.account ? { go: allow(world, flow.request, flow.account, [], false) } : lostPage();
  }

  function onFlow(step: (req: Request, res: Response, flow: Flow) => Step) {
    return (req: Request, res: Response): void => {
      const flow = flows.find(String(req.params['flow']), world.now());
      takeStep(res, flow ? step(req, res, flow) : lostPage());
    };
  }

  function onForm(name: string, step: (req: Request, res: Response, flow: Flow) => Step): void {
    router.post(`/signin/:flow/${name}`, urlencoded({ extended: false }), onFlow(step));
  }
}

const DISALLOWED_USERAGENT: AuthorizeProblem = {
  code: 'disallowed_useragent',
  number: 403,
  detail: 'The app shows this page inside itself. It has to open it in a browser.',
};

function field(req: Request, name: string): string {
  return fields(req, name)[0] ?? '';
}

function fields(req: Request, name: string): string[] {
  const body: Record<string, unknown> = req.body ?? {};
  return [body[name] ?? []].flat().map(String);
}
