import { type Request, type Response, Router, urlencoded } from 'express';
import type { Account } from '../accounts.ts';
import { isAddress } from '../mime/addresses.ts';
import { addSendAs, confirmationMail, confirmSendAs } from '../send-as.ts';
import type { World } from '../world.ts';
import { html } from './render.ts';

/** Settings → Send mail as: the list, adding an address, and confirming it with the code from its mail. */
export function sendAsPages(world: World): Router {
  const router = Router();
  const form = urlencoded({ extended: false });
  const path = '/settings/:account/send-as';

  router.get(
    path,
    withAccount((req, res, account) => list(res, account, { done: String(req.query['done'] ?? '') })),
  );

  router.post(
    path,
    form,
    withAccount((req, res, account) => {
      const email = field(req, 'email').trim().toLowerCase();
      const name = field(req, 'name').trim();
      if (!isAddress(email)) return list(res, account, { problem: `“${email}” is not an email address.`, email, name });
      if (account.sendAs.some((entry) => entry.email === email)) {
        return list(res, account, { problem: `${email} is on the list already.`, email, name });
      }
      addSendAs(world, account, { email, name, status: 'pending' });
      return res.redirect(303, `${settingsOf(account)}?done=added`);
    }),
  );

  router.get(
    `${path}/:alias`,
    withAccount((req, res, account) => confirmPage(req, res, account, null)),
  );

  router.post(
    `${path}/:alias/confirm`,
    form,
    withAccount((req, res, account) => {
      if (confirmSendAs(world, account, alias(req), field(req, 'code'))) {
        return res.redirect(303, `${settingsOf(account)}?done=confirmed`);
      }
      return confirmPage(req, res, account, 'That is not the code from the confirmation mail. Check it and try again.');
    }),
  );

  router.post(
    `${path}/:alias/again`,
    form,
    withAccount((req, res, account) => {
      const entry = account.sendAs.find(({ email, status }) => email === alias(req) && status === 'pending');
      if (entry) confirmationMail(world, account, entry);
      return res.redirect(303, `${settingsOf(account)}?done=again`);
    }),
  );

  function withAccount(show: (req: Request, res: Response, account: Account) => void) {
    return (req: Request, res: Response): void => {
      const account = world.accounts.byEmail(String(req.params['account']));
      if (account) show(req, res, account);
      else html(res, 'missing', { title: 'No such mailbox' }, 404);
    };
  }

  function list(res: Response, account: Account, said: Record<string, string>): void {
    const data = { title: 'Send mail as', account, mailbox: account.email, folder: 'send-as', ...nothingSaid, ...said };
    html(res, 'settings/send-as', data, said['problem'] ? 400 : 200);
  }

  function confirmPage(req: Request, res: Response, account: Account, problem: string | null) {
    const entry = account.sendAs.find(({ email }) => email === alias(req));
    if (!entry) return html(res, 'missing', { title: 'No such address' }, 404);
    const owner = world.accounts.receiving(entry.email)?.email ?? 'outside';
    const data = {
      title: `Confirm ${entry.email}`,
      account,
      mailbox: account.email,
      folder: 'send-as',
      entry,
      owner,
      problem,
      code: String(req.query['code'] ?? ''),
    };
    return html(res, 'settings/confirm', data, problem === null ? 200 : 400);
  }

  return router;
}

const nothingSaid = { done: '', problem: '', email: '', name: '' };

function settingsOf(account: Account): string {
  return `/settings/${encodeURIComponent(account.email)}/send-as`;
}

function alias(req: Request): string {
  return String(req.params['alias']).toLowerCase();
}

function field(req: Request, name: string): string {
  const body: Record<string, unknown> = req.body ?? {};
  return String(body[name] ?? '');
}
