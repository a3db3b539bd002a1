import { Router } from 'express';
import type { Sessions } from '../oauth/sessions.ts';
import type { World } from '../world.ts';

/** The pages that people open beside the sign-in. */
export function pageRoutes(world: World, _sessions: Sessions): Router {
  const router = Router();
  router.get('/', (_req, res) => {
    res.type('text').send(world.url);
  });
  return router;
}
