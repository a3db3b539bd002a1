import { z } from 'zod';

const limit = z.number().int().positive().nullable().default(null);

/** The quotas of one Local Google (docs/google.md, D); null: not limited, which is how each one begins. */
export const quotaSettings = z.object({
  /** Units a user may spend in a minute with one project. */
  userUnitsPerMinute: limit,
  /** Units a project may spend in a minute, for all its users. */
  projectUnitsPerMinute: limit,
  /** The operator's own cap: units a project may spend in 24 hours. */
  projectUnitsPerDay: limit,
  /** Requests of one user at the same time, over all projects. */
  concurrentPerUser: limit,
  /** Messages an account may send in rolling 24 hours, over all its programs. */
  messagesPerDay: limit,
  recipientsPerDay: limit,
  /** Recipients outside the account's own Workspace domain. */
  externalRecipientsPerDay: limit,
  /** Recipients of one message: 500 by one of Google's pages, 100 by another. */
  recipientsPerMessage: z.number().int().positive().default(500),
  /**
   * How a user over the units is told: 429 with the time, 429 or 403 without it, or 403 as newer backends word it,
   * with the reason in `details` alone.
   */
  userAnswer: z.enum(['retryAfter', '429', '403', 'details']).default('retryAfter'),
  projectAnswer: z.enum(['429', '403', 'details']).default('403'),
  /** Over the sending limit: refused with 429, or answered with 200 and bounced (docs/google.md, fact 3). */
  overSendingLimit: z.enum(['refuse', 'bounce']).default('refuse'),
  /** Whether refused calls count against the user's units too, so that retrying pushes the time out. */
  refusedCallsCount: z.boolean().default(false),
});

export type QuotaSettings = z.output<typeof quotaSettings>;

/** What Google gives: to projects by their age, and to accounts by their kind. */
export const GOOGLE_QUOTAS = {
  newProject: { userUnitsPerMinute: 6_000, projectUnitsPerMinute: 1_200_000 },
  oldProject: { userUnitsPerMinute: 15_000, projectUnitsPerMinute: 1_200_000 },
  workspace: { messagesPerDay: 2_000, recipientsPerDay: 10_000, externalRecipientsPerDay: 3_000 },
  trial: { messagesPerDay: 500, recipientsPerDay: 10_000, externalRecipientsPerDay: 3_000 },
  consumer: { messagesPerDay: 500 },
} as const satisfies Record<string, Partial<QuotaSettings>>;
