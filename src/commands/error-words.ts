/** Errors whose message says what to do; the stack of any other is what helps. */
const spokenErrors = new Set([
  'ConfigError',
  'StartError',
  'DatabaseRoleError',
  'DiscoveryError',
  'EmbeddedPostgresError',
  'KeyRingError',
]);

/** What a command says of the error that ended it: words where a person can mend it; the stack where it is a fault of ours. */
export function errorWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return spokenErrors.has(error.name) ? error.message : (error.stack ?? error.message);
}
