/**
 * Tells the time. Everything the product waits for (retries, holds, deadlines, the age of tokens and lists) asks the
 * clock it was given and never `Date` itself, so that a test moves it on together with Local Google's. What a row
 * merely records (`created_at`) is written by PostgreSQL.
 */
export type Clock = () => Date;

/** The time of this machine. */
export const systemClock: Clock = () => new Date();
