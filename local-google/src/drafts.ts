import { randomInt } from 'node:crypto';
import type { Account } from './accounts.ts';
import { Refusal } from './answers.ts';
import { sendMessage } from './delivery.ts';
import { notFound } from './gmail/errors.ts';
import { newMessageId, rewriteHeaders } from './mail/rewrite.ts';
import { chooseThread } from './mail/threading.ts';
import { type Message, rawOf } from './mailboxes.ts';
import { joinHeaders, parseHeaders, splitMessage } from './mime/headers.ts';
import type { World } from './world.ts';

/** A draft: its id is stable, its message another one after each change (docs/google.md, B). */
export interface Draft {
  id: string;
  message: Message;
}

/** The message of a draft. Throws Refusal 404 when there is no such draft. */
export function findDraft(world: World, account: Account, id: string): Message {
  const message = world.mail.drafts(account.email).get(id);
  if (!message) throw new Refusal(notFound());
  return message;
}

/** A new draft. Throws Refusal for a thread that is none, or not this account's. */
export function createDraft(world: World, account: Account, raw: Buffer, threadId: string | null): Draft {
  const { head } = splitMessage(raw);
  const thread = chooseThread(world.mail, account.email, parseHeaders(head), threadId);
  return fileDraft(world, account, newDraftId(), raw, thread);
}

/** Replaces what a draft holds. Throws Refusal 404. */
export function updateDraft(world: World, account: Account, id: string, raw: Buffer): Draft {
  return fileDraft(world, account, id, raw, findDraft(world, account, id).threadId);
}

/**
 * Sends a draft: it goes, and its message gets a new id with SENT. A second send answers 404, unless the switch for the
 * other outcome lets the same message out again. `raw` replaces what it held; null: as it is.
 */
export function sendDraft(
  world: World,
  { account, clientId }: { account: Account; clientId: string },
  id: string,
  raw: Buffer | null,
): Message {
  const draft = world.mail.drafts(account.email).get(id);
  const again = world.policies.unconfirmed.secondDraftSend === 'sendsAgain';
  const before = again ? world.draftMemory.sent(account.email, id) : undefined;
  const source = draft ? rawOf(draft) : before ? withoutReceived(rawOf(before.message)) : null;
  const threadId = draft?.threadId ?? before?.threadId;
  if (!source || threadId === undefined) throw new Refusal(notFound());
  const message = sendMessage(world, {
    account,
    clientId,
    via: 'draft',
    raw: raw ?? source,
    threadId: null,
    draft: { id, threadId },
  });
  world.draftMemory.rememberSent(id, message, threadId);
  return message;
}

/** Removes a draft for good. Throws Refusal 404. */
export function discardDraft(world: World, account: Account, id: string): void {
  const message = findDraft(world, account, id);
  world.draftMemory.rememberDiscarded(account.email, id, rawOf(message), message.threadId);
  world.mail.remove(message);
}

/**
 * What *Undo* does after a discard in Gmail: the draft is back, under another id (docs/google.md, B: reported). Throws a
 * RangeError when no such draft was discarded.
 */
export function undoDiscard(world: World, account: Account, id: string): Draft {
  const discarded = world.draftMemory.takeDiscarded(account.email, id);
  if (!discarded) throw new RangeError(`${account.email} discarded no draft ${id}`);
  return fileDraft(world, account, newDraftId(), discarded.raw, discarded.threadId);
}

function fileDraft(world: World, account: Account, id: string, raw: Buffer, threadId: string | null): Draft {
  const { head, body } = splitMessage(raw);
  const messageId = newMessageId();
  const headers = rewriteHeaders(parseHeaders(head), { from: null, messageId, at: world.now(), keepDate: true });
  const written = joinHeaders(headers.map(({ source }) => source));
  const copy = { mailbox: account.email, labels: ['DRAFT'], threadId, head: written, envelope: [] };
  const [message] = world.mail.file(body, [copy], { draft: { mailbox: account.email, id, sent: false } });
  if (!message) throw new Error('A draft has a message');
  return { id, message };
}

function newDraftId(): string {
  return `r-${randomInt(2 ** 47)}${String(randomInt(10_000)).padStart(4, '0')}`;
}

/** A message that was sent before has the trace of it taken off. */
function withoutReceived(raw: Buffer): Buffer {
  const { head, body } = splitMessage(raw);
  const headers = parseHeaders(head).filter(({ name }) => name.toLowerCase() !== 'received');
  return Buffer.concat([joinHeaders(headers.map(({ source }) => source)), Buffer.from('\r\n'), body]);
}
