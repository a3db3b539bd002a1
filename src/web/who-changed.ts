import type { LastMove } from '../deliveries/last-move.ts';
import type { LastChange } from '../documents/last-change.ts';
import type { Viewer } from './viewer.ts';
import { when } from './words.ts';

/** Whose change met somebody's own, and when it was: a sentence. */
export function whoChangedIt(
  change: LastChange | LastMove | undefined,
  { memberId, tenant, locale }: Viewer,
  now: Date,
): string {
  if (!change) return 'It was changed meanwhile.';
  const at = when(change.at, tenant.timeZone, now, locale);
  if (change.by === null) return `It was changed last: ${at}.`;
  if (change.by.memberId === memberId) return `You changed it yourself, in another tab or browser: ${at}.`;
  return `${change.by.name} changed it: ${at}.`;
}
