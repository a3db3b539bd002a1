import { describe, expect, it } from 'vitest';
import { GoogleError, type GoogleFailure, guarded, readFailure } from '../../src/google/errors.ts';

/** An error as gaxios throws it, with the request and its secrets hung on it. */
function answered(status: number, data: unknown): Error {
  const config = { data: 'refresh_token=1//0SECRET', headers: { Authorization: 'Bearer ya29.SECRET' } };
  return Object.assign(new Error('from gaxios'), { code: status, status, config, response: { status, data, config } });
}

/** A socket's error, as node-fetch and gaxios wrap it. */
function socket(code: string): Error {
  const below = Object.assign(new Error(`connect ${code}`), { code, errno: -1, syscall: 'connect' });
  const fetched = Object.assign(new Error('request failed'), { type: 'system', code, cause: below });
  return Object.assign(new Error('request failed', { cause: fetched }), { code, error: fetched });
}

const api = (error: object) => ({ error: { code: 403, message: 'Words.', ...error } });
const scopeError = {
  errors: [{ message: 'Insufficient Permission', domain: 'global', reason: 'insufficientPermissions' }],
  status: 'PERMISSION_DENIED',
  details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }],
};
const invalidGrant = { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' };

describe('an answer of Google', () => {
  it.each<[string, number, unknown, { reason: string; message?: string }]>([
    ['the first reason before all', 403, api(scopeError), { reason: 'insufficientPermissions', message: 'Words.' }],
    [
      'a reason among the details',
      403,
      api({ ...scopeError, errors: undefined }),
      { reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' },
    ],
    [
      'the details’ second entry',
      403,
      api({ details: [{ '@type': 'Help' }, { reason: 'SERVICE_DISABLED' }] }),
      { reason: 'SERVICE_DISABLED' },
    ],
    ['the status alone', 403, api({ status: 'PERMISSION_DENIED' }), { reason: 'PERMISSION_DENIED' }],
    ['a message alone', 429, api({ message: 'Slow down.' }), { reason: 'http_429', message: 'Slow down.' }],
    ['no message', 500, { error: { errors: [{ reason: 'backendError' }] } }, { reason: 'backendError', message: '' }],
    ['a body as text', 403, JSON.stringify(api(scopeError)), { reason: 'insufficientPermissions' }],
    ['the OAuth body', 400, invalidGrant, { reason: 'invalid_grant', message: 'Token has been expired or revoked.' }],
    ['the OAuth body as text', 401, '{"error":"invalid_client"}', { reason: 'invalid_client', message: '' }],
    ['a page of HTML', 502, '<html>Bad gateway</html>', { reason: 'http_502' }],
    ['nothing at all', 503, undefined, { reason: 'http_503' }],
    ['a list', 500, [], { reason: 'http_500' }],
    ['errors of another shape', 400, { error: { errors: 'many', message: 'Odd.' } }, { reason: 'http_400' }],
  ])('is read: %s', (_what, status, data, expected) => {
    expect(readFailure(answered(status, data))).toMatchObject({ kind: 'answered', status, ...expected });
  });

  it('always has words', () => {
    const failure = readFailure(answered(502, '<html>'));
    expect(failure.message).toBe('Google answered 502 without saying why.');
  });
});

describe('a connection', () => {
  it.each([
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])('that was never made sent nothing (%s)', (code) => {
    expect(readFailure(socket(code))).toMatchObject({ kind: 'not_sent', code });
  });

  it.each([
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'ERR_STREAM_PREMATURE_CLOSE',
    'UND_ERR_SOCKET',
    // Also what a connection says that breaks after the request is through.
    'EPROTO',
    'ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC',
    'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
    'SOMETHING_NEW',
  ])('that broke may have sent something (%s)', (code) => {
    expect(readFailure(socket(code))).toMatchObject({ kind: 'lost', code });
  });

  it.each<[string, unknown, string]>([
    ['a timeout', new DOMException('The operation was aborted due to timeout', 'TimeoutError'), 'TIMEOUT'],
    ['an abort', new DOMException('The user aborted a request.', 'AbortError'), 'TIMEOUT'],
    [
      'a timeout inside fetch’s error',
      new TypeError('fetch failed', { cause: new DOMException('x', 'TimeoutError') }),
      'TIMEOUT',
    ],
    [
      'a refusal inside fetch’s error',
      new TypeError('fetch failed', { cause: socket('ECONNREFUSED') }),
      'ECONNREFUSED',
    ],
    ['an error without a code', new Error('odd'), 'UNKNOWN'],
    ['a text', 'odd', 'UNKNOWN'],
    ['nothing', undefined, 'UNKNOWN'],
    ['a numeric code', Object.assign(new Error('odd'), { code: 14 }), 'UNKNOWN'],
  ])('says what it can of %s', (_what, error, code) => {
    expect(readFailure(error)).toMatchObject({ code, kind: code === 'ECONNREFUSED' ? 'not_sent' : 'lost' });
  });

  it('never counts as not sent unless it is known to be', () => {
    const kinds = (failure: GoogleFailure) => failure.kind;
    expect(kinds(readFailure(Object.assign(new Error('x'), { response: null, code: 'WHATEVER' })))).toBe('lost');
  });
});

describe('a GoogleError', () => {
  it('has Google’s word, or the socket’s, as its code', async () => {
    const codes = [answered(400, invalidGrant), socket('ECONNRESET')].map(
      (error) => new GoogleError(readFailure(error)).code,
    );
    expect(codes).toEqual(['invalid_grant', 'ECONNRESET']);
  });

  it('keeps nothing of what the library threw', async () => {
    const error: unknown = await guarded(() => Promise.reject(answered(400, invalidGrant))).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(GoogleError);
    expect(error).not.toHaveProperty('cause');
    expect(error).not.toHaveProperty('config');
    expect(error).not.toHaveProperty('response');
  });
});
