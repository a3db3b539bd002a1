import { type Request, type Response, Router, urlencoded } from 'express';
import { ACCOUNT_ACTIONS, accountAction, removeAccess } from '../account-life.ts';
import type { Account } from '../accounts.ts';
import { findScope } from '../oauth/scopes.ts';
import type { World } from '../world.ts';
import { html } from './render.ts';

/** The account page: which apps have access and how to take it away, and the password. */
export function accountPages(world: World): Router {
  const router = Router();
  const form = urlencoded({ extended: false });
  const path = '/account/:account/connections';

  router.get(
    path,
    withAccount((req, res, account) => {
      html(res, 'account/connections', {
        title: 'Third-party access',
        account,
        mailbox: account.email,
        folder: 'connections',
        connections: connectionsOf(world, account),
        done: String(req.query['done'] ?? ''),
      });
    }),
  );

  router.post(
    `${path}/remove`,
    form,
    withAccount((req, res, account) => {
      const body: Record<string, unknown> = req.body ?? {};
      removeAccess(world, account, String(body['project'] ?? ''));
      res.redirect(303, `${pathOf(account)}?done=removed`);
    }),
  );

  router.post(
    '/account/:account/actions/:action',
    form,
    withAccount((req, res, account) => {
      const action = accountAction.parse(req.params['action']);
      ACCOUNT_ACTIONS[action](world, account);
      res.redirect(303, action === 'delete' ? '/' : `${pathOf(account)}?done=${action}`);
    }),
  );

  function withAccount(show: (req: Request, res: Response, account: Account) => void) {
    return (req: Request, res: Response): void => {
      const account = world.accounts.byEmail(String(req.params['account']));
      if (account) show(req, res, account);
      else html(res, 'missing', { title: 'No such account' }, 404);
    };
  }

  return router;
}

function pathOf(account: Account): string {
  return `/account/${encodeURIComponent(account.email)}/connections`;
}

/** One line per project that the user gave something to: its apps' names, what they may do, and since when. */
function connectionsOf(world: World, account: Account): Record<string, unknown>[] {
  return world.grants.ofAccount(account.sub).map(({ project, scopes, since }) => {
    const clients = [...world.clients.values()].filter((client) => client.project === project);
    return {
      project,
      names: clients.map((client) => client.name).join(', ') || project,
      scopes: scopes.flatMap((name) => findScope(name) ?? []),
      since,
      tokens: clients.reduce((sum, client) => sum + world.grants.refreshTokens(account.sub, client.id).length, 0),
    };
  });
}
