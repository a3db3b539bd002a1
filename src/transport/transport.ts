import type { Logger } from 'pino';
import type { GoogleApp } from '../google/app.ts';
import type { AccessTokens } from '../mailboxes/access-token.ts';
import type { Capability } from '../platform/capability.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { MailboxProvider } from '../platform/database-types.ts';
import type { KeyRing } from '../platform/key-ring.ts';
import type { Outcome, TransportFailure } from './outcome.ts';

/*
 * How a mailbox sends. The engine (src/deliveries) knows when a delivery may leave, writes down every step before it is
 * taken, and decides what becomes of it; a transport knows one provider: how an email is handed over, what an answer
 * means, and what can be seen afterwards. The engine asks nothing of a provider but what stands here.
 *
 *   permitsAtHand / permit   may this mailbox send now, and with what (else `NotPermittedError`)
 *   Permit.send              hands one email over, once; the answer comes classified (`outcome.ts`)
 *   Permit.look              what the mailbox shows of emails whose outcome nobody knows
 *   Permit.readBack, tidy    afterwards: what the provider really used; what we left behind
 */

/** The header that tells our emails in a mailbox: it survives at every provider, while a Message-ID may not (docs/google.md, B). */
export const deliveryHeader = 'X-Letterhead-Delivery';

/** A provider of mailboxes. */
export interface Transport {
  readonly provider: MailboxProvider;
  /** How an email goes from a mailbox that may do this. */
  viaOf(capabilities: readonly Capability[]): Via;
  /**
   * The permits that are at hand, by mailbox: nobody is asked. Of one that is missing, {@link permit} tells why.
   *
   * @param trx inside the tenant
   */
  permitsAtHand(trx: Database, tenantId: string, mailboxIds: readonly string[]): Promise<ReadonlyMap<string, Permit>>;
  /** @throws {NotPermittedError} where nothing can be sent through it, or not now */
  permit(tenantId: string, mailboxId: string): Promise<Permit>;
  /** The provider refused the permit: the next one is a new one. */
  dropPermit(trx: Database, tenantId: string, mailboxId: string): Promise<void>;
  /** Asks anew which addresses a mailbox may send from. Left out where a mailbox has one address for ever. */
  readonly refreshAddresses?: (tenantId: string, mailboxId: string) => Promise<AddressesRead>;
  /** What keeps all our accounts from sending, and is nobody's but the operator's to end: what lasts, and what ended since. */
  operatorTroubles(since: Date): Promise<readonly OperatorTroubleSpan[]>;
  /** Whether a refusal may be about all our accounts at the provider together: those of several say so. Pure. */
  mayConcernAll(failure: TransportFailure): boolean;
}

/** From when to when a trouble of the operator's lasted; `endedAt` null while it does. */
export interface OperatorTroubleSpan {
  readonly beganAt: Date;
  readonly endedAt: Date | null;
}

/** What is needed to send through one mailbox, and its account's way to the provider. */
export interface Permit {
  /** Hands one email over: nothing in it is tried again. What it answers is the whole of what is known. */
  send(outgoing: Outgoing, journal: Journal): Promise<SendResult>;
  /**
   * What the mailbox shows of an email that was handed over. Left out where nothing can be seen.
   *
   * @throws {TransportError} when the provider could not be asked, or does not let us
   * @throws {LookPausedError} when the account's rate is used up: what was read is remembered
   */
  readonly look?: (question: Question) => Promise<Sight>;
  /** What the provider really put on a sent email. Left out where that cannot be read. @throws {TransportError} */
  readonly readBack?: (messageId: string) => Promise<ReadBack>;
  /** Removes what an email that is finished left in the mailbox. @throws {TransportError | LookPausedError} */
  readonly tidy?: (left: LeftBehind) => Promise<void>;
}

/** How an attempt goes. `draft`: by way of a draft, retried safely, because one that is still there was not sent. */
export type Via = 'message' | 'draft';

/** The provider's ids of a sent email, local to the mailbox. */
export interface SentIds {
  readonly messageId: string;
  readonly threadId: string;
}

/** A draft as we keep it. Its id stays; the id of its message changes whenever somebody edits it. */
export interface DraftIds {
  readonly id: string;
  readonly messageId: string;
}

/** What is known of a delivery's drafts in the mailbox. */
export interface KnownDrafts {
  /** The one that it goes by, as we made it. */
  readonly draft: DraftIds | null;
  /** Those that somebody changed. */
  readonly foreignDraftIds: readonly string[];
}

/** A delivery as a transport knows it. */
export interface Of extends KnownDrafts {
  readonly deliveryId: string;
  /** The account at the provider, which pays for what is asked. */
  readonly account: string;
}

/** One email to hand over. */
export interface Outgoing extends Of {
  /** The whole message (RFC 5322), Bcc included. */
  readonly mime: Buffer;
  readonly via: Via;
  /** Nothing of it is older. */
  readonly createdAt: Date;
  readonly attempt: {
    /** 1 for the first. */
    readonly number: number;
    /** No byte is written after this. */
    readonly deadline: Date;
    /** How many attempts before this one were refused for their permit since the mailbox was connected. */
    readonly permitsRefused: number;
  };
  /** How long one exchange may take at most, in milliseconds. */
  readonly atMostMs: number;
}

