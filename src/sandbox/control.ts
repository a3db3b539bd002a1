import { json, Router } from 'express';
import { ZodError } from 'zod';
import { rawOf } from './mailboxes.ts';
import type { World } from './world.ts';

/** What tests in another process steer and read: faults, and the truth about what was accepted and called. */
export function controlRoutes(world: World): Router {
  const router = Router();

  router.get('/control/faults', (_req, res) => {
    res.json({ faults: world.faults.list() });
  });
  router.post('/control/faults', json(), (req, res) => {
    try {
      res.status(201).json(world.faults.add(req.body));
    } catch (error) {
      if (!(error instanceof ZodError)) throw error;
      res.status(400).json({ error: 'No such fault', issues: error.issues });
    }
  });
  router.delete('/control/faults', (_req, res) => {
    world.faults.clear();
    res.status(204).end();
  });

  router.get('/control/accepted', (req, res) => {
    const withRaw = req.query['raw'] === '1';
    const accepted = world.truth.accepted().map((record) => {
      const copy = withRaw ? world.mail.get(record.account, record.id) : undefined;
      return { ...record, ...(copy ? { raw: rawOf(copy).toString('base64') } : {}) };
    });
    res.json({ accepted, methods: world.truth.methods() });
  });
  router.delete('/control/calls', (_req, res) => {
    world.truth.resetCalls();
    res.status(204).end();
  });

  return router;
}
