import type { Request } from 'express';
import { z } from 'zod';
import { type Answer, Refusal } from '../answers.ts';
import type { World } from '../world.ts';
import { authorizeMail } from './access.ts';
import { invalidArgument } from './errors.ts';
import { METHODS } from './methods.ts';
import { readJson } from './request.ts';

/** A watch that is not renewed dies after a week (docs/google.md, E). */
const WATCH_MS = 7 * 24 * 60 * 60 * 1000;

const behaviour = z.enum(['include', 'exclude', 'INCLUDE', 'EXCLUDE']).optional();
const watchBody = z.object({
  topicName: z.string().optional(),
  labelIds: z.array(z.string()).default([]),
  labelFilterBehavior: behaviour,
  labelFilterAction: behaviour,
});

/** watch: changes of the mailbox are told to a topic of the caller's own project, for seven days. */
export async function watchMailbox(world: World, req: Request): Promise<Answer> {
  const { account, project } = authorizeMail(world, req, METHODS.watch);
  const body = await readJson(req, watchBody);
  const topic = body.topicName ?? '';
  if (!topic.startsWith(`projects/${project}/topics/`) || topic.endsWith('/')) {
    throw new Refusal(invalidArgument(`Invalid topicName does not match projects/${project}/topics/*`));
  }
  const action = (body.labelFilterBehavior ?? body.labelFilterAction ?? 'include').toLowerCase();
  const expiresAt = world.now() + WATCH_MS;
  const filter = action === 'exclude' ? 'exclude' : 'include';
  world.mail.setWatch(account.email, project, { topic, labelIds: body.labelIds, filter, expiresAt });
  const historyId = String(world.mail.historyIdOf(account.email));
  return { status: 200, body: { historyId, expiration: String(Math.floor(expiresAt)) } };
}

/** stop: the project is told nothing more of this mailbox. */
export function stopWatching(world: World, req: Request): Answer {
  const { account, project } = authorizeMail(world, req, METHODS.stop);
  if (world.mail.watches(account.email).has(project)) world.mail.setWatch(account.email, project, null);
  return { status: 204, body: undefined };
}
