import type { Request } from 'express';
import { z } from 'zod';
import { type Answer, Refusal } from '../answers.ts';
import { SYSTEM_LABELS, type UserLabel } from '../mail/labels.ts';
import type { World } from '../world.ts';
import { authorizeMail } from './access.ts';
import { googleError, invalidArgument, notFound } from './errors.ts';
import { METHODS } from './methods.ts';
import { readJson } from './request.ts';

const labelBody = z.object({
  name: z.string().optional(),
  messageListVisibility: z.enum(['show', 'hide']).optional(),
  labelListVisibility: z.enum(['labelShow', 'labelShowIfUnread', 'labelHide']).optional(),
  color: z.object({ textColor: z.string(), backgroundColor: z.string() }).nullish(),
});

/** labels.list: the system's and the user's, without counts. */
export function listLabels(world: World, req: Request): Answer {
  const { account } = authorizeMail(world, req, METHODS.listLabels);
  const users = [...world.mail.userLabels(account.email).values()];
  return { status: 200, body: { labels: [...SYSTEM_LABELS.map(systemResource), ...users.map(userResource)] } };
}

/** labels.get: with its counts of messages and threads. */
export function getLabel(world: World, req: Request): Answer {
  const { account } = authorizeMail(world, req, METHODS.getLabel);
  const id = String(req.params['id']);
  const system = SYSTEM_LABELS.find((label) => label === id);
  const user = world.mail.userLabels(account.email).get(id);
  const resource = system ? systemResource(system) : user ? userResource(user) : null;
  if (!resource) throw new Refusal(notFound());
  return { status: 200, body: { ...resource, ...countsOf(world, account.email, id) } };
}

/** labels.create. A name that is taken answers 409. */
export async function createLabel(world: World, req: Request): Promise<Answer> {
  const { account } = authorizeMail(world, req, METHODS.createLabel);
  const body = await readJson(req, labelBody);
  const known = world.mail.userLabels(account.email);
  const number = 1 + Math.max(0, ...[...known.keys()].map((id) => Number(id.slice('Label_'.length))));
  const label: UserLabel = {
    id: `Label_${number}`,
    name: nameFor(world, account.email, body.name, null),
    messageListVisibility: body.messageListVisibility ?? 'show',
    labelListVisibility: body.labelListVisibility ?? 'labelShow',
    color: body.color ?? null,
  };
  world.mail.setLabel(account.email, label.id, label);
  return { status: 200, body: userResource(label) };
}

/** labels.update and labels.patch: what the body leaves out stays. */
export async function updateLabel(world: World, req: Request): Promise<Answer> {
  const { account } = authorizeMail(world, req, METHODS.updateLabel);
  const body = await readJson(req, labelBody);
  const before = userLabel(world, account.email, req);
  const label: UserLabel = {
    id: before.id,
    name: body.name === undefined ? before.name : nameFor(world, account.email, body.name, before.id),
    messageListVisibility: body.messageListVisibility ?? before.messageListVisibility,
    labelListVisibility: body.labelListVisibility ?? before.labelListVisibility,
    color: body.color === undefined ? before.color : body.color,
  };
  world.mail.setLabel(account.email, label.id, label);
  return { status: 200, body: userResource(label) };
}

/** labels.delete: the label goes, and leaves every message that had it. */
export function removeLabel(world: World, req: Request): Answer {
  const { account } = authorizeMail(world, req, METHODS.removeLabel);
  world.mail.setLabel(account.email, userLabel(world, account.email, req).id, null);
  return { status: 204, body: undefined };
}

function userLabel(world: World, email: string, req: Request): UserLabel {
  const id = String(req.params['id']);
  if (SYSTEM_LABELS.some((label) => label === id)) throw new Refusal(invalidArgument('Invalid update request'));
  const label = world.mail.userLabels(email).get(id);
  if (!label) throw new Refusal(notFound());
  return label;
}

function nameFor(world: World, email: string, asked: string | undefined, own: string | null): string {
  const name = asked?.trim() ?? '';
  if (name === '' || SYSTEM_LABELS.some((label) => label === name.toUpperCase())) {
    throw new Refusal(invalidArgument('Invalid label name'));
  }
  const taken = [...world.mail.userLabels(email).values()].find(
    (label) => label.id !== own && label.name.toLowerCase() === name.toLowerCase(),
  );
  if (taken) {
    const message = 'Label name exists or conflicts';
    throw new Refusal(googleError({ code: 409, status: 'ABORTED', reason: 'aborted', message }));
  }
  return name;
}

function systemResource(id: string): Record<string, unknown> {
  const hidden = id.startsWith('CATEGORY_') || id === 'CHAT';
  const visibility = hidden ? { messageListVisibility: 'hide', labelListVisibility: 'labelHide' } : {};
  return { id, name: id, ...visibility, type: 'system' };
}

function userResource({ color, ...label }: UserLabel): Record<string, unknown> {
  return { ...label, type: 'user', ...(color ? { color } : {}) };
}

function countsOf(world: World, email: string, id: string): Record<string, number> {
  const threads = new Set<string>();
  const unreadThreads = new Set<string>();
  let messagesTotal = 0;
  let messagesUnread = 0;
  for (const { labels, threadId } of world.mail.newest(email)) {
    if (!labels.includes(id)) continue;
    messagesTotal += 1;
    threads.add(threadId);
    if (!labels.includes('UNREAD')) continue;
    messagesUnread += 1;
    unreadThreads.add(threadId);
  }
  return { messagesTotal, messagesUnread, threadsTotal: threads.size, threadsUnread: unreadThreads.size };
}
