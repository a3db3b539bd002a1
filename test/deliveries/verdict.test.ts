import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Evidence, verdictOn } from '../../src/deliveries/verdict.ts';

const message: Evidence = {
  ...{ via: 'message', sendBegun: true, draft: 'unseen', inSent: 'unseen', answeredGone: false, draftsSendOnce: false },
};
const draft: Evidence = { ...message, via: 'draft' };

describe('what became of an email', () => {
  it.each<[string, Evidence, ReturnType<typeof verdictOn>]>([
    ['a message, and nobody may look', message, 'ask'],
    ['a message that is among the sent ones', { ...message, inSent: 'found' }, 'sent'],
    ['a message that is not among the sent ones', { ...message, inSent: 'absent' }, 'not_sent'],
    ['a draft whose send never went out', { ...draft, sendBegun: false }, 'not_sent'],
    ['a draft that is there as we made it', { ...draft, draft: 'same' }, 'not_sent'],
    ['a draft that somebody changed', { ...draft, draft: 'edited' }, 'edited'],
    ['a draft that is gone, and nobody may look', { ...draft, draft: 'gone' }, 'ask'],
    ['the same, where drafts are known to be sent once', { ...draft, draft: 'gone', draftsSendOnce: true }, 'sent'],
    [
      'the same, where Gmail answered our only send that it was gone: somebody else took it',
      { ...draft, draft: 'gone', draftsSendOnce: true, answeredGone: true },
      'ask',
    ],
    ['a draft that is gone, and among the sent ones', { ...draft, draft: 'gone', inSent: 'found' }, 'sent'],
    ['a draft that is gone, and not among the sent ones', { ...draft, draft: 'gone', inSent: 'absent' }, 'deleted'],
    ['a draft that may not be asked for, and not sent', { ...draft, inSent: 'absent' }, 'not_sent'],
    ['a draft that may not be asked for at all', draft, 'ask'],
    [
      'the same, where drafts are known to be sent once: nobody saw that it is gone',
      { ...draft, draftsSendOnce: true },
      'ask',
    ],
  ])('%s', (_what, evidence, wanted) => {
    expect(verdictOn(evidence)).toBe(wanted);
  });

  it('is never “not sent” unless Gmail showed it: nothing that may have left is tried again unseen', () => {
    const evidence = fc.record<Evidence>({
      via: fc.constantFrom('message', 'draft'),
      sendBegun: fc.boolean(),
      draft: fc.constantFrom('same', 'edited', 'gone', 'unseen'),
      inSent: fc.constantFrom('found', 'absent', 'unseen'),
      answeredGone: fc.boolean(),
      draftsSendOnce: fc.boolean(),
    });
    fc.assert(
      fc.property(evidence, (each) => {
        const verdict = verdictOn(each);
        if (each.inSent === 'found') expect(verdict).toBe('sent');
        if (verdict === 'not_sent')
          expect(!each.sendBegun || each.draft === 'same' || each.inSent === 'absent').toBe(true);
      }),
    );
  });
});
