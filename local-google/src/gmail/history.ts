import type { Request } from 'express';
import { type Answer, Refusal } from '../answers.ts';
import type { Change } from '../mail/history.ts';
import type { World } from '../world.ts';
import { authorizeMail } from './access.ts';
import { invalidArgument, notFound } from './errors.ts';
import { METHODS } from './methods.ts';
import { queryOf, readMax } from './request.ts';

const TYPES: readonly Change['kind'][] = ['messageAdded', 'messageDeleted', 'labelAdded', 'labelRemoved'];

/**
 * history.list: changes after `startHistoryId`, oldest first. `history` is absent when there are none; an id from before
 * what Gmail remembers answers 404, and the caller must sync in full (docs/google.md, E).
 */
export function listHistory(world: World, req: Request): Answer {
  const { account } = authorizeMail(world, req, METHODS.listHistory);
  const query = queryOf(req);
  const start = readNumber(query, 'startHistoryId');
  if (start === null) throw new Refusal(invalidArgument('startHistoryId is required'));
  const history = world.mail.history(account.email);
  const changes = history.since(Math.max(start, readNumber(query, 'pageToken') ?? 0), world.now());
  if (changes === 'too old') throw new Refusal(notFound());
  const label = query.get('labelId');
  const types = readTypes(query);
  const wanted = changes.filter(
    ({ kind, message, labels }) =>
      types.includes(kind) && (label === null || message.labels.includes(label) || labels.includes(label)),
  );
  const page = wanted.slice(0, readMax(query));
  const more = page.length < wanted.length;
  return {
    status: 200,
    body: {
      ...(page.length > 0 ? { history: page.map(changeResource) } : {}),
      ...(more ? { nextPageToken: String(page.at(-1)?.id) } : {}),
      historyId: String(history.last),
    },
  };
}

function changeResource({ id, kind, message, labels }: Change): Record<string, unknown> {
  const ids = { id: message.id, threadId: message.threadId };
  const whole = { ...ids, labelIds: message.labels };
  const entry = { id: String(id), messages: [ids] };
  switch (kind) {
    case 'messageAdded':
      return { ...entry, messagesAdded: [{ message: whole }] };
    case 'messageDeleted':
      return { ...entry, messagesDeleted: [{ message: whole }] };
    case 'labelAdded':
      return { ...entry, labelsAdded: [{ message: whole, labelIds: labels }] };
    case 'labelRemoved':
      return { ...entry, labelsRemoved: [{ message: whole, labelIds: labels }] };
    default:
      return kind satisfies never;
  }
}

function readTypes(query: URLSearchParams): readonly Change['kind'][] {
  const asked = [...new Set(query.getAll('historyTypes'))];
  const types = TYPES.filter((kind) => asked.includes(kind));
  if (asked.length !== types.length) throw new Refusal(invalidArgument("Invalid value at 'history_types'"));
  return asked.length === 0 ? TYPES : types;
}

function readNumber(query: URLSearchParams, name: string): number | null {
  const value = query.get(name);
  if (value === null) return null;
  if (!/^\d{1,15}$/.test(value)) throw new Refusal(invalidArgument(`Invalid value at '${name}'`));
  return Number(value);
}
