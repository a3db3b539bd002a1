import { json, type NextFunction, type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { accountControls } from './control-accounts.ts';
import { rawOf } from './mailboxes.ts';
import type { AcceptedFilter } from './truth.ts';
import type { World } from './world.ts';

const ACCEPTED_PAGE = 1000;

const clockChange = z.object({ forwardMs: z.number() });
const number = z.coerce.number().int().min(0);
const acceptedQuery = z.object({
  raw: z.enum(['0', '1']).default('0'),
  after: number.default(0),
  limit: number.max(100_000).default(ACCEPTED_PAGE),
  deliveryId: z.string().optional(),
  subject: z.string().optional(),
  account: z.string().optional(),
});

/** What tests in another process steer and read: faults, the clock, policies, accounts, and the truth. */
export function controlRoutes(world: World): Router {
  const router = Router();

  router.get('/control/faults', (_req, res) => {
    res.json({ faults: world.faults.list(), fired: world.faults.fired() });
  });
  router.post('/control/faults', json(), (req, res) => {
    res.status(201).json(world.faults.add(req.body));
  });
  router.delete('/control/faults', (_req, res) => {
    world.faults.clear();
    res.status(204).end();
  });
  router.delete('/control/faults/:id', (req, res) => {
    world.faults.remove(Number(req.params.id));
    res.status(204).end();
  });

  router.get('/control/clock', (_req, res) => {
    res.json(clockOf(world));
  });
  router.post('/control/clock', json(), (req, res) => {
    world.clock.forward(clockChange.parse(req.body).forwardMs);
    res.json(clockOf(world));
  });

  router.get('/control/quotas', (_req, res) => {
    res.json(world.quotas.settings);
  });
  router.patch('/control/quotas', json(), (req, res) => {
    res.json(world.quotas.set(req.body));
  });

  router.get('/control/push', (_req, res) => {
    res.json({ posted: world.push.posted(), dropped: world.push.dropped });
  });
  router.put('/control/push', json(), (req, res) => {
    world.push.subscribe(req.body);
    res.status(204).end();
  });
  router.delete('/control/push', (_req, res) => {
    world.push.unsubscribe();
    res.status(204).end();
  });

  router.get('/control/accepted', (req, res) => {
    const { raw, limit, after, ...rest } = acceptedQuery.parse(req.query);
    const filter: AcceptedFilter = { after, ...given(rest) };
    const matching = world.truth.matching(filter);
    const accepted = matching.slice(0, limit).map((record) => {
      const copy = raw === '1' ? world.mail.get(record.account, record.id) : undefined;
      return { ...record, ...(copy ? { raw: rawOf(copy).toString('base64') } : {}) };
    });
    // `next` goes into `after` for the following page; null: this was the last.
    const next = matching.length > limit ? (accepted.at(-1)?.order ?? null) : null;
    res.json({ accepted, next, methods: world.truth.methods() });
  });
  router.get('/control/tally', (req, res) => {
    const { by } = z.object({ by: z.enum(['deliveryId', 'subject']).default('deliveryId') }).parse(req.query);
    res.json({ by, accepted: world.truth.accepted().length, tally: world.truth.tally(by) });
  });
  router.delete('/control/calls', (_req, res) => {
    world.truth.resetCalls();
    res.status(204).end();
  });

  router.use(accountControls(world));
  router.use('/control', refuseNonsense);
  return router;
}

function clockOf(world: World): { now: string; aheadMs: number } {
  return { now: new Date(world.now()).toISOString(), aheadMs: world.clock.aheadMs };
}

/** Only what was really asked for: an absent field is no filter. */
function given(fields: {
  deliveryId?: string | undefined;
  subject?: string | undefined;
  account?: string | undefined;
}) {
  const { deliveryId, subject, account } = fields;
  return {
    ...(deliveryId === undefined ? {} : { deliveryId }),
    ...(subject === undefined ? {} : { subject }),
    ...(account === undefined ? {} : { account }),
  };
}

function refuseNonsense(error: unknown, _req: Request, res: Response, next: NextFunction): void {
  if (error instanceof z.ZodError) res.status(400).json({ error: 'That makes no sense here', issues: error.issues });
  else if (error instanceof RangeError) res.status(400).json({ error: error.message });
  else next(error);
}
