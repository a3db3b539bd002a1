import type { Account } from '../accounts.ts';
import { Refusal } from '../answers.ts';
import type { Message } from '../mailboxes.ts';
import type { World } from '../world.ts';
import type { Caller } from './access.ts';
import { refuseSearch } from './access.ts';
import { notFound } from './errors.ts';
import { parseQuery } from './query.ts';
import { readMax, readPageToken } from './request.ts';

/** A list counts on for so many past its page: `resultSizeEstimate` is an estimate at Google as well. */
const COUNTED = 500;

/** One page of a list, and how the next one is asked for. */
export interface Page {
  found: Message[];
  nextPageToken: string | null;
  estimate: number;
}

/**
 * A page of a mailbox, newest first: labels ANDed, `q` asked of the late index, spam and trash only on request. Pages
 * go on below the last message seen, so that new mail between two pages shifts nothing. `once` keeps one message of
 * each thread.
 */
export function findMessages(world: World, caller: Caller, query: URLSearchParams, once = false): Page {
  const q = query.get('q') ?? '';
  refuseSearch(caller, q);
  const { email } = caller.account;
  const search = parseQuery(q, world.mail.userLabels(email));
  const indexedBefore = world.now() - world.policies.unconfirmed.searchLagMs;
  const labels = query.getAll('labelIds');
  const all = query.get('includeSpamTrash') === 'true' || search.everywhere;
  const hidden = all ? [] : ['SPAM', 'TRASH'].filter((label) => !labels.includes(label) && !search.names(label));
  const max = readMax(query);
  const below = readPageToken(query);
  const seen = new Set<string>();
  const page: Page = { found: [], nextPageToken: null, estimate: 0 };
  for (const message of world.mail.newest(email, once ? undefined : below)) {
    if (once && seen.has(message.threadId)) continue;
    if (labels.some((label) => !message.labels.includes(label))) continue;
    if (message.labels.some((label) => hidden.includes(label))) continue;
    if (!search.isEmpty && (message.at > indexedBefore || !search.matches(message))) continue;
    seen.add(message.threadId);
    page.estimate += 1;
    if (message.place >= below) continue;
    if (page.found.length < max) page.found.push(message);
    else {
      page.nextPageToken = String(page.found.at(-1)?.place);
      if (page.estimate > max + COUNTED) break;
    }
  }
  return page;
}

/** A message of the account. Throws Refusal 404. */
export function findMessage(world: World, account: Account, id: string): Message {
  const message = world.mail.get(account.email, id);
  if (!message) throw new Refusal(notFound());
  return message;
}

/** The messages of a thread of the account. Throws Refusal 404. */
export function findThread(world: World, account: Account, id: string): readonly Message[] {
  const thread = world.mail.thread(account.email, id);
  if (thread.length === 0) throw new Refusal(notFound());
  return thread;
}
