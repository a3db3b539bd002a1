import { Router } from 'express';
import { OUTSIDE } from '../mailboxes.ts';
import type { Sessions } from '../oauth/sessions.ts';
import type { World } from '../world.ts';
import { html } from './render.ts';

/** The landing page: every mailbox here, the outside world, and the switches of this Local Google. */
export function homePages(world: World, sessions: Sessions): Router {
  const router = Router();

  router.get('/', (req, res) => {
    const mailboxes = world.accounts.all().map((account) => ({ account, ...countsOf(world, account.email) }));
    html(res, 'home', {
      title: 'Mailboxes',
      mailboxes,
      outside: world.mail.all(OUTSIDE).length,
      unverified: world.policies.unverified,
      now: world.now(),
      signedIn: sessions.signedIn(req),
      apps: [...world.clients.values()],
      accepted: world.truth.accepted().length,
      faults: world.faults.waiting().length,
    });
  });

  router.post('/sign-out', (req, res) => {
    sessions.signOut(req, res);
    res.redirect(303, '/');
  });

  return router;
}

function countsOf(world: World, mailbox: string): { inbox: number; unread: number; sent: number } {
  const messages = world.mail.all(mailbox);
  const count = (label: string) => messages.filter(({ labels }) => labels.includes(label)).length;
  return { inbox: count('INBOX'), unread: count('UNREAD'), sent: count('SENT') };
}
