/** Longer than any address of ours; what is kept for somebody who is not signed in is kept small. */
const longestPath = 500;

/** A path of our own, never another site: where to go after signing in. */
export function ownPath(value: unknown): string {
  if (typeof value !== 'string' || !value.startsWith('/') || value.length > longestPath) return '/';
  const base = 'http://letterhead.invalid';
  return URL.canParse(value, base) && new URL(value, base).origin === base ? value : '/';
}
