import { z } from 'zod';

/** Which page: `after` is the `next` of the page before; `limit` is at most 200. */
export interface PageRequest {
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

/** One page of a list; `next` is there when there is more. */
export interface Page<Row> {
  readonly rows: Row[];
  readonly next?: string;
}

type Cursor = readonly [key: string, id: string];

/** How many rows this page has. */
export function pageSize(request: PageRequest): number {
  return Math.min(Math.max(1, request.limit ?? 50), 200);
}

/** Cuts the one row too many that says there is a next page. */
export async function pageOf<Row>(
  rows: Row[],
  limit: number,
  cursorOf: (last: Row) => Promise<Cursor> | Cursor,
): Promise<Page<Row>> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  if (rows.length <= limit || last === undefined) return { rows: shown };
  return { rows: shown, next: Buffer.from(JSON.stringify(await cursorOf(last))).toString('base64url') };
}

const cursorSchema = z.tuple([z.string().refine((key) => !key.includes('\u0000')), z.uuid()]);

/** Reads a cursor from an address; a broken one starts at the beginning, as nothing was promised about it. */
export function readCursor(after: string | undefined): Cursor | undefined {
  if (!after) return undefined;
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(after, 'base64url').toString('utf8')));
  } catch {
    return undefined;
  }
}

/** Whether a text can be the id of a row; the database would fail on any other instead of finding nothing. */
export function isId(text: string): boolean {
  return z.guid().safeParse(text).success;
}

/** A LIKE pattern for "contains this text", with LIKE's own signs taken literally. */
export function containing(search: string): string {
  return `%${search.trim().replace(/[\\%_]/g, (sign) => `\\${sign}`)}%`;
}
