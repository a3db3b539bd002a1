import express, { type Request, type RequestHandler } from 'express';
import { atOnce, inTurns, type Work } from '../platform/turns.ts';
import { PageError } from './errors.ts';
import { holdsNul } from './no-nulls.ts';

/** How much a form may say. */
export interface FormLimits {
  readonly bytes: number;
  readonly fields: number;
}

/** What a form may say where nothing else is stated, and whatever somebody says who is not signed in. */
const usual: FormLimits = { bytes: 64 * 1024, fields: 1_000 };

/** Texts of 20,000 letters take up to 9 bytes a letter on their way; lists name up to a thousand records twice. */
const texts: FormLimits = { bytes: 512 * 1024, fields: 5_000 };

/** A record has up to 5,000 lines. */
const records: FormLimits = { bytes: 4 * 1024 * 1024, fields: 70_000 };

/** The pages that take more than the usual, for members. */
const rooms: readonly (readonly [path: RegExp, limits: FormLimits])[] = [
  [/^\/documents(?:\/totals|\/[^/]+)?$/, records],
  [/^\/documents\/[^/]+\/deliveries$/, texts],
  [/^\/runs(?:\/|$)/, texts],
  [/^\/activity\/decisions$/, texts],
  [/^\/mailboxes\/[^/]+\/access$/, texts],
  [/^\/settings\/company$/, texts],
];

/** Deeper than any field of ours: `lines[0][allowances][1][amount]`. */
const mostDepth = 6;

/**
 * Reads the form of a write. It stands behind session and same-origin check, so that nobody has a body read before it is
 * known who they are; the large rooms are for members alone. What is larger is answered with 413.
 */
export function formBody(): RequestHandler {
  return (req, res, next) => {
    const limits = limitsOf(req.path, res.locals['viewer'] !== undefined);
    const read = express.text({ type: 'application/x-www-form-urlencoded', limit: limits.bytes });
    read(req, res, (error: unknown) => {
      if (error) return next(error);
      if (!isForm(req)) return next();
      inTurns(formOf(String(req.body ?? ''), limits.fields)).then((form) => {
        req.body = form;
        next();
      }, next);
    });
  };
}

/** The limits of a page. */
export function limitsOf(path: string, isMember: boolean): FormLimits {
  return (isMember && rooms.find(([pattern]) => pattern.test(path))?.[1]) || usual;
}

function isForm(req: Request): boolean {
  return typeof req.body === 'string';
}

/** A field's value: a text, several of one name, or fields within. */
export type FormValue = string | string[] | FormTree;

/** Fields by name. Without a prototype: a field named `constructor` is a field. */
export interface FormTree {
  [name: string]: FormValue;
}

/**
 * Reads `application/x-www-form-urlencoded` (WHATWG URL, section 5): `a=1&b[x]=2&b[y]=3&c=4&c=5` is
 * `{ a: '1', b: { x: '2', y: '3' }, c: ['4', '5'] }`. Numbered fields are fields by that name, never a list, so a number
 * costs nothing. The time it takes grows with the text and no faster, whatever stands in it.
 *
 * @param mostFields more are refused
 * @throws {PageError} 413 for too many fields, 400 for a name that is nested too deeply or is a text and a tree at once
 */
export function parseForm(text: string, mostFields: number = usual.fields): FormTree {
  return atOnce(formOf(text, mostFields));
}

/** As {@link parseForm}, a few fields at a time. */
function* formOf(text: string, mostFields: number): Work<FormTree> {
  if (count(text, '&', mostFields) >= mostFields) throw tooMany();
  if (text.includes('%00') || text.includes('\u0000')) throw holdsNul();
  const tree = newTree();
  for (let from = 0; from < text.length; yield) {
    const end = text.indexOf('&', from + lettersAtATime);
    const to = end < 0 ? text.length : end;
    // A question mark in front would be taken for the beginning of a query.
    for (const [name, value] of new URLSearchParams(`&${text.slice(from, to)}`)) put(tree, name, value);
    from = to + 1;
  }
  return tree;
}

/** A few milliseconds of work. */
const lettersAtATime = 64 * 1024;

/** How often a letter stands in a text, as far as `most`. */
function count(text: string, letter: string, most: number): number {
  let found = 0;
  for (let at = text.indexOf(letter); at >= 0 && found < most; at = text.indexOf(letter, at + 1)) found += 1;
  return found;
}

function put(tree: FormTree, name: string, value: string): void {
  const path = pathOf(name);
  const last = path.pop() ?? '';
  let place = tree;
  for (const part of path) {
    place[part] ??= newTree();
    const within = place[part];
    if (typeof within === 'string' || Array.isArray(within)) throw unreadable();
    place = within;
  }
  const there = place[last];
  if (there === undefined) place[last] = value;
  else if (typeof there === 'string') place[last] = [there, value];
  else if (Array.isArray(there)) there.push(value);
  else throw unreadable();
}

/** `lines[0][name]` as its parts; a name whose brackets do not fit is a name as it stands. */
function pathOf(name: string): string[] {
  const open = name.indexOf('[');
  if (open <= 0 || !name.endsWith(']')) return [name];
  const parts = name.slice(open + 1, -1).split('][', mostDepth + 1);
  if (parts.some((part) => part.includes('[') || part.includes(']'))) return [name];
  if (parts.length > mostDepth) throw unreadable();
  return [name.slice(0, open), ...parts];
}

function newTree(): FormTree {
  return Object.create(null);
}

function tooMany(): PageError {
  return new PageError(413, 'too_many_fields', {
    title: 'That is too much at once',
    message: 'What was sent has more fields than this page takes. Nothing was changed.',
  });
}

function unreadable(): PageError {
  return new PageError(400, 'bad_form', {
    title: 'This could not be understood',
    message: 'Your browser sent something that Letterhead cannot read. Go back, reload the page and try again.',
  });
}
