import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

/** The three ways into the database: its owner (migrations only), the app inside one tenant, and the few cross-tenant queries. */
export interface DatabaseUrls {
  readonly owner: string;
  readonly app: string;
  readonly system: string;
}

/** Migrations grant to these names, so the two URLs must sign in as them. */
export const appRole = 'letterhead_app';
/** See {@link appRole}; reads across tenants, by policies that name it. */
export const systemRole = 'letterhead_system';

const powerless = 'nosuperuser nobypassrls nocreatedb nocreaterole';

/** An advisory lock of ours, let go of with the connection. Any number that nobody else in this database uses. */
const rolesLock = 5_317_080_214;

/** The URLs of the two roles on the owner's server, with the given passwords. */
export function deriveUrls(owner: string, passwords: { app: string; system: string }): DatabaseUrls {
  const as = (role: string, password: string) => {
    const url = new URL(owner);
    url.username = role;
    url.password = password;
    return url.href;
  };
  return { owner, app: as(appRole, passwords.app), system: as(systemRole, passwords.system) };
}

/**
 * Creates the two login roles where they are missing, takes from them what they must not have, and sets
 * the passwords of their URLs. One process at a time: PostgreSQL fails what changes a role at the same instant.
 *
 * @throws {DatabaseRoleError} where a URL signs in as somebody else, or the owner may not create roles
 */
export async function ensureRoles(urls: DatabaseUrls): Promise<void> {
  const client = new pg.Client({ connectionString: urls.owner });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [rolesLock]);
    await ensureRole(client, appRole, urls.app);
    await ensureRole(client, systemRole, urls.system);
  } catch (cause) {
    if (cause instanceof DatabaseRoleError) throw cause;
    throw new DatabaseRoleError(
      `The roles ${appRole} and ${systemRole} could not be created. Let DATABASE_OWNER_URL sign in as a role with CREATEROLE, or create both by hand as docs/operating.md says.`,
      { cause },
    );
  } finally {
    await client.end();
  }
}

async function ensureRole(client: pg.Client, role: string, href: string): Promise<void> {
  const url = new URL(href);
  if (decodeURIComponent(url.username) !== role) {
    throw new DatabaseRoleError(
      `The database URL for ${role} signs in as “${url.username}”. Its user must be ${role}.`,
    );
  }
  const password = client.escapeLiteral(decodeURIComponent(url.password));
  for (let tries = 1; ; tries += 1) {
    try {
      return await writeRole(client, role, password);
    } catch (error) {
      if (tries === 20 || !(error instanceof pg.DatabaseError) || !raced.has(error.code ?? '')) throw error;
      await wait(25 * tries);
    }
  }
}

// Roles belong to the whole server, while our lock holds in one database of it: another Letterhead beside this one may
// write the same role at the same instant. “tuple concurrently updated”, the role exists by now, its row exists by now.
const raced = new Set(['XX000', '42710', '23505']);

async function writeRole(client: pg.Client, role: string, password: string): Promise<void> {
  const { rows } = await client.query<{ powerful: boolean }>(
    'select rolsuper or rolbypassrls or rolcreatedb or rolcreaterole as powerful from pg_roles where rolname = $1',
    [role],
  );
  const [found] = rows;
  if (!found) await client.query(`create role ${role} login password ${password} ${powerless}`);
  else await client.query(`alter role ${role} login password ${password}`);
  // Only a superuser may even say this of a role that exists, so a managed database's owner is spared it.
  if (found?.powerful) await client.query(`alter role ${role} ${powerless}`);
}

/**
 * Refuses to work with a role that row-level security does not bind: one misconfigured URL would
 * open every tenant to every other.
 *
 * @throws {DatabaseRoleError} when the pool's role is a superuser, bypasses RLS, owns tables, or is a member of a role that does
 */
export async function assertBoundByRowSecurity(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string; unbound: boolean }>(
    // A policy holds for every member of the role it names, so membership is as good as being that role.
    `select current_user as name, (rolsuper or rolbypassrls or exists (
       select 1 from pg_tables where schemaname = 'public' and pg_has_role(current_user, tableowner, 'member')) or exists (
       select 1 from pg_roles other where other.rolname = $1 and pg_has_role(current_user, other.oid, 'member'))) as unbound
     from pg_roles where rolname = current_user`,
    [systemRole],
  );
  const role = rows[0];
  if (role === undefined || role.unbound) {
    throw new DatabaseRoleError(
      `The database role “${role?.name ?? 'unknown'}” is not bound by row-level security. DATABASE_URL must sign in as ${appRole}, which “node src/main.ts migrate” creates.`,
    );
  }
}

/** A database role is missing, misnamed or too powerful. The message says what to change. */
export class DatabaseRoleError extends Error {
  override readonly name = 'DatabaseRoleError';
  readonly code = 'database_role';
}
