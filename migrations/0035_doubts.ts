import { type Kysely, sql } from 'kysely';

/**
 * An attempt whose outcome nobody knows is in doubt until it is settled: by a look into Gmail, or by a person. While one
 * is, its delivery cannot have another: PostgreSQL itself refuses it. And a delivery that is held after a restore keeps
 * what it waited for before.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(schema).execute(db);
  await sql.raw(settleOld).execute(db);
  await sql.raw(index).execute(db);
}

const schema = `
alter table attempts
  add column settled_at timestamptz,
  add column settled_by text check (settled_by in ('look', 'person')),
  -- The database was restored since: what we ourselves wrote of it may be older than what happened.
  add column restored_at timestamptz,
  add constraint attempts_settled_whole check ((settled_at is null) = (settled_by is null));

alter table deliveries
  -- What a restore interrupted: the reason it was held for (null: it was queued), until when, and since when.
  add column interrupted_reason text,
  add column interrupted_until timestamptz,
  add column interrupted_since timestamptz;

-- When the last restore was noticed: what is held since an earlier one is not let go with it.
alter table database_identity add column restored_at timestamptz;
`;

// Until now the state of the delivery alone said whether its last attempt was in doubt; a restore put it on hold.
const settleOld = `
with doubted as (
  update deliveries set state = 'unconfirmed', held_reason = null, not_before = now()
  where state = 'held' and held_reason = 'restored' and exists (select from attempts
    where attempts.delivery_id = deliveries.id and attempts.reason = 'RESTORED'
      and number = (select max(number) from attempts latest where latest.delivery_id = deliveries.id))
  returning id
)
update attempts set restored_at = now() from doubted where delivery_id = doubted.id and outcome = 'unknown';

update attempts set settled_at = coalesce(finished_at, now()), settled_by = 'look'
from deliveries where deliveries.id = attempts.delivery_id and outcome = 'unknown'
  and (deliveries.state not in ('sending', 'unconfirmed')
    or number < (select max(number) from attempts latest where latest.delivery_id = deliveries.id));
`;

const index = `
create unique index attempts_in_doubt on attempts (delivery_id)
  where settled_at is null and (outcome is null or outcome = 'unknown');
`;
