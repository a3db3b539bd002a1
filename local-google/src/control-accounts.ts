import { json, Router } from 'express';
import { z } from 'zod';
import { ACCOUNT_ACTIONS, accountAction, setDomainPolicy } from './account-life.ts';
import type { Account } from './accounts.ts';
import { registerClients } from './oauth/clients.ts';
import { securityEventType } from './oauth/security-events.ts';
import { newServiceAccount } from './oauth/service-accounts.ts';
import { addAccount } from './open-account.ts';
import { accountSeed, clientSeed } from './seed.ts';
import type { World } from './world.ts';

const eventOrder = z.object({ type: securityEventType, account: z.string().optional(), state: z.string().optional() });

/** Accounts, apps, administrators and security events, over HTTP. */
export function accountControls(world: World): Router {
  const router = Router();

  router.get('/control/policies', (_req, res) => {
    res.json(world.policies.save());
  });
  router.patch('/control/policies/apps/:project', json(), (req, res) => {
    res.json(world.policies.setApp(String(req.params['project']), req.body));
  });
  router.patch('/control/policies/domains/:domain', json(), (req, res) => {
    res.json(setDomainPolicy(world, String(req.params['domain']), req.body));
  });
  router.patch('/control/policies/unconfirmed', json(), (req, res) => {
    res.json(world.policies.setUnconfirmed(req.body));
  });
  router.put('/control/policies/unverified', json({ strict: false }), (req, res) => {
    world.policies.unverified = z.boolean().parse(req.body);
    res.json(world.policies.unverified);
  });

  router.post('/control/accounts', json(), (req, res) => {
    const { email, sub } = addAccount(world, accountSeed.parse(req.body));
    res.status(201).json({ email, sub });
  });
  router.post('/control/accounts/:email/:action', (req, res) => {
    ACCOUNT_ACTIONS[accountAction.parse(req.params['action'])](world, known(world, String(req.params['email'])));
    res.status(204).end();
  });

  router.post('/control/clients', json(), (req, res) => {
    for (const [id, client] of registerClients([clientSeed.parse(req.body)])) world.clients.set(id, client);
    res.status(201).json({ clients: [...world.clients.keys()] });
  });
  router.put('/control/clients/:id/deleted', json({ strict: false }), (req, res) => {
    world.policies.setDeleted(String(req.params['id']), z.boolean().parse(req.body));
    res.status(204).end();
  });
  router.post('/control/service-accounts', json(), async (req, res) => {
    const { email } = z.object({ email: z.email() }).parse(req.body);
    res.status(201).json(await newServiceAccount(world, email));
  });

  router.get('/control/security-events', (_req, res) => {
    res.json({ sent: world.securityEvents.sent() });
  });
  router.post('/control/security-events/:project', json(), async (req, res) => {
    const { type, account, state } = eventOrder.parse(req.body);
    const sub = account === undefined ? null : known(world, account).sub;
    world.securityEvents.tell(String(req.params['project']), sub, type, state === undefined ? {} : { state });
    await world.securityEvents.settled();
    res.json({ sent: world.securityEvents.sent().slice(-1) });
  });

  return router;
}

function known(world: World, email: string): Account {
  const account = world.accounts.byEmail(email);
  if (!account) throw new RangeError(`Local Google has no account ${email}`);
  return account;
}
