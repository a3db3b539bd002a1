import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { inject } from 'vitest';
import type { DatabasePool } from '../../src/platform/database.ts';
import { endKept, keptName, openKept } from './kept-pools.ts';

/** More rows than this in one database, and a new one is made sooner than these are taken out. */
const manyRows = 5_000;

/** A database as the migrations left it: the rows of the tables that are not empty, and where sequences stand. */
interface Beginning {
  readonly rows: ReadonlyMap<string, string>;
  readonly sequences: readonly { readonly name: string; readonly last: string | null }[];
  readonly shape: string;
}

/** Databases of this worker process that nobody uses, as the migrations left them. */
const spare: string[] = [];
let beginning: Beginning | undefined;

/**
 * Takes a database: one that an earlier file gave back, or a new clone of the migrated template. To clone one and drop it
 * again costs PostgreSQL forty times what emptying it does.
 *
 * @returns its owner's URL
 */
export async function takeDatabase(): Promise<string> {
  const name = spare.pop() ?? (await clone());
  const url = urlOf(name);
  beginning ??= await asOwner(url, readBeginning);
  return url;
}

/** So many connections of the owner to one database are enough: what waits for time asks all the while. */
const owners = 3;

/** The owner's connections to a database, which are left open. */
const ownerOf = (url: string): DatabasePool => openKept(url, owners, () => {});

/** Gives one back: emptied for the next file; dropped where that takes longer, or its tables are others now. */
export async function giveBack(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const first = beginning;
  if (first && (await asOwner(url, (client) => restore(client, first)))) {
    spare.push(name);
    return;
  }
  await endKept(name);
  await asOwner(urlOf('postgres'), (client) => client.query(`drop database ${name} with (force)`));
}

async function clone(): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template = new URL(inject('templateUrl')).pathname.slice(1);
  // Its files are copied as they are, at a fifth of what it costs to write each page of them into the log of changes, too.
  const made = `create database ${name} template ${template} strategy file_copy`;
  await asOwner(urlOf('postgres'), (client) => client.query(made));
  return name;
}

function urlOf(database: string): string {
  const url = new URL(inject('templateUrl'));
  url.pathname = `/${database}`;
  return url.href;
}

async function asOwner<T>(url: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const { pool, close } = ownerOf(url);
  const client = await pool.connect();
  try {
    return await work(client);
  } finally {
    client.release();
    await close();
  }
}

async function readBeginning(client: pg.PoolClient): Promise<Beginning> {
  const rows = new Map<string, string>();
  for (const table of await tablesOf(client)) {
    const { rows: found } = await client.query(`select coalesce(json_agg(t), '[]')::text as rows from ${table} t`);
    rows.set(table, found[0]?.rows ?? '[]');
  }
  return { rows, sequences: await sequencesOf(client), shape: await shapeOf(client) };
}

/** Puts everything back to its beginning. False where that is not worth it or not possible; it is then left as it is. */
async function restore(client: pg.PoolClient, { rows, sequences, shape }: Beginning): Promise<boolean> {
  await client.query(
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and application_name <> $1`,
    [keptName],
  );
  if ((await shapeOf(client)) !== shape) return false;
  // Foreign keys and triggers have nothing to say when all goes.
  await client.query('begin; set local session_replication_role = replica');
  let gone = 0;
  const given = [...rows].flatMap(([table, first]) => (first === '[]' ? [] : [table]));
  for (const table of new Set([...given, ...(await filledOf(client, [...rows.keys()]))])) {
    gone += (await client.query(`delete from ${table}`)).rowCount ?? 0;
    const first = rows.get(table);
    if (first !== '[]')
      await client.query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1)`, [first]);
  }
  const moved = new Map((await sequencesOf(client)).map(({ name, last }) => [name, last]));
  for (const { name, last } of sequences)
    if (moved.get(name) !== last)
      await client.query(`select setval($1::regclass, coalesce($2::bigint, 1), $2 is not null)`, [name, last]);
  await client.query('commit');
  return gone <= manyRows;
}

/** Those of these tables that have rows. */
async function filledOf(client: pg.PoolClient, tables: readonly string[]): Promise<string[]> {
  const asked = tables.map((table, index) => `select ${index} as at where exists (select from ${table})`);
  const { rows } = await client.query<{ at: number }>(asked.join(' union all '));
  return rows.map(({ at }) => tables[at] ?? '');
}

async function sequencesOf(client: pg.PoolClient): Promise<Beginning['sequences']> {
  const { rows } = await client.query(
    `select format('%I.%I', schemaname, sequencename) as name, last_value::text as last from pg_sequences`,
  );
  return rows;
}

async function tablesOf(client: pg.PoolClient): Promise<string[]> {
  const { rows } = await client.query(
    `select format('%I.%I', nspname, relname) as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where relkind = 'r' and nspname not in ('pg_catalog', 'information_schema') and nspname not like 'pg_t%' order by 1`,
  );
  return rows.map(({ name }) => name);
}

/** Changes with every change of a table, a policy, a function or a right: of each catalog, how many rows, and the last. */
async function shapeOf(client: pg.PoolClient): Promise<string> {
  const catalogs = [
    'class',
    'attribute',
    'policy',
    'proc',
    'constraint',
    'trigger',
    'namespace',
    'index',
    'default_acl',
  ];
  const { rows } = await client.query(
    catalogs.map((name) => `select count(*), max(xmin::text::bigint) from pg_${name}`).join(' union all '),
  );
  return JSON.stringify(rows);
}
