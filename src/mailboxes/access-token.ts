import { setTimeout as wait } from 'node:timers/promises';
import type { GoogleApp } from '../google/app.ts';
import { GoogleError } from '../google/errors.ts';
import type { AccessToken } from '../google/gmail.ts';
import { refreshAccessToken } from '../google/oauth.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { KeyRing } from '../platform/key-ring.ts';
import { inTenant } from '../tenants/scope.ts';
import { fetchDelegated } from './delegated-token.ts';
import { renewAheadMs } from './fresh-token.ts';
import { gatherFacts } from './grant-facts.ts';
import { isStanding, keepRefreshed, type OpenGrant, openGrant } from './grant-vault.ts';
import { endMailbox, recoverMailbox } from './health.ts';
import { freeLease, leaseMs, type RefreshLease, takeLease } from './refresh-lease.ts';
import { type Ended, endsPermission, whyEnded } from './why-ended.ts';

/** Gives out access tokens that are good for at least a few minutes. */
export interface AccessTokens {
  /**
   * @throws {MailboxUnusableError} when the mailbox must be connected again
   * @throws {GoogleError} when Google could not be asked, or refuses our own registration
   */
  of(tenantId: string, mailboxId: string): Promise<AccessToken>;
  /**
   * The same, but never one that was there before: Google is asked now, as for any refresh, whether the permission still
   * stands. The kept token stays good for everybody else meanwhile.
   */
  renewed(tenantId: string, mailboxId: string): Promise<AccessToken>;
}

/** Nothing can be sent through this mailbox until somebody connects it again. */
export class MailboxUnusableError extends Error {
  override readonly name = 'MailboxUnusableError';
  readonly code: 'needs_reconnect' | 'disconnected';

  constructor(code: 'needs_reconnect' | 'disconnected') {
    super(code === 'disconnected' ? 'The mailbox is disconnected.' : 'The mailbox must be reconnected.');
    this.code = code;
  }
}

/** What renewing tokens needs: the app's pool, the cross-tenant one for what is known of a Google account or app. */
export interface TokenContext {
  readonly db: Database;
  readonly system: Database;
  readonly keys: KeyRing;
  readonly google: GoogleApp;
  readonly clock: Clock;
}

/**
 * One refresh per grant for any number of callers: those in this process share one flight, and other
 * processes see the lease in the grant's row and wait for its result. No database connection is held
 * while Google answers.
 *
 * What Google says of the permission is kept where all see it: one that ended marks its mailbox, with the reason; one
 * that works clears a mark that was wrong.
 */
