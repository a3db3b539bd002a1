import type { Client } from './clients.ts';
import { findScope, parseScopes } from './scopes.ts';

/** A checked request to the authorization endpoint. */
export interface AuthorizeRequest {
  client: Client;
  redirectUri: string;
  scopes: readonly string[];
  state: string | null;
  nonce: string | null;
  offline: boolean;
  prompt: ReadonlySet<'none' | 'consent' | 'select_account'>;
  loginHint: string | null;
  includeGranted: boolean;
  challenge: { value: string; method: 'S256' | 'plain' } | null;
}

/** What Google tells on its own page, without a redirect: its code and what it means for the person and the developer. */
export interface AuthorizeProblem {
  code:
    | 'invalid_client'
    | 'deleted_client'
    | 'redirect_uri_mismatch'
    | 'invalid_request'
    | 'invalid_scope'
    | 'unsupported_response_type'
    | 'disallowed_useragent'
    | 'org_internal'
    | 'access_denied'
    | 'admin_policy_enforced'
    | 'user_cap_reached'
    | 'account_disabled';
  /** The number Google prints before the code; the page itself answers 400. */
  number: 400 | 401 | 403;
  detail: string;
}

/**
 * Reads the query of /o/oauth2/v2/auth in Google's order: client, redirect, then the rest. Nothing redirects to an
 * address that was not registered (docs/google.md, A: errors shown on Google's page).
 */
export function readAuthorizeRequest(
  query: URLSearchParams,
  clients: ReadonlyMap<string, Client>,
  isDeleted: (clientId: string) => boolean,
): AuthorizeRequest | AuthorizeProblem {
  const clientId = query.get('client_id');
  if (!clientId) return invalidRequest('Missing required parameter: client_id');
  const client = clients.get(clientId);
  if (!client) return { code: 'invalid_client', number: 401, detail: 'The OAuth client was not found.' };
  if (isDeleted(clientId)) return { code: 'deleted_client', number: 401, detail: 'The OAuth client was deleted.' };

  const redirectUri = query.get('redirect_uri');
  if (!redirectUri) return invalidRequest('Missing required parameter: redirect_uri');
  if (!client.redirectUris.includes(redirectUri)) {
    return {
      code: 'redirect_uri_mismatch',
      number: 400,
      detail: `The redirect URI in the request, ${redirectUri}, does not match the ones registered for this client.`,
    };
  }

  const responseType = query.get('response_type');
  if (!responseType) return invalidRequest('Missing required parameter: response_type');
  if (responseType !== 'code') {
    return { code: 'unsupported_response_type', number: 400, detail: `Invalid response_type: ${responseType}` };
  }

  const scopes = parseScopes(query.get('scope') ?? '');
  if (scopes.length === 0) return invalidRequest('Missing required parameter: scope');
  const unknown = scopes.filter((scope) => !findScope(scope));
  if (unknown.length > 0) {
    return { code: 'invalid_scope', number: 400, detail: `Some requested scopes were invalid: ${unknown.join(', ')}` };
  }

  const accessType = query.get('access_type') ?? 'online';
  if (accessType !== 'online' && accessType !== 'offline') return invalidRequest(`Invalid access_type: ${accessType}`);
  const prompt = readPrompt(query.get('prompt'));
  if (!prompt) return invalidRequest(`Invalid prompt: ${query.get('prompt')}`);
  const challenge = readChallenge(query);
  if (challenge === 'invalid') return invalidRequest('Invalid code_challenge or code_challenge_method');

  return {
    client,
    redirectUri,
    scopes,
    state: query.get('state'),
    nonce: query.get('nonce'),
    offline: accessType === 'offline',
    prompt,
    loginHint: query.get('login_hint'),
    includeGranted: query.get('include_granted_scopes') === 'true',
    challenge,
  };
}

/** The address that takes an answer back to the app. */
export function callbackUrl(request: AuthorizeRequest, parameters: Record<string, string>): string {
  const url = new URL(request.redirectUri);
  if (request.state !== null) url.searchParams.set('state', request.state);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

function invalidRequest(detail: string): AuthorizeProblem {
  return { code: 'invalid_request', number: 400, detail };
}

function readPrompt(value: string | null): AuthorizeRequest['prompt'] | null {
  const prompt = new Set<'none' | 'consent' | 'select_account'>();
  for (const word of (value ?? '').split(' ').filter((part) => part !== '')) {
    if (word !== 'none' && word !== 'consent' && word !== 'select_account') return null;
    prompt.add(word);
  }
  return prompt.has('none') && prompt.size > 1 ? null : prompt;
}

function readChallenge(query: URLSearchParams): AuthorizeRequest['challenge'] | 'invalid' {
  const value = query.get('code_challenge');
  const method = query.get('code_challenge_method') ?? 'plain';
  if (value === null) return query.has('code_challenge_method') ? 'invalid' : null;
  if (method !== 'S256' && method !== 'plain') return 'invalid';
  return /^[\w.~-]{43,128}$/.test(value) ? { value, method } : 'invalid';
}
