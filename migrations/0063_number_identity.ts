import { type Kysely, sql } from 'kysely';

/**
 * Which numbers are one, whoever typed or exported them: upper and lower case, every kind of dash, blank and full-width sign, and
 * what nobody can see make no difference; zeros do. `number_key` says it, for every look-up and for the unique index; the number
 * itself stays as it was written. Of records that turn out to have one number the one written here keeps it for itself, else
 * the first; the others are marked, as if somebody had said that it repeats.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(schema).execute(db);
}

// As regular expressions of PostgreSQL: control characters and Default_Ignorable_Code_Point of Unicode; dashes; blanks.
const unseen = String.raw`[\u0001-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]`;
const dashes = String.raw`[\u2010-\u2015\u2043\u2212]`;
const blanks = String.raw`[\u0009-\u000d\u0020\u0085\u1680\u2028\u2029]+`;

const schema = `
create function number_key(number text) returns text language sql immutable strict parallel safe as $$
  select normalize(lower(upper(trim(regexp_replace(regexp_replace(regexp_replace(
    normalize(number, NFKC), '${unseen}', '', 'g'), '${dashes}', '-', 'g'), '${blanks}', ' ', 'g'))
    collate "und-x-icu")), NFKC)
$$;
comment on function number_key(text) is 'Two numbers with the same key are one number.';

alter table documents add column number_key text generated always as (number_key(number)) stored;

update documents set number_repeats = true from (
  select id, row_number() over (
    partition by tenant_id, kind, number_key order by (source is null) desc, created_at, id
  ) as place from documents where number is not null and not number_repeats
) as placed where placed.id = documents.id and placed.place > 1;
drop index documents_number;
create unique index documents_number on documents (tenant_id, kind, number_key) where not number_repeats;

-- Tax numbers and electronic addresses in full-width signs are found under what they are in usual ones.
update parties set identity_keys = (
  select array_agg(case when key ~ '^(tax|endpoint):' then normalize(key, NFKC) else key end order by place)
  from unnest(identity_keys) with ordinality as keys (key, place)
) where exists (
  select from unnest(identity_keys) as key where key ~ '^(tax|endpoint):' and key is not nfkc normalized
);
`;
