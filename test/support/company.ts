import { randomUUID } from 'node:crypto';
import type { Accepted, SendAsSeed } from 'local-google';
import { createDelivery, type SendRequest, type SendResult } from '../../src/deliveries/create.ts';
import { type DeliveryRecord, getDelivery } from '../../src/deliveries/delivery.ts';
import { importDocument } from '../../src/documents/import-document.ts';
import { readUbl } from '../../src/documents/read-ubl.ts';
import type { DocumentRecord } from '../../src/documents/store.ts';
import type { DeliveryState } from '../../src/platform/database-types.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import type { Permission } from '../../src/web/permission-words.ts';
import { fixture } from '../documents/content.ts';
import { counter } from './counter.ts';
import { eventually } from './eventually.ts';
import { connected, found } from './found.ts';
import type { TestLetterhead } from './letterhead.ts';
import { signedIn, type Visitor } from './visitor.ts';

/** A mailbox of a company, and somebody of it who sends through it. */
export interface Sender {
  readonly tenantId: string;
  readonly memberId: string;
  /** The address of the Google account. */
  readonly account: string;
  readonly mailboxId: string;
  /** Writes a delivery, a test email unless told otherwise, as the pages do; returns its id. */
  send(request?: Partial<SendRequest>): Promise<string>;
  /** The same, with every answer. */
  ask(request?: Partial<SendRequest>): Promise<SendResult>;
  /** Imports an invoice. */
  record(): Promise<DocumentRecord>;
  delivery(deliveryId: string): Promise<DeliveryRecord>;
  /** Waits until a delivery is in one of the states; time goes on meanwhile, from event to event. */
  reaches(deliveryId: string, ...states: DeliveryState[]): Promise<DeliveryRecord>;
  /** What Google accepted of a delivery. */
  accepted(deliveryId: string): Accepted[];
}

/** A company with a Gmail account of its own, connected, so that what befalls one test befalls no other. */
export interface Company extends Sender {
  /** Whose the account is. */
  readonly founder: Visitor;
}

/** What a test may have otherwise. */
export interface CompanyOptions {
  /** The account's other addresses in Gmail; with some, the permission to see them is switched on. */
  readonly sendAs?: readonly SendAsSeed[];
  /** What the mailbox may do besides sending. */
  readonly permissions?: readonly Permission[];
  /** What it is called, where that matters: a file is its own when it names this issuer. */
  readonly name?: string;
}

const numberOf = counter();

/** Founds it by rows, with tokens that Local Google gave: what a test of founding and connecting does on the pages. */
export async function company(
  letterhead: TestLetterhead,
  { sendAs = [], permissions = sendAs.length > 0 ? ['aliases'] : [], name }: CompanyOptions = {},
): Promise<Company> {
  const number = numberOf(letterhead.google);
  const account = `office@company${number}.example`;
  letterhead.google.accounts.add({ email: account, name: `Company ${number}`, sendAs });
  const owner = await found(letterhead, account, name ?? `Company ${number} Ltd`);
  const mailboxId = await connected(letterhead, owner, account, permissions);
  return { ...senderOf(letterhead, { ...owner, account, mailboxId }), founder: await signedIn(letterhead, owner) };
}

/** What tests do as somebody who sends through a mailbox. */
export function senderOf(
  { context, google, database, time }: TestLetterhead,
  ids: Pick<Sender, 'tenantId' | 'memberId' | 'account' | 'mailboxId'>,
): Sender {
  const { tenantId, memberId, account, mailboxId } = ids;
  const ask = (request: Partial<SendRequest> = {}) =>
    inTenant(database.db, tenantId, (trx) =>
      createDelivery(trx, context.clock, { ...testEmail(tenantId, memberId), ...request }),
    );
  const delivery = async (deliveryId: string) => {
    const found = await inTenant(database.db, tenantId, (trx) =>
      getDelivery(trx, tenantId, { memberId, seesAll: true }, deliveryId),
    );
    if (!found) throw new Error(`There is no delivery ${deliveryId}.`);
    return found;
  };
  return {
    ...{ tenantId, memberId, account, mailboxId, ask, delivery },
    async send(request) {
      const result = await ask(request);
      if (result.kind !== 'created') throw new Error(`Nothing was created: ${result.kind}`);
      return result.deliveryId;
    },
    record: () =>
      inTenant(database.db, tenantId, (trx) =>
        importDocument(trx, tenantId, memberId, readUbl(Buffer.from(fixture('peppol-base-example.xml')), 'a.xml')),
      ),
    reaches: (deliveryId, ...states) =>
      eventually(
        () => delivery(deliveryId),
        ({ state }) => states.includes(state),
        time,
      ),
    accepted: (deliveryId) => google.truth.accepted().filter((message) => message.deliveryId === deliveryId),
  };
}

/** A request for an email without a document. */
export function testEmail(tenantId: string, memberId: string): SendRequest {
  return {
    ...{ tenantId, memberId, idempotencyKey: randomUUID(), subject: 'Hello', message: 'Here it is.', document: null },
    recipients: { to: [{ name: 'Mira Okafor', email: 'mira@northgate.example' }], cc: [], bcc: [] },
  };
}
