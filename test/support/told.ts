import type { DeliverySummary } from '../../src/deliveries/deliveries.ts';

/** A delivery as lists read it, through office@, a shared mailbox that works, sent by Tom. */
export function aTold(over: Partial<DeliverySummary> = {}): DeliverySummary {
  const at = new Date('2026-11-30T09:00:00Z');
  return {
    ...{ id: 'd1', purpose: 'document', state: 'held', stateAt: at, heldReason: null, notBefore: null, createdAt: at },
    ...{
      fromEmail: 'accounts@brightwater.example',
      subject: 'Invoice INV-1',
      documentId: 'r1',
      documentKind: 'invoice',
      documentTypeCode: null,
    },
    recipients: { to: [{ name: '', email: 'mira@northgate.example' }], cc: [], bcc: [] },
    ...{ documentNumber: 'INV-1', partyName: 'Northgate', runId: null, sentFrom: null, fromChangedAt: null },
    ...{ seenAt: null, lastDetail: 'Google could not be reached. You need not do anything.', isInDoubt: false },
    ...{ refusal: null, mayDecide: true, memberId: 'tom', memberName: 'Tom' },
    ...{ mailboxId: 'm1', mailboxEmail: 'office@brightwater.example', mailboxKind: 'shared', mailboxMemberId: null },
    ...{ mailboxDelegated: false, mailboxState: 'active', mailboxStateAt: at, mailboxReason: null },
    ...{
      mailboxReasonSure: true,
      pausedByName: null,
      runState: null,
      runStops: null,
      runStateAt: null,
      runStateByName: null,
    },
    ...over,
  };
}
