import { type RawBuilder, sql } from 'kysely';

/**
 * What tells one number from another, for every look-up by a number that somebody typed or a file names: case, kinds of dash, blank
 * and full-width sign, and what nobody can see make no difference; zeros do (`RE\u20117` is `re-7`, and not `RE-07`). One definition, in
 * the database, beside the unique index: `documents.number_key` is this of `documents.number`.
 */
export function numberKey(number: string): RawBuilder<string> {
  return sql<string>`number_key(${number})`;
}
