import type { Request, RequestHandler, Response } from 'express';
import { addressKey } from '../platform/address.ts';
import type { RateLimit, RateLimits } from '../platform/rate-limits.ts';
import { addressKey as mailboxKey } from '../tenants/address-key.ts';
import { PageError } from './errors.ts';
import { callbackPaths } from './google-flows.ts';
import { isReading } from './same-origin.ts';
import { isViewer } from './viewer.ts';

/** By whom something is counted: the network address, the person signed in, the company they look at. */
type Whose = 'address' | 'person' | 'company';

/** What is limited. */
interface Rule {
  /** Part of the counters' names. */
  readonly name: string;
  readonly is: (req: Request) => boolean;
  /** `[whose, how many, within how many seconds]`. */
  readonly limits: readonly (readonly [whose: Whose, points: number, seconds: number])[];
}

const minutes = 60;
const hours = 3_600;

const writesTo =
  (...paths: readonly RegExp[]) =>
  (req: Request) =>
    !isReading(req.method) && paths.some((path) => path.test(req.path));

/**
 * Far more than people do, far less than a program can. A whole office may sign in from one address on a Monday morning;
 * what makes Letterhead ask Google or write to somebody is counted more closely.
 */
const rules: readonly Rule[] = [
  { name: 'sign-in', is: writesTo(/^\/sign-in\/google$/), limits: [['address', 120, 10 * minutes]] },
  {
    name: 'callback',
    is: (req) => Object.values<string>(callbackPaths).includes(req.path),
    limits: [['address', 240, 10 * minutes]],
  },
  {
    name: 'connect',
    is: writesTo(/^\/mailboxes\/connection/, /^\/mailboxes\/[^/]+\/permissions\//, /^\/settings\/email\/workspace/),
    limits: [
      ['person', 40, 10 * minutes],
      ['company', 120, 10 * minutes],
    ],
  },
  {
    name: 'test-email',
    is: writesTo(/\/test-deliveries$/, /^\/runs\/sample$/, /\/test-email$/),
    limits: [
      ['person', 20, 10 * minutes],
      ['company', 60, 10 * minutes],
    ],
  },
  {
    name: 'invitation',
    is: writesTo(/^\/settings\/members\/invitations/, /^\/invitations(?:\/|$)/),
    limits: [
      ['person', 40, hours],
      ['company', 200, 24 * hours],
    ],
  },
  {
    name: 'import',
    is: writesTo(/^\/imports/),
    limits: [
      ['person', 60, 10 * minutes],
      ['company', 200, 10 * minutes],
    ],
  },
  {
    name: 'check-up',
    is: writesTo(/\/check-up$/, /\/recheck$/, /\/send-as-refresh$/),
    limits: [
      ['person', 40, 10 * minutes],
      ['company', 120, 10 * minutes],
    ],
  },
  {
    name: 'write',
    is: (req) => !isReading(req.method),
    limits: [
      ['person', 600, 1 * minutes],
      ['company', 6_000, 1 * minutes],
    ],
  },
];

/** What people without a session send: a form to sign in, and nothing else. */
const strangers: RateLimit = { name: 'stranger', points: 300, seconds: 10 * minutes };

/** Emails to one recipient that are sent one by one. */
const sameRecipient: RateLimit = { name: 'recipient', points: 60, seconds: 1 * hours };

/**
 * Refuses with 429, and the time to wait, what comes too often. Behind session and viewer, in front of any body.
 *
 * @throws {PageError} 429
 */
export function limited(limits: RateLimits): RequestHandler {
  return async (req, res, next) => {
    const subjects = subjectsOf(req, res);
    for (const { name, is, limits: bounds } of rules) {
      if (!is(req)) continue;
      for (const [whose, points, seconds] of bounds) {
        const subject = subjects[whose];
        if (subject === undefined) continue;
        await take(limits, { name: `${name}:${whose}`, points, seconds }, subject);
      }
    }
    if (subjects.person === undefined && !isReading(req.method)) await take(limits, strangers, subjects.address);
    next();
  };
}

/**
 * Counts an email that is sent by itself, for each of its recipients; a run to a large customer is bounded by the day's
 * recipients alone, see `recipient-cap.ts`.
 *
 * @throws {PageError} 429
 */
export async function countSingleEmail(
  limits: RateLimits,
  tenantId: string,
  addresses: readonly string[],
): Promise<void> {
  for (const address of addresses) {
    const wait = await limits.take(sameRecipient, `${tenantId} ${addressKey(address)}`);
    if (wait === null) continue;
    throw PageError.tooMany(
      wait,
      `${address} was sent ${sameRecipient.points} emails within an hour. Nothing was sent.`,
    );
  }
}

/** Invitations of one mailbox: it may be nobody who asked for them. By one company, and by all together. */
const sameInvitee: RateLimit = { name: 'invitee', points: 5, seconds: 24 * hours };
const sameInviteeOfAll: RateLimit = { name: 'invitee-of-all', points: 10, seconds: 24 * hours };

/**
 * Counts an invitation, for the mailbox that it goes to, however its address is written.
 *
 * @throws {PageError} 429
 */
export async function countInvitation(limits: RateLimits, tenantId: string, address: string): Promise<void> {
  const mailbox = mailboxKey(address);
  const own = await limits.take(sameInvitee, `${tenantId} ${mailbox}`);
  if (own !== null)
    throw PageError.tooMany(own, `${address} was invited ${sameInvitee.points} times within a day. Nothing was sent.`);
  const all = await limits.take(sameInviteeOfAll, mailbox);
  if (all !== null)
    throw PageError.tooMany(all, `${address} was sent too many invitations within a day. Nothing was sent.`);
}

async function take(limits: RateLimits, limit: RateLimit, subject: string): Promise<void> {
  const wait = await limits.take(limit, subject);
  if (wait !== null) throw PageError.tooMany(wait, 'This came too often in a short time, and was not done.');
}

function subjectsOf(req: Request, res: Response) {
  const viewer: unknown = res.locals['viewer'];
  return {
    address: req.ip ?? 'unknown',
    person: req.session.personId,
    company: isViewer(viewer) ? viewer.tenantId : undefined,
  };
}
