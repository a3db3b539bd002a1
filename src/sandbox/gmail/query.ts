import { type Message, messageHeader } from '../mailboxes.ts';

/** How far the search index lags behind the mailbox: `q=` finds a message only after this long (google.md, B). */
const SEARCH_LAG_MS = 3 * 60 * 1000;

/**
 * Whether a message matches a search: `rfc822msgid:`, `from:`, `to:`, `subject:`, `in:` and plain words of the subject,
 * all of them. Unlike listing by label, search is late.
 */
export function matchesQuery(message: Message, q: string, now: number): boolean {
  const terms = q.match(/(?:\w+:)?(?:"[^"]*"|\S+)/g) ?? [];
  if (terms.length === 0) return true;
  if (message.at + SEARCH_LAG_MS > now) return false;
  return terms.every((term) => matchesTerm(message, term));
}

function matchesTerm(message: Message, term: string): boolean {
  const [, operator = '', rest = term] = /^(rfc822msgid|from|to|subject|in):(.*)$/i.exec(term) ?? [];
  const wanted = rest.replaceAll('"', '').toLowerCase();
  const has = (name: string) => (messageHeader(message, name) ?? '').toLowerCase().includes(wanted);
  switch (operator.toLowerCase()) {
    case 'rfc822msgid':
      return (
        (messageHeader(message, 'Message-ID') ?? '').replace(/^<|>$/g, '').toLowerCase() ===
        wanted.replace(/^<|>$/g, '')
      );
    case 'from':
      return has('From');
    case 'to':
      return has('To') || has('Cc');
    case 'in':
      return wanted === 'anywhere' || message.labels.includes(wanted.toUpperCase());
    default:
      return has('Subject');
  }
}
