import { createRemoteJWKSet } from 'jose';
import type { GoogleApp } from './app.ts';

// Google's keys change every few weeks: fetched when one is unknown, kept as long as the app.
const keySets = new WeakMap<GoogleApp, ReturnType<typeof createRemoteJWKSet>>();

/** The public keys with which Google signs ID tokens and security events. */
export function keysOf(app: GoogleApp): ReturnType<typeof createRemoteJWKSet> {
  const kept = keySets.get(app);
  if (kept) return kept;
  const keys = createRemoteJWKSet(new URL(app.endpoints.certs), { timeoutDuration: app.timeoutMs });
  keySets.set(app, keys);
  return keys;
}
