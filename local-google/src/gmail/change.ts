import type { Request } from 'express';
import { z } from 'zod';
import { type Answer, Refusal } from '../answers.ts';
import { changeLabels, isMovable } from '../mail/labels.ts';
import type { Message } from '../mailboxes.ts';
import type { World } from '../world.ts';
import { authorizeMail, type Caller } from './access.ts';
import { invalidArgument } from './errors.ts';
import { findMessage, findThread } from './find.ts';
import { METHODS, type Method } from './methods.ts';
import { readId, readJson } from './request.ts';

const names = z.array(z.string()).optional();
const changeBody = z.object({ addLabelIds: names, removeLabelIds: names });
const batchBody = changeBody.extend({ ids: z.array(z.string()).min(1).max(1000) });

/** messages.modify: adds labels and takes labels off. */
export async function modifyMessage(world: World, req: Request): Promise<Answer> {
  const caller = authorizeMail(world, req, METHODS.modify);
  const change = readChange(world, caller, await readJson(req, changeBody));
  const message = findMessage(world, caller.account, readId(req));
  relabel(world, message, change);
  return { status: 200, body: idsOf(message) };
}

/** messages.batchModify: like modify for up to 1,000 messages; ids that are not there are passed over. */
export async function modifyBatch(world: World, req: Request): Promise<Answer> {
  const caller = authorizeMail(world, req, METHODS.batchModify);
  const body = await readJson(req, batchBody);
  const change = readChange(world, caller, body);
  for (const id of body.ids) {
    const message = world.mail.get(caller.account.email, id.toLowerCase());
    if (message) relabel(world, message, change);
  }
  return { status: 204, body: undefined };
}

/** threads.modify: the same change for every message of a thread. */
export async function modifyThread(world: World, req: Request): Promise<Answer> {
  const caller = authorizeMail(world, req, METHODS.modifyThread);
  const change = readChange(world, caller, await readJson(req, changeBody));
  return forThread(world, req, caller, change);
}

const INTO_TRASH = { add: ['TRASH'], remove: ['INBOX'] };
const OUT_OF_TRASH = { add: [], remove: ['TRASH'] };

/** messages.trash: into the trash, out of the inbox. */
export function trashMessage(world: World, req: Request): Answer {
  return forMessage(world, req, METHODS.trash, INTO_TRASH);
}

/** messages.untrash: out of the trash; Gmail does not put it back into the inbox. */
export function untrashMessage(world: World, req: Request): Answer {
  return forMessage(world, req, METHODS.untrash, OUT_OF_TRASH);
}

/** threads.trash. */
export function trashThread(world: World, req: Request): Answer {
  return forThread(world, req, authorizeMail(world, req, METHODS.trashThread), INTO_TRASH);
}

/** threads.untrash. */
export function untrashThread(world: World, req: Request): Answer {
  return forThread(world, req, authorizeMail(world, req, METHODS.untrashThread), OUT_OF_TRASH);
}

/** messages.delete: at once and for good, which takes the scope of everything. */
export function removeMessage(world: World, req: Request): Answer {
  const { account } = authorizeMail(world, req, METHODS.remove);
  world.mail.remove(findMessage(world, account, readId(req)));
  return { status: 204, body: undefined };
}

interface LabelChange {
  add: readonly string[];
  remove: readonly string[];
}

function forMessage(world: World, req: Request, method: Method, change: LabelChange): Answer {
  const { account } = authorizeMail(world, req, method);
  const message = findMessage(world, account, readId(req));
  relabel(world, message, change);
  return { status: 200, body: idsOf(message) };
}

function forThread(world: World, req: Request, { account }: Caller, change: LabelChange): Answer {
  const id = readId(req);
  const thread = findThread(world, account, id);
  for (const message of thread) relabel(world, message, change);
  return { status: 200, body: { id, messages: thread.map(idsOf) } };
}

function readChange(world: World, { account }: Caller, body: z.output<typeof changeBody>): LabelChange {
  const { addLabelIds: add = [], removeLabelIds: remove = [] } = body;
  const known = world.mail.userLabels(account.email);
  const wrong = [...add, ...remove].find((label) => !isMovable(label, known));
  if (wrong !== undefined) throw new Refusal(invalidArgument(`Invalid label: ${wrong}`));
  if (add.length + remove.length === 0) throw new Refusal(invalidArgument('No label add or removes specified'));
  const both = add.find((label) => remove.includes(label));
  if (both !== undefined) throw new Refusal(invalidArgument(`Cannot both add and remove the same label: ${both}`));
  return { add, remove };
}

function relabel(world: World, message: Message, { add, remove }: LabelChange): void {
  const labels = changeLabels(message.labels, add, remove);
  if (labels !== message.labels) world.mail.label(message, labels);
}

function idsOf({ id, threadId, labels }: Message): Record<string, unknown> {
  return { id, threadId, labelIds: labels };
}
