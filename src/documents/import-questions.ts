import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { isId } from './paging.ts';

/** How long a file waits for an answer. */
const hours = 24;
/** How many files of one company wait at most; the oldest give way. */
const most = 40;

/**
 * Keeps a file until somebody says that it is to be imported all the same, for a day.
 *
 * @param db a transaction inside the tenant
 * @returns the id to ask for it by
 */
export async function keepQuestion(
  db: Database,
  tenantId: string,
  memberId: string,
  file: { readonly bytes: Uint8Array; readonly name: string },
  at: Date,
): Promise<string> {
  const { id } = await db
    .insertInto('import_questions')
    .values({
      ...{ tenant_id: tenantId, member_id: memberId, file_name: file.name },
      ...{ bytes: Buffer.from(file.bytes), created_at: at },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await db
    .deleteFrom('import_questions')
    .where('tenant_id', '=', tenantId)
    .where((eb) =>
      eb.or([
        eb('created_at', '<', sql<Date>`${at}::timestamptz - make_interval(hours => ${hours})`),
        eb(
          'id',
          'in',
          eb
            .selectFrom('import_questions')
            .where('tenant_id', '=', tenantId)
            .orderBy('created_at', 'desc')
            .orderBy('id')
            .offset(most)
            .select('id'),
        ),
      ]),
    )
    .execute();
  return id;
}

/** Takes a file that waits; undefined where it waits no longer, or waits for another member. */
export async function takeQuestion(
  db: Database,
  tenantId: string,
  memberId: string,
  id: string,
): Promise<{ bytes: Uint8Array; name: string } | undefined> {
  if (!isId(id)) return undefined;
  return db
    .deleteFrom('import_questions')
    .where('tenant_id', '=', tenantId)
    .where('member_id', '=', memberId)
    .where('id', '=', id)
    .returning(['bytes', 'file_name as name'])
    .executeTakeFirst();
}
