import { sql } from 'kysely';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import { countGoogleTokens, someGrantOutlived } from '../tenants/system-grants.ts';
import type { OpenGrant } from './grant-vault.ts';
import type { GrantFacts } from './why-ended.ts';

/** Longer than a week, so that a clock that is off by minutes proves nothing. */
const overAWeekMs = 7.2 * 86_400_000;
const togetherMs = 6 * 3_600_000;
/** Consumer accounts have no administrator. */
const consumerDomains = ['gmail.com', 'googlemail.com'];

/** Looks up what {@link whyEnded} decides by. Nothing of another tenant comes back but counts. */
export async function gatherFacts(
  { db, system, clock }: { readonly db: Database; readonly system: Database; readonly clock: Clock },
  tenantId: string,
  mailboxId: string,
  grant: OpenGrant,
): Promise<GrantFacts> {
  const now = clock();
  const { sub, neighboursEnded } = await inTenant(db, tenantId, async (trx) => {
    const { google_sub, email } = await trx
      .selectFrom('mailboxes')
      .select(['google_sub', 'email'])
      .where('tenant_id', '=', tenantId)
      .where('id', '=', mailboxId)
      .executeTakeFirstOrThrow();
    return { sub: google_sub, neighboursEnded: await countEndedNeighbours(trx, tenantId, mailboxId, email, now) };
  });
  const { issuer, clientId } = grant;
  const made = await countGoogleTokens(system, { issuer, clientId, sub });
  return {
    now,
    grantedAt: grant.grantedAt,
    lastRefreshedAt: grant.lastRefreshedAt,
    endsAt: grant.endsAt,
    tokensSince: made - grant.number,
    appOutlivedAWeek: await someGrantOutlived(system, { issuer, clientId }, overAWeekMs),
    neighboursEnded,
  };
}

async function countEndedNeighbours(
  trx: Database,
  tenantId: string,
  mailboxId: string,
  email: string,
  now: Date,
): Promise<number> {
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase();
  if (consumerDomains.includes(domain)) return 0;
  const { count } = await trx
    .selectFrom('mailboxes')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('tenant_id', '=', tenantId)
    .where('id', '<>', mailboxId)
    .where(sql<string>`lower(split_part(email, '@', 2))`, '=', domain)
    .where('state', '=', 'needs_reconnect')
    .where('state_reason', 'in', ['revoked', 'admin_policy'])
    .where('state_at', '>', new Date(now.getTime() - togetherMs))
    .executeTakeFirstOrThrow();
  return Number(count);
}
