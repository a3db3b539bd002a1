import type { DeliverContext } from '../../src/deliveries/context.ts';
import { deliver } from '../../src/deliveries/deliver.ts';
import { createAccessTokens } from '../../src/mailboxes/access-token.ts';
import { neverJumps } from '../../src/platform/clock-jumps.ts';
import type { Sender } from './company.ts';
import type { TestLetterhead } from './letterhead.ts';

/** The context of a worker that is another process than the pages: it shares the database with them, and nothing else. */
export function anotherWorker({ context, config }: TestLetterhead): DeliverContext {
  const tokens = createAccessTokens(context);
  const { sendDeadlineMs, settleMs, pace, draftsSendOnce } = config;
  return {
    ...context,
    tokens,
    jumps: neverJumps,
    owner: 'another worker',
    sendDeadlineMs,
    settleMs,
    pace,
    draftsSendOnce,
  };
}

/** Runs a delivery's job here and now. Start Letterhead with `worker: false`. */
export function deliverNow(letterhead: TestLetterhead, { tenantId }: Sender, deliveryId: string): Promise<void> {
  return deliver(anotherWorker(letterhead), { tenantId, deliveryId });
}
