import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Capability } from '../../src/platform/capability.ts';
import { someRows } from '../support/at-length.ts';
import { type Ended, runTable, type Trouble, unseen } from '../support/fault-table.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';

const byDraft: Capability[] = ['send', 'safe_retry'];
const tracked: Capability[] = [...byDraft, 'tracking'];

/** What becomes of a draft whose send was not answered: found out where we may look, believed where the operator may. */
const worlds = (['notFound', 'sendsAgain'] as const)
  .flatMap((secondDraftSend) =>
    [true, false].flatMap((draftsSendOnce) =>
      [byDraft, tracked].map((capabilities) => ({ secondDraftSend, draftsSendOnce, capabilities })),
    ),
  )
  .map((world, table) => ({ ...world, effects: someRows(unseen, table) }));

describe.each(worlds)(
  'a second send of one draft: $secondDraftSend; GMAIL_DRAFTS_SEND_ONCE: $draftsSendOnce; with $capabilities',
  ({ secondDraftSend, draftsSendOnce, capabilities, effects }) => {
    const rows: Trouble[] = effects.map(({ what, effect }) => ({ what, faults: [{ method: 'drafts.send', effect }] }));
    let letterhead: TestLetterhead;
    let ended: ReadonlyMap<string, Ended>;
    beforeAll(async () => {
      letterhead = await startTestLetterhead({ draftsSendOnce });
      letterhead.google.policies.setUnconfirmed({ secondDraftSend });
      ended = await runTable(letterhead, capabilities, rows);
    });
    afterAll(() => letterhead.close());

    it.each(effects)('neither loses nor doubles an email: $what', ({ what, done }) => {
      // The draft tells that it was not sent. That it was, Sent tells, or nobody but a person.
      const known = !done || draftsSendOnce || capabilities === tracked;
      const state = known ? 'sent' : 'unconfirmed';
      expect(ended.get(what)).toMatchObject({ state, accepted: 1, drafts: 0, struck: true });
    });
  },
);
