import { findEarlier } from '../deliveries/earlier.ts';
import { addresseeOf, filledInTo } from '../deliveries/recipients.ts';
import { lastChange } from '../documents/last-change.ts';
import { getParty } from '../documents/parties.ts';
import { headOf } from '../documents/pdf/head.ts';
import type { DocumentRecord } from '../documents/store.ts';
import type { SenderResolution } from '../mailboxes/sender.ts';
import { senderFor } from '../mailboxes/sender-rules.ts';
import type { Database } from '../platform/database.ts';
import { changedParts, marksOf } from '../platform/marks.ts';
import { getTenant } from '../tenants/tenants.ts';
import type { Viewer } from './viewer.ts';
import { whoChangedIt } from './who-changed.ts';

/** What stands behind the page that sends a record, apart from what is typed there. */
export interface BehindSend {
  /** Of each part, see `platform/marks.ts`. */
  readonly marks: string;
  readonly resolution: SenderResolution;
  /** What the page would fill in as To. */
  readonly to: string;
}

/** Reads it: the record, the company's head, the sender, the contact's address, and what was sent of the record lately. */
export async function behindSend(
  trx: Database,
  { tenantId, memberId }: Viewer,
  record: DocumentRecord,
  now: Date,
): Promise<BehindSend> {
  const { resolution } = await senderFor(trx, tenantId, memberId, record.kind);
  const contact = await getParty(trx, tenantId, record.partyId);
  const to = filledInTo(addresseeOf(record.content.party, contact));
  const marks = marksOf({
    record: [record.version, record.status],
    head: headOf(await getTenant(trx, tenantId)),
    sender: resolution.ok && resolution.sender,
    contact: to,
    sent: await findEarlier(trx, tenantId, record.id, now),
  });
  return { marks, resolution, to };
}

/**
 * Says what is not as the page showed it, a sentence for each part. A sender that is refused now is said by the page itself,
 * and what was sent meanwhile where somebody presses Send.
 *
 * @param shown the marks that the page carried
 */
export async function changesBehind(
  trx: Database,
  viewer: Viewer,
  { id }: DocumentRecord,
  shown: string,
  { marks, resolution, to }: BehindSend,
  now: Date,
): Promise<{ readonly part: string; readonly words: string }[]> {
  const changed = changedParts(shown, marks).filter((part) => part !== 'sender' || resolution.ok);
  const words: Record<string, () => Promise<string> | string> = {
    record: async () => whoChangedIt(await lastChange(trx, viewer.tenantId, id), viewer, now),
    head: () => 'What stands at the head of your documents was changed.',
    sender: () =>
      resolution.ok ? `It would come from ${resolution.sender.fromName} <${resolution.sender.fromEmail}> now.` : '',
    contact: () => (to === '' ? 'Its contact has no address any more.' : `Its contact’s address is ${to} now.`),
    sent: () => 'It was sent meanwhile, or is on its way.',
  };
  return Promise.all(changed.map(async (part) => ({ part, words: (await words[part]?.()) ?? '' })));
}
