import { z } from 'zod';

/** A label that the user made. */
export const userLabelShape = z.object({
  id: z.string(),
  name: z.string(),
  messageListVisibility: z.enum(['show', 'hide']),
  labelListVisibility: z.enum(['labelShow', 'labelShowIfUnread', 'labelHide']),
  color: z.object({ textColor: z.string(), backgroundColor: z.string() }).nullable(),
});

export type UserLabel = z.infer<typeof userLabelShape>;

/** The labels that every mailbox has. */
export const SYSTEM_LABELS = [
  'CHAT',
  'SENT',
  'INBOX',
  'IMPORTANT',
  'TRASH',
  'DRAFT',
  'SPAM',
  'CATEGORY_FORUMS',
  'CATEGORY_UPDATES',
  'CATEGORY_PERSONAL',
  'CATEGORY_PROMOTIONS',
  'CATEGORY_SOCIAL',
  'STARRED',
  'UNREAD',
] as const;

/** System labels that only Gmail itself puts on a message or takes off. */
const FIXED: readonly string[] = ['SENT', 'DRAFT', 'CHAT'];

/** Whether a user may put this label on messages and take it off. */
export function isMovable(id: string, userLabels: ReadonlyMap<string, UserLabel>): boolean {
  return userLabels.has(id) || (SYSTEM_LABELS.some((label) => label === id) && !FIXED.includes(id));
}

/** Labels after a change, each once, in the order in which they came; the same array when nothing changes. */
export function changeLabels(labels: string[], add: readonly string[], remove: readonly string[]): string[] {
  const kept = labels.filter((label) => !remove.includes(label));
  const added = add.filter((label) => !kept.includes(label) && !remove.includes(label));
  return kept.length === labels.length && added.length === 0 ? labels : [...kept, ...new Set(added)];
}
