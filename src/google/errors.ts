import { z } from 'zod';

/**
 * What came back from a call to Google that did not succeed, as plain data. The library's own errors
 * hold tokens, codes and raw mail (the refresh token stands in the request body), so they are read
 * here, at the edge, and never passed on, logged or kept as a `cause`.
 */
export type GoogleFailure =
  /** Google answered. `reason` is Google's own word for it, `message` Google's own sentence. */
  | { readonly kind: 'answered'; readonly status: number; readonly reason: string; readonly message: string }
  /** The request never left: no connection was made. */
  | { readonly kind: 'not_sent'; readonly code: string; readonly message: string }
  /** The connection was lost or timed out after the request may have left. */
  | { readonly kind: 'lost'; readonly code: string; readonly message: string };

/** A call to Google failed. Safe to log. */
export class GoogleError extends Error {
  override readonly name = 'GoogleError';
  readonly code: string;
  readonly failure: GoogleFailure;

  constructor(failure: GoogleFailure) {
    super(failure.message);
    this.failure = failure;
    this.code = failure.kind === 'answered' ? failure.reason : failure.code;
  }
}

/** Whether Google answered with this HTTP status. */
export function isAnswered(error: unknown, status: number): error is GoogleError {
  return error instanceof GoogleError && error.failure.kind === 'answered' && error.failure.status === status;
}

/** Runs a call of Google's library and turns whatever it throws into a {@link GoogleError}. */
export async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw new GoogleError(readFailure(error));
  }
}

// Errors of node:net, node:dns and node:tls that say no connection was ever made.
const neverConnected = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
]);
// A certificate that was not accepted ends the handshake. EPROTO and ERR_SSL_… do not belong here: a
// connection can also break with them after the request is through.
const notTrusted = /^(CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;

/**
 * Reads an error of gaxios, google-auth-library or the socket below.
 * Anything that cannot be shown never to have left counts as `lost`: for a send, its outcome is unknown.
 */
export function readFailure(error: unknown): GoogleFailure {
  const response = thrown.safeParse(error).data?.response;
  if (response) return { kind: 'answered', status: response.status, ...readBody(response.status, response.data) };
  const code = socketCode(error);
  if (neverConnected.has(code) || notTrusted.test(code)) {
    return { kind: 'not_sent', code, message: `Google could not be reached (${code}).` };
  }
  return { kind: 'lost', code, message: `The connection to Google was lost before it answered (${code}).` };
}

const thrown = z.object({ response: z.object({ status: z.number(), data: z.unknown() }) });

const apiBody = z.object({
  error: z.object({
    message: z.string().default(''),
    status: z.string().optional(),
    errors: z.array(z.object({ reason: z.string() })).optional(),
    details: z.array(z.object({ reason: z.string().optional() })).optional(),
  }),
});
const oauthBody = z.object({ error: z.string(), error_description: z.string().default('') });

/** Google's two error bodies: the API's (`errors[0].reason`, then `details[].reason`, then `status`) and OAuth's (RFC 6749, 5.2). */
function readBody(status: number, data: unknown): { reason: string; message: string } {
  const body = typeof data === 'string' ? parseJson(data) : data;
  const api = apiBody.safeParse(body).data?.error;
  if (api) {
    const detail = api.details?.find((each) => each.reason !== undefined)?.reason;
    return { reason: api.errors?.[0]?.reason ?? detail ?? api.status ?? `http_${status}`, message: api.message };
  }
  const oauth = oauthBody.safeParse(body).data;
  if (oauth) return { reason: oauth.error, message: oauth.error_description };
  return { reason: `http_${status}`, message: `Google answered ${status} without saying why.` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The socket's code, which libraries wrap up to three errors deep. */
function socketCode(error: unknown): string {
  let current: unknown = error;
  let name = 'UNKNOWN';
  for (let depth = 0; depth < 4 && current instanceof Error; depth += 1) {
    if ('code' in current && typeof current.code === 'string') return current.code;
    if (current.name === 'TimeoutError' || current.name === 'AbortError') name = 'TIMEOUT';
    current = current.cause;
  }
  return name;
}
