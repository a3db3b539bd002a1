import { sumOf } from '../../documents/decimal.ts';
import { addressKey } from '../../platform/address.ts';
import type { Database } from '../../platform/database.ts';
import type { Judgement, Reason } from './judge.ts';
import type { ChosenRecord } from './records.ts';
import { type RunQuestion, type Surveyed, survey } from './survey.ts';

/** A record that is left out, or that should not be sent without a second look. */
export interface Noticed {
  readonly record: ChosenRecord;
  readonly reason: Reason;
}

/** A record with the email that would carry it. */
export interface ReadyEmail {
  readonly record: ChosenRecord;
  readonly email: Extract<Judgement, { kind: 'ready' }>;
}

/** What a page says of a run before it is started. */
export interface Overview {
  readonly total: number;
  /** Could be sent; those that were sent lately are among them. */
  readonly ready: number;
  /** How many cannot be sent, by reason. */
  readonly leftOut: Readonly<Partial<Record<Reason['kind'], number>>>;
  /** How many of the ready ones wait already, or were sent in the last 24 hours. */
  readonly recent: number;
  /** How many emails the run would be: the ready ones, without those sent lately unless they are sent again. */
  readonly sending: number;
  /** How many of those were sent lately, or wait, and go out once more. */
  readonly again: number;
  /** How many of those are paid. */
  readonly paid: number;
  /** How many of those have files embedded in them, which stay behind. */
  readonly withFiles: number;
  /** To how many addresses those go. */
  readonly addresses: number;
  /** How many recipients the emails have together. */
  readonly recipients: number;
  /** What those come to: the sum of their amounts for each currency. */
  readonly sums: readonly { readonly currency: string; readonly amount: string }[];
  /** The first of those. */
  readonly first: readonly ReadyEmail[];
  /** A page of those that cannot be sent, and one of those sent lately. */
  readonly noticed: { readonly leftOut: readonly Noticed[]; readonly recent: readonly Noticed[] };
  readonly fingerprint: string;
}

/** What of an overview the page that starts a run chooses. */
export interface OverviewChoice {
  /** Which of the records that cannot be sent, and which of those sent lately, to list; from 0. */
  readonly from: { readonly leftOut: number; readonly recent: number };
  /** Which of those sent lately are sent again. */
  readonly again: 'all' | readonly string[];
}

/** How many recipients are named before a run is started. */
const firstShown = 3;

/** How many records of a list are shown at once. */
export const noticedPage = 25;

/**
 * Looks over a run before it is started.
 *
 * @throws {TemplateError} where the text itself is at fault
 */
export async function overview(
  trx: Database,
  question: RunQuestion,
  ids: readonly string[],
  choice: OverviewChoice = { from: { leftOut: 0, recent: 0 }, again: [] },
): Promise<Overview> {
  const tally = new Tally(choice);
  const records = survey(trx, question, ids);
  while (true) {
    const { done, value } = await records.next();
    if (done) return { ...tally.result(), fingerprint: value };
    for (const surveyed of value) tally.add(surveyed);
  }
}

/** Adds up what becomes of each record. */
class Tally {
  readonly #from: OverviewChoice['from'];
  readonly #isAgain: (id: string) => boolean;
  readonly #seen = {
    total: 0,
    ready: 0,
    leftOut: 0,
    recent: 0,
    sending: 0,
    again: 0,
    paid: 0,
    recipients: 0,
    withFiles: 0,
  };
  readonly #reasons: Partial<Record<Reason['kind'], number>> = {};
  readonly #noticed: { leftOut: Noticed[]; recent: Noticed[] } = { leftOut: [], recent: [] };
  readonly #addresses = new Set<string>();
  readonly #amounts = new Map<string, string>();
  readonly #first: ReadyEmail[] = [];

  constructor({ from, again }: OverviewChoice) {
    const named = new Set(again === 'all' ? [] : again);
    this.#from = from;
    this.#isAgain = (id) => again === 'all' || named.has(id);
  }

  add({ record, judgement }: Surveyed): void {
    this.#seen.total += 1;
    if (judgement.kind === 'left_out') {
      const { reason } = judgement;
      this.#reasons[reason.kind] = (this.#reasons[reason.kind] ?? 0) + 1;
      this.#notice('leftOut', { record, reason });
      return;
    }
    this.#seen.ready += 1;
    if (record.recent !== null) this.#notice('recent', { record, reason: { kind: 'recent' } });
    if (record.recent === null || this.#isAgain(record.id)) this.#send({ record, email: judgement });
  }

  #notice(which: 'leftOut' | 'recent', noticed: Noticed): void {
    const list = this.#noticed[which];
    if (this.#seen[which] >= this.#from[which] && list.length < noticedPage) list.push(noticed);
    this.#seen[which] += 1;
  }

  #send(ready: ReadyEmail): void {
    const { currency, payable, recent, status, fileCount = 0 } = ready.record;
    this.#seen.sending += 1;
    if (recent !== null) this.#seen.again += 1;
    if (status === 'paid') this.#seen.paid += 1;
    if (fileCount > 0) this.#seen.withFiles += 1;
    const { to, cc, bcc } = ready.email.recipients;
    this.#seen.recipients += to.length + cc.length + bcc.length;
    for (const { email } of to) this.#addresses.add(addressKey(email));
    this.#amounts.set(currency, sumOf([this.#amounts.get(currency) ?? '0', payable]).toFixed());
    if (this.#first.length < firstShown) this.#first.push(ready);
  }

  result(): Omit<Overview, 'fingerprint'> {
    const { total, ready, recent, sending, again, paid, recipients, withFiles } = this.#seen;
    const sums = [...this.#amounts].map(([currency, amount]) => ({ currency, amount }));
    return {
      ...{ total, ready, leftOut: this.#reasons, recent, sending, again, paid, recipients, withFiles },
      ...{ addresses: this.#addresses.size, sums, first: this.#first, noticed: this.#noticed },
    };
  }
}
