import { Router } from 'express';
import type { World } from '../world.ts';

const GROUNDS = ['#5b4bb7', '#0f766e', '#b45309', '#9d174d', '#1d4ed8', '#4d7c0f'];

/** Profile pictures: an initial on a colour of its own, drawn on the spot. */
export function pictures(world: World): Router {
  const router = Router();
  router.get('/pictures/:file', (req, res) => {
    const account = world.accounts.bySub(String(req.params['file']).replace(/\.svg$/, ''));
    if (!account) {
      res.status(404).end();
      return;
    }
    const ground = GROUNDS[Number(account.sub.slice(-4)) % GROUNDS.length];
    const initial = /\p{L}/u.exec(account.name)?.[0].toUpperCase() ?? '?';
    res
      .type('image/svg+xml')
      .send(
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" rx="20" fill="${ground}"/>` +
          `<text x="20" y="27" font-family="system-ui, sans-serif" font-size="19" font-weight="600" fill="#fff" text-anchor="middle">${initial}</text></svg>`,
      );
  });
  return router;
}
