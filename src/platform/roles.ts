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
 * Creates the two login roles where they are missing and sets the passwords of their URLs.
 *
 * @throws {DatabaseRoleError} where a URL signs in as somebody else, or the owner may not create roles
 */
export async function ensureRoles(urls: DatabaseUrls): Promise<void> {
  const client = new pg.Client({ connectionString: urls.owner });
  await client.connect();
  try {
    for (const [role, href] of [
      [appRole, urls.app],
      [systemRole, urls.system],
    ] as const) {
      const url = new URL(href);
      if (decodeURIComponent(url.username) !== role) {
        throw new DatabaseRoleError(
          `The database URL for ${role} signs in as “${url.username}”. Its user must be ${role}.`,
        );
      }
      const password = client.escapeLiteral(decodeURIComponent(url.password));
      const exists = await client.query('select 1 from pg_roles where rolname = $1', [role]);
      const verb = exists.rowCount === 0 ? 'create' : 'alter';
      await client.query(
        `${verb} role ${role} login nosuperuser nobypassrls nocreatedb nocreaterole password ${password}`,
      );
    }
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

/**
 * Refuses to work with a role that row-level security does not bind: one misconfigured URL would
 * open every tenant to every other.
 *
 * @throws {DatabaseRoleError} when the pool's role is a superuser, bypasses RLS or owns tables
 */
export async function assertBoundByRowSecurity(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string; unbound: boolean }>(
    `select current_user as name, (rolsuper or rolbypassrls or exists (
       select 1 from pg_tables where schemaname = 'public' and tableowner = current_user)) as unbound
     from pg_roles where rolname = current_user`,
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
