import type { UserLabel } from '../mail/labels.ts';
import { type Message, messageHeader, partsOf } from '../mailboxes.ts';
import { allParts, partText } from '../mime/parts.ts';

/** A parsed search. */
export interface Search {
  isEmpty: boolean;
  /** `in:anywhere`: spam and trash too. */
  everywhere: boolean;
  matches(message: Message): boolean;
  /** Whether the search asks for that label by name, and so looks into spam or trash. */
  names(label: string): boolean;
}

interface Term {
  negated: boolean;
  operator: string;
  wanted: string;
}

/**
 * A search of Gmail's, in the operators that mail programs use: `from:`, `to:`, `cc:`, `subject:`, `in:`, `is:`,
 * `label:`, `rfc822msgid:`, `after:`, `before:` (a day, or Unix seconds), `has:attachment`, `filename:`, words and
 * "quoted words" of subject, people and text, and `-` before any of them. All must fit.
 */
export function parseQuery(q: string, userLabels: ReadonlyMap<string, UserLabel>): Search {
  const terms = [...q.matchAll(/(-?)(?:(\w+):)?(?:"([^"]*)"|\(([^)]*)\)|(\S+))/g)].map(
    ([, minus, operator = '', quoted, grouped, plain]): Term => ({
      negated: minus === '-',
      operator: operator.toLowerCase(),
      wanted: (quoted ?? grouped ?? plain ?? '').toLowerCase(),
    }),
  );
  const idOf = (name: string) =>
    [...userLabels.values()].find((label) => slug(label.name) === slug(name))?.id ?? name.toUpperCase();
  const asks = (term: Term, label: string) =>
    !term.negated && ['in', 'is', 'label'].includes(term.operator) && term.wanted.toUpperCase() === label;
  return {
    isEmpty: terms.length === 0,
    everywhere: terms.some((term) => asks(term, 'ANYWHERE')),
    matches: (message) => terms.every((term) => matchesTerm(message, term, idOf) !== term.negated),
    names: (label) => terms.some((term) => asks(term, label)),
  };
}

function matchesTerm(message: Message, { operator, wanted }: Term, idOf: (name: string) => string): boolean {
  const has = (...names: string[]) =>
    names.some((name) => (messageHeader(message, name) ?? '').toLowerCase().includes(wanted));
  switch (operator) {
    case 'rfc822msgid':
      return bareId(message.messageId) === bareId(wanted);
    case 'from':
      return wanted === 'me' ? message.labels.includes('SENT') : has('From');
    case 'to':
      return has('To', 'Cc', 'Bcc', 'Delivered-To');
    case 'cc':
      return has('Cc');
    case 'subject':
      return has('Subject');
    case 'in':
    case 'label':
      return wanted === 'anywhere' || message.labels.includes(idOf(wanted === 'drafts' ? 'draft' : wanted));
    case 'is':
      return wanted === 'read' ? !message.labels.includes('UNREAD') : message.labels.includes(idOf(wanted));
    case 'after':
      return message.at >= timeOf(wanted);
    case 'before':
      return message.at < timeOf(wanted);
    case 'has':
      return wanted === 'attachment' && filenames(message).length > 0;
    case 'filename':
      return filenames(message).some((name) => name.toLowerCase().includes(wanted));
    case '':
      return has('Subject', 'From', 'To', 'Cc') || textOf(message).includes(wanted);
    default:
      return false;
  }
}

/** `2026/11/21` or `2026-11-21`: its midnight (UTC here, the user's zone at Google); or Unix seconds. Milliseconds. */
function timeOf(wanted: string): number {
  if (/^\d{6,}$/.test(wanted)) return Number(wanted) * 1000;
  const [year = 0, month = 1, day = 1] = wanted.split(/[/-]/).map(Number);
  return Date.UTC(year, month - 1, day);
}

function bareId(id: string): string {
  return id.replace(/^<|>$/g, '').toLowerCase();
}

function slug(name: string): string {
  return name.toLowerCase().replace(/[\s/]+/g, '-');
}

function filenames(message: Message): string[] {
  return allParts(partsOf(message)).flatMap(({ filename }) => (filename === '' ? [] : [filename]));
}

function textOf(message: Message): string {
  return allParts(partsOf(message))
    .filter(({ mimeType, filename }) => mimeType.startsWith('text/') && filename === '')
    .map(partText)
    .join(' ')
    .toLowerCase();
}
