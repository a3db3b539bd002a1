import { describe, expect, it } from 'vitest';
import { isDatabaseAway } from '../../src/platform/database-away.ts';

const coded = (code: string, cause?: Error) => Object.assign(new Error('It failed.', { cause }), { code });

describe('a database that is away', () => {
  it.each([
    ...['57P01', '57P02', '57P03', '57P04', '57P05', '57014', '08000', '08003', '08006', '53300', '53200', '53100'],
    ...['55P03', '25P03', '40001', '40P01'],
    ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
  ])('is told by %s, however deep it lies', (code) => {
    expect(isDatabaseAway(coded(code))).toBe(true);
    expect(isDatabaseAway(new Error('outside', { cause: coded('XX', coded(code)) }))).toBe(true);
  });

  it.each(['Connection terminated unexpectedly', 'timeout exceeded when trying to connect', 'Query read timeout'])(
    'is told by “%s”',
    (message) => expect(isDatabaseAway(new Error(message))).toBe(true),
  );

  // A mistake of ours must be seen as one: a wrong statement, a broken constraint, a role that may not, a bug.
  it.each(['42601', '42P01', '23505', '23503', '42501', '22P02', '25P02', '25001', 'ERR_INVALID_ARG_TYPE', ''])(
    'is not told by %s',
    (code) => expect(isDatabaseAway(coded(code))).toBe(false),
  );

  it.each([undefined, null, 'ECONNREFUSED', { code: '57P01' }])('is not told by what is no error: %j', (thrown) =>
    expect(isDatabaseAway(thrown)).toBe(false),
  );
});
