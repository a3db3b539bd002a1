import { sql } from 'kysely';
import type { GoogleApp } from '../google/app.ts';
import { type Draft, getDraft, listDrafts } from '../google/drafts.ts';
import { GoogleError } from '../google/errors.ts';
import {
  type AccessToken,
  getHeaders,
  listSent,
  type MessageHeaders,
  type SentMessage,
  type SentPage,
} from '../google/gmail.ts';
import type { Database } from '../platform/database.ts';
import { deliveryHeader } from './compose.ts';
import { type LookContext, type Pay, payingForLook } from './pay-for-look.ts';

/** What to look for, and with what. */
export interface Look {
  readonly token: AccessToken;
  /** The Google account, which is charged for it. */
  readonly account: string;
  readonly deliveryId: string;
}

/** Clocks differ: messages that Gmail dates somewhat before our first attempt are looked at as well. */
const marginMs = 10 * 60_000;
/**
 * After a restore it is looked so much further back: what was written is told by the clock of whoever wrote it, and one
 * that stood in another time zone must not end the look too early.
 */
export const writersClockMs = 24 * 3_600_000;
/** So far back it is looked; a mailbox that sent more since then is left to a person. */
const most = 1_000;
const header = deliveryHeader.toLowerCase();

/** What a look into the Sent folder brought. `found` null and not `all`: there was too much to look through. */
export interface SentLook {
  readonly found: SentMessage | null;
  /** Everything since the moment was looked at, so that what was not found is not there. */
  readonly all: boolean;
}

/** How far back a look goes. */
export interface Since {
  /** The first attempt, by our clock. */
  readonly at: Date;
  /** Messages of the same mailbox that were sent before the first attempt, whatever any clock said. */
  readonly sentBefore: ReadonlySet<string>;
}

/**
 * Looks through the mailbox's sent messages for the one that carries our header, newest first, back to what was sent
 * before the first attempt. The list of SENT is immediately consistent; a search is not (docs/google.md, B).
 *
 * Where nothing is known to have been sent before, the look ends at messages that Gmail dates before the first attempt:
 * but only if our clock and Google's agree. A clock that was wrong would end it too early, and what was sent would
 * seem not to be. One request after the other, so that a mailbox has no more in flight than it has deliveries in hand.
 *
 * @throws {GoogleError} when Gmail could not be asked, or does not let us
 * @throws {LookPausedError} when the account's rate is used up: what was read is remembered
 */
export function findInSent(ctx: LookContext, { token, account, deliveryId }: Look, since: Since): Promise<SentLook> {
  const { google, clock } = ctx;
  return payingForLook(ctx, account, async (pay) => {
    let page: string | null = null;
    let seen = 0;
    do {
      await pay('list');
      const list: SentPage = await listSent(google, token, page);
      const dated = since.sentBefore.size === 0 && agree(list.at, clock());
      for (const id of list.ids) {
        const message = await headersOf(google, token, id, pay);
        if (message?.headers[header] === deliveryId)
          return { found: { id: message.id, threadId: message.threadId }, all: true };
        const tooOld = dated && message && message.at.getTime() < since.at.getTime() - marginMs;
        if (tooOld || since.sentBefore.has(id)) return { found: null, all: true };
      }
      seen += list.ids.length;
      page = list.next;
    } while (page !== null && seen < most);
    return { found: null, all: page === null };
  });
}

function agree(theirs: Date | null, ours: Date): boolean {
  return theirs !== null && Math.abs(theirs.getTime() - ours.getTime()) < marginMs / 2;
}

/**
 * The last few messages of a delivery's mailbox that were sent before its first attempt. What came first is told by
 * the numbers of the timeline, not by a clock. Without an attempt that is known of, after a restore: before it was held.
 */
export async function readSentBefore(trx: Database, tenantId: string, deliveryId: string): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    with asked as (
      select mailbox_id, account, (select coalesce(min(id) filter (where state = 'sending'), max(id))
        from delivery_events where delivery_id = deliveries.id) as first
      from deliveries where tenant_id = ${tenantId} and id = ${deliveryId}
    ), latest as (
      select sent.id, sent.gmail_message_id, asked.first from asked cross join lateral (
        select id, gmail_message_id from deliveries
        where account = asked.account and tenant_id = ${tenantId} and mailbox_id = asked.mailbox_id
          and sent_at is not null and gmail_message_id is not null
        order by sent_at desc limit 500) sent
    )
    select gmail_message_id as id from latest
    where exists (select from delivery_events
      where delivery_id = latest.id and state = 'sent' and delivery_events.id < latest.first)
    limit 50`.execute(trx);
  return new Set(rows.map(({ id }) => id));
}

/**
 * What a message carried never changes, so each is asked for once, however many deliveries are looked for. So it is with
 * drafts: one that is edited has another message.
 */
const known = new Map<string, MessageHeaders>();
const mostKnown = 5_000;

async function onceOnly<T extends MessageHeaders | null>(
  key: string,
  ask: () => Promise<T>,
): Promise<MessageHeaders | T> {
  const cached = known.get(key);
  if (cached) return cached;
  const message = await ask();
  if (known.size >= mostKnown) known.clear();
  if (message) known.set(key, message);
  return message;
}

function keyOf(google: GoogleApp, { token }: AccessToken, messageId: string): string {
  return `${google.endpoints.gmailRoot} ${token} ${messageId}`;
}

async function headersOf(google: GoogleApp, token: AccessToken, id: string, pay: Pay): Promise<MessageHeaders | null> {
  try {
    return await onceOnly(keyOf(google, token, id), async () => {
      await pay('readHeaders');
      return getHeaders(google, token, id, [deliveryHeader]);
    });
  } catch (error) {
    // Deleted for good since the list was made: nothing that carries our header can be known of it.
    if (error instanceof GoogleError && error.failure.kind === 'answered' && error.failure.status === 404) return null;
    throw error;
  }
}

/** A draft that carries our header. */
export interface FoundDraft extends Draft {
  /** When it was made, or last changed. */
  readonly at: Date;
}

/**
 * Looks for drafts that carry our header: those that were made although we never heard their ids, newest first.
 *
 * @param since nothing older is looked at, where our clock and Google's agree
 */
export function findDraftsOf(
  ctx: LookContext,
  { token, account, deliveryId }: Look,
  since: Date,
): Promise<FoundDraft[]> {
  const { google, clock } = ctx;
  return payingForLook(ctx, account, async (pay) => {
    const found: FoundDraft[] = [];
    let page: string | null = null;
    let seen = 0;
    do {
      await pay('list');
      const list: Awaited<ReturnType<typeof listDrafts>> = await listDrafts(google, token, page);
      const dated = agree(list.at, clock());
      for (const { id, messageId } of list.drafts) {
        const message = await onceOnly(keyOf(google, token, messageId), async () => {
          await pay('readHeaders');
          return getDraft(google, token, id);
        });
        if (message?.headers[header] === deliveryId) found.push({ id, messageId: message.id, at: message.at });
        if (dated && message && message.at.getTime() < since.getTime() - marginMs) return found;
      }
      seen += list.drafts.length;
      page = list.next;
    } while (page !== null && seen < most);
    return found;
  });
}
