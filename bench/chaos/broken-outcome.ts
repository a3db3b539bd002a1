import * as real from '../../src/transport/gmail/classify.ts';

export { classifyBeforeSend, retryTime } from '../../src/transport/gmail/classify.ts';

/** The mistake that everybody makes: what was not answered is tried again. */
export const classifyFailure: typeof real.classifyFailure = (failure, tried, now) => {
  const outcome = real.classifyFailure(failure, tried, now);
  if (outcome.kind !== 'unknown') return outcome;
  return {
    kind: 'retry',
    at: new Date(now.getTime() + 2_000),
    newPermit: false,
    slowDown: false,
    words: outcome.words,
  };
};