/** What an email stands ready as, right before it is sent by way of a draft. */
export type Ready =
  | { readonly kind: 'ours'; readonly draft: DraftIds }
  /** Somebody changed it. */
  | { readonly kind: 'changed'; readonly id: string }
  /** It is not there any more, and only a look can tell whether somebody deleted it, or sent it. */
  | { readonly kind: 'gone' };

/** Where the engine writes down what a transport is about to do. */
export interface Journal {
  /** Commits how the draft stands that is about to be sent. False where the attempt is not under way any more. */
  begin(ready: Ready): Promise<boolean>;
  /** Until when earlier attempts can have made a draft whose id nobody heard. */
  draftsMadeUntil(): Promise<Date>;
}

/** What an attempt brought. */
export type SendResult =
  | { readonly kind: 'sent'; readonly sent: SentIds }
  | { readonly kind: 'failed'; readonly failure: TransportFailure; readonly outcome: Outcome };

/** What is to be looked for. */
export interface Question extends Of {
  /** Whether its draft may tell: an attempt went by way of one, we may see drafts, and what we know of it can be trusted. */
  readonly byDraft: boolean;
  /** Whether we may look among the sent messages. */
  readonly bySent: boolean;
  readonly since: Since;
}

/** How far back a look goes. */
export interface Since {
  /** The first attempt, by our clock. */
  readonly at: Date;
  /** Messages of the same mailbox that were sent before the first attempt, whatever any clock said. */
  readonly sentBefore: () => Promise<ReadonlySet<string>>;
}

/** What a look showed. */
export interface Sight {
  /** Our draft: as we made it, changed by somebody, not there, or not to be asked for. */
  readonly draft: 'same' | 'edited' | 'gone' | 'unseen';
  /** The draft that was looked at. */
  readonly draftId: string | null;
  /** Among the sent messages: there, not there, or not to be looked for, or too many to look through. */
  readonly inSent: 'found' | 'absent' | 'unseen';
  readonly sent: SentIds | null;
}

/** Where nothing is seen. */
export const blind: Sight = { draft: 'unseen', draftId: null, inSent: 'unseen', sent: null };

/** What the provider really used. */
export interface ReadBack {
  /** The address on the From line, in lower case; null where it cannot be read. */
  readonly from: string | null;
  readonly messageId: string | null;
}

/** A finished delivery that may have left drafts in the mailbox. */
export interface LeftBehind extends Of {
  /** Nothing of it is older. */
  readonly createdAt: Date;
  readonly draftsMadeUntil: Date;
}

/** What came of asking for a mailbox's addresses. `unreadable`: the permission for it is not there any more. */
export type AddressesRead = 'read' | 'unreadable';

/** Why nothing can be sent through a mailbox. `later`: nothing is wrong with it, and it is asked for again by itself. */
export type NotPermitted =
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'later'; readonly words: string; readonly seconds: number };

/** A mailbox does not send, or not now. Safe to log. */
export class NotPermittedError extends Error {
  override readonly name = 'NotPermittedError';
  readonly code = 'not_permitted';
  readonly why: NotPermitted;

  constructor(why: NotPermitted) {
    super(why.kind === 'later' ? why.words : `The mailbox is ${why.kind}.`);
    this.why = why;
  }
}

/** A provider could not be asked, or refused, with what that means. Safe to log. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: string;
  readonly failure: TransportFailure;
  readonly outcome: Outcome;

  constructor(failure: TransportFailure, outcome: Outcome) {
    super(failure.message);
    this.code = failure.kind === 'answered' ? failure.reason : failure.code;
    this.failure = failure;
    this.outcome = outcome;
  }
}

/** A look was broken off, because the account's rate is used up. What it has read is remembered, so it can go on. */
export class LookPausedError extends Error {
  override readonly name = 'LookPausedError';
  readonly code = 'look_paused';
  /** When to go on. */
  readonly at: Date;

  constructor(at: Date) {
    super('The account’s rate is used up.');
    this.at = at;
  }
}

/** Pays for the next request of a look, in the provider's units. @throws {LookPausedError} where there is no room for it */
export type Pay = (units: number) => Promise<void>;

/** What pays for looks: nobody knows before what one has to read, so each request is paid for before it is made. */
export interface Purse {
  /**
   * @param worthwhile so many units must be free again before a look that was broken off is worth going on with
   * @throws {LookPausedError}
   */
  paying<Found>(account: string, worthwhile: number, look: (pay: Pay) => Promise<Found>): Promise<Found>;
}

/** What transports need; built once by the product, or by a test. */
export interface TransportContext {
  readonly db: Database;
  /** The cross-tenant pool; only for what belongs to no tenant. */
  readonly system: Database;
  readonly keys: KeyRing;
  readonly google: GoogleApp;
  readonly tokens: AccessTokens;
  readonly clock: Clock;
  readonly log: Logger;
  readonly purse: Purse;
}

/** How each provider sends. */
export type Transports = Readonly<Record<MailboxProvider, (ctx: TransportContext) => Transport>>;

/** What a transport can do for a mailbox, told before anything is asked: what it costs, and how much it takes. */
export interface TransportLimits {
  /** What one delivery costs of an account's rate when all goes well, in the provider's units. */
  costOf(capabilities: readonly Capability[]): number;
  /** What a look needs at least, with room for one delivery beside it. */
  readonly roomForLooks: number;
  /** How many messages the provider lets an account send in 24 hours. */
  dailyLimit(email: string): number;
}