export function createAccessTokens(context: TokenContext): AccessTokens {
  const { db, keys, google, clock } = context;
  const startedAt = clock();
  const flights = new Map<string, Promise<AccessToken>>();

  return {
    // The tenant too: row security watches over what is read, not over what is in the air.
    of: (tenantId, mailboxId) => share(`${tenantId}/${mailboxId}`, () => find(tenantId, mailboxId, longAgo)),
    renewed: (tenantId, mailboxId) =>
      share(`${tenantId}/${mailboxId}/renewed`, () => find(tenantId, mailboxId, clock())),
  };

  function share(name: string, fly: () => Promise<AccessToken>): Promise<AccessToken> {
    const running = flights.get(name);
    if (running) return running;
    const flight = fly().finally(() => flights.delete(name));
    flights.set(name, flight);
    return flight;
  }

  /** @param since what Google gave before this moment does not count */
  async function find(tenantId: string, mailboxId: string, since: Date): Promise<AccessToken> {
    // The library tries a token call up to four times, each as long as the timeout; whoever does renews the lease.
    const giveUpAt = Date.now() + 4 * google.timeoutMs + 2 * leaseMs;
    while (true) {
      const grant = await read(tenantId, mailboxId);
      const fresh = freshToken(grant, clock(), since);
      if (fresh) return fresh;
      if (isOfAnotherApp(grant, google)) throw await endOfAnotherApp(tenantId, mailboxId, grant);
      const lease = await takeLease(db, tenantId, mailboxId);
      if (lease) return renew(tenantId, mailboxId, lease, since);
      if (Date.now() > giveUpAt) {
        throw notNow('REFRESH_BUSY', 'The access token could not be renewed in time.');
      }
      await wait(100);
    }
  }

  async function renew(tenantId: string, mailboxId: string, lease: RefreshLease, since: Date): Promise<AccessToken> {
    try {
      // Another process may have renewed it between our reading and our lease.
      const grant = await read(tenantId, mailboxId);
      const renewed = freshToken(grant, clock(), since);
      if (!renewed) return await refresh(tenantId, mailboxId, grant, lease, since);
      await free(tenantId, mailboxId, lease);
      return renewed;
    } catch (error) {
      // Without the database it runs out by itself; what went wrong first is what matters.
      await free(tenantId, mailboxId, lease).catch(() => {});
      throw error;
    } finally {
      lease.letGo();
    }
  }

  function free(tenantId: string, mailboxId: string, lease: RefreshLease): Promise<void> {
    lease.letGo();
    return inTenant(db, tenantId, (trx) => freeLease(trx, tenantId, mailboxId, lease.id));
  }

  async function refresh(
    tenantId: string,
    mailboxId: string,
    grant: OpenGrant,
    lease: RefreshLease,
    since: Date,
  ): Promise<AccessToken> {
    try {
      const fetched =
        grant.refreshToken === null
          ? await fetchDelegated(context, tenantId, mailboxId)
          : await refreshAccessToken(google, grant.refreshToken);
      if (!fetched) throw new MailboxUnusableError('needs_reconnect');
      const { expiresInMs, endsInMs, ...answer } = fetched;
      const now = clock();
      const expiresAt = new Date(now.getTime() + expiresInMs);
      const endsAt = endsInMs === undefined ? undefined : new Date(now.getTime() + endsInMs);
      await inTenant(db, tenantId, async (trx) => {
        const refreshed = { ...answer, expiresAt, refreshedAt: now, ...(endsAt && { endsAt }) };
        const kept = await keepRefreshed(trx, keys, tenantId, mailboxId, grant, refreshed);
        if (kept) await recoverMailbox(trx, tenantId, mailboxId, now, 'token');
      });
      const foreign = grant.refreshToken === null && { foreign: true as const };
      return { token: answer.accessToken, expiresAt, ...foreign };
    } catch (error) {
      if (!(error instanceof GoogleError) || !endsPermission(error.failure)) throw error;
      const facts = await gatherFacts(context, tenantId, mailboxId, grant);
      if (await end(tenantId, mailboxId, grant, whyEnded(error.failure, facts)))
        throw new MailboxUnusableError('needs_reconnect');
      // Somebody who reconnected meanwhile has another token there, and that one is fine.
      await free(tenantId, mailboxId, lease);
      return find(tenantId, mailboxId, since);
    }
  }

  /** @returns false where the row holds another grant by now, and nothing was marked */
  function end(tenantId: string, mailboxId: string, grant: OpenGrant, ended: Ended): Promise<boolean> {
    return inTenant(db, tenantId, async (trx) => {
      if (!(await isStanding(trx, keys, tenantId, mailboxId, grant))) return false;
      await endMailbox(trx, tenantId, mailboxId, { ...ended, from: 'connection', at: clock() });
      return true;
    });
  }

  /** Google would answer `unauthorized_client`, and it is nobody's fault at the tenant. */
  async function endOfAnotherApp(tenantId: string, mailboxId: string, grant: OpenGrant): Promise<Error> {
    // Made after this process started, it belongs to a newer configuration, which others run with already.
    if (grant.grantedAt > startedAt) return notNow('OTHER_APP', 'The grant belongs to a newer Google app.');
    await end(tenantId, mailboxId, grant, { reason: 'app_changed', sure: true });
    return new MailboxUnusableError('needs_reconnect');
  }

  async function read(tenantId: string, mailboxId: string): Promise<OpenGrant> {
    const grant = await inTenant(db, tenantId, (trx) => openGrant(trx, keys, tenantId, mailboxId));
    if (!grant) throw new MailboxUnusableError('disconnected');
    return grant;
  }
}

/** Whether a grant was given to another OAuth client than this process runs with. */
function isOfAnotherApp(grant: OpenGrant, google: GoogleApp): boolean {
  // A delegated one is given to a service account, whichever client signs people in.
  if (grant.refreshToken === null) return false;
  return grant.clientId !== google.clientId || grant.issuer !== google.endpoints.issuer;
}

function notNow(code: string, message: string): GoogleError {
  return new GoogleError({ kind: 'not_sent', code, message });
}

const longAgo = new Date(0);

function freshToken(grant: OpenGrant, now: Date, since: Date): AccessToken | null {
  if (grant.lastRefreshedAt < since) return null;
  return grant.access && grant.access.expiresAt.getTime() > now.getTime() + renewAheadMs ? grant.access : null;
}
