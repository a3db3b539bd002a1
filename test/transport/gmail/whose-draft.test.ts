import { expect, it } from 'vitest';
import { whoseDraft } from '../../../src/transport/gmail/whose-draft.ts';

const madeUntil = new Date('2026-11-21T09:03:00Z');
const before = new Date('2026-11-21T09:00:00Z');
const after = new Date('2026-11-21T09:03:01Z');
const known = { draft: { id: 'd1', messageId: 'm1' }, foreignDraftIds: ['d9'] };
const none = { draft: null, foreignDraftIds: ['d9'] };

it.each([
  ['that we know, as we made it', { id: 'd1', messageId: 'm1', at: before }, known, 'ours'],
  ['that we know, with another message', { id: 'd1', messageId: 'm2', at: before }, known, 'changed'],
  ['that we never heard of, from when we made some', { id: 'd2', messageId: 'm2', at: madeUntil }, known, 'ours'],
  ['that we never heard of, touched since', { id: 'd2', messageId: 'm2', at: after }, none, 'changed'],
  ['that somebody changed before', { id: 'd9', messageId: 'm9', at: before }, known, 'theirs'],
  [
    'that somebody changed before, where there is none of ours',
    { id: 'd9', messageId: 'm9', at: before },
    none,
    'theirs',
  ],
] as const)('a draft %s', (_which, found, drafts, whose) => {
  expect(whoseDraft(found, drafts, madeUntil)).toBe(whose);
});
