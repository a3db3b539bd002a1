import { Router } from 'express';
import type { Sessions } from '../oauth/sessions.ts';
import type { World } from '../world.ts';
import { accountPages } from './account.ts';
import { composePages } from './compose.ts';
import { controlPages } from './control.ts';
import { homePages } from './home.ts';
import { mailPages } from './mail.ts';
import { messagePages } from './message.ts';
import { pictures } from './pictures.ts';
import { html } from './render.ts';
import { sendAsPages } from './send-as.ts';

/** The pages that people open beside the sign-in: mailboxes, settings, third-party access. */
export function pageRoutes(world: World, sessions: Sessions): Router {
  const router = Router();
  router.use(homePages(world, sessions));
  router.use(controlPages(world));
  router.use(composePages(world));
  router.use(mailPages(world));
  router.use(messagePages(world));
  router.use(sendAsPages(world));
  router.use(accountPages(world));
  router.use(pictures(world));
  router.use((_req, res) => html(res, 'missing', { title: 'No such page' }, 404));
  return router;
}
