import { inTenant } from '../../src/tenants/scope.ts';
import type { TestLetterhead } from './letterhead.ts';

/** The link in the last email that invited an address: its path and query. */
export async function invitationLink(
  { database, url }: Pick<TestLetterhead, 'database' | 'url'>,
  tenantId: string,
  email: string,
): Promise<string> {
  const { message } = await inTenant(database.db, tenantId, (trx) =>
    trx
      .selectFrom('deliveries')
      .select('message')
      .where('purpose', '=', 'invitation')
      .where('recipients', '@>', JSON.stringify({ to: [{ email }] }))
      .orderBy('created_at', 'desc')
      .executeTakeFirstOrThrow(),
  );
  const [link] = new RegExp(`${url}/invitation\\?token=[\\w-]+`).exec(message) ?? [];
  if (!link) throw new Error(`There is no link in ${message}`);
  return link.replace(url, '');
}
