import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import type { GoogleApp } from '../google/app.ts';
import { GoogleError } from '../google/errors.ts';
import type { AccessToken } from '../google/gmail.ts';
import { refreshAccessToken } from '../google/oauth.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { KeyRing } from '../platform/key-ring.ts';
import { inTenant } from '../tenants/scope.ts';
import { renewAheadMs } from './fresh-token.ts';
import { keepRefreshed, type OpenGrant, openGrant } from './grant-vault.ts';
import { moveMailbox } from './mailboxes.ts';

/** Gives out access tokens that are good for at least a few minutes. */
export interface AccessTokens {
  /**
   * @throws {MailboxUnusableError} when the mailbox must be connected again
   * @throws {GoogleError} when Google could not be asked, or refuses our own registration
   */
  of(tenantId: string, mailboxId: string): Promise<AccessToken>;
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

/**
 * One refresh per grant for any number of callers: those in this process share one flight, and other
 * processes see the lease in the grant's row and wait for its result. No database connection is held
 * while Google answers.
 */
export function createAccessTokens(db: Database, keys: KeyRing, google: GoogleApp, clock: Clock): AccessTokens {
  const flights = new Map<string, Promise<AccessToken>>();

  return {
    of(tenantId, mailboxId) {
      // The tenant too: row security watches over what is read, not over what is in the air.
      const name = `${tenantId}/${mailboxId}`;
      const running = flights.get(name);
      if (running) return running;
      const flight = find(tenantId, mailboxId).finally(() => flights.delete(name));
      flights.set(name, flight);
      return flight;
    },
  };

  async function find(tenantId: string, mailboxId: string): Promise<AccessToken> {
    // A holder of the lease that died is waited for as long as its call could have taken.
    const giveUpAt = Date.now() + 2 * leaseMs();
    while (true) {
      const fresh = freshToken(await read(tenantId, mailboxId), clock());
      if (fresh) return fresh;
      if (await takeLease(tenantId, mailboxId)) {
        // Another process may have renewed it between our reading and our lease.
        const grant = await read(tenantId, mailboxId);
        const renewed = freshToken(grant, clock());
        if (!renewed) return refresh(tenantId, mailboxId, grant);
        await inTenant(db, tenantId, (trx) => releaseLease(trx, tenantId, mailboxId, grant));
        return renewed;
      }
      if (Date.now() > giveUpAt) {
        throw new GoogleError({
          kind: 'not_sent',
          code: 'REFRESH_BUSY',
          message: 'The access token could not be renewed in time.',
        });
      }
      await wait(100);
    }
  }

  async function refresh(tenantId: string, mailboxId: string, grant: OpenGrant): Promise<AccessToken> {
    try {
      const answer = await refreshAccessToken(google, grant.refreshToken);
      const expiresAt = new Date(clock().getTime() + answer.expiresInMs);
      await inTenant(db, tenantId, (trx) =>
        keepRefreshed(trx, keys, tenantId, mailboxId, grant, { ...answer, expiresAt }),
      );
      return { token: answer.accessToken, expiresAt };
    } catch (error) {
      const ended = error instanceof GoogleError && error.code === 'invalid_grant';
      const same = await inTenant(db, tenantId, async (trx) => {
        const same = await releaseLease(trx, tenantId, mailboxId, grant);
        if (ended && same) {
          await moveMailbox(trx, tenantId, mailboxId, {
            ...{ from: 'active', to: 'needs_reconnect', reason: 'revoked', at: clock() },
          });
        }
        return same;
      });
      if (!ended) throw error;
      // Somebody who reconnected meanwhile has another token there, and that one is fine.
      if (!same) return find(tenantId, mailboxId);
      throw new MailboxUnusableError('needs_reconnect');
    }
  }

  async function read(tenantId: string, mailboxId: string): Promise<OpenGrant> {
    const grant = await inTenant(db, tenantId, (trx) => openGrant(trx, keys, tenantId, mailboxId));
    if (!grant) throw new MailboxUnusableError('disconnected');
    return grant;
  }

  async function takeLease(tenantId: string, mailboxId: string): Promise<boolean> {
    const { numUpdatedRows } = await inTenant(db, tenantId, (trx) =>
      trx
        .updateTable('grants')
        .set({ refresh_lease_until: sql`now() + ${leaseMs() / 1000} * interval '1 second'` })
        .where('tenant_id', '=', tenantId)
        .where('mailbox_id', '=', mailboxId)
        .where((where) =>
          where.or([where('refresh_lease_until', 'is', null), where('refresh_lease_until', '<', sql<Date>`now()`)]),
        )
        .executeTakeFirst(),
    );
    return numUpdatedRows > 0n;
  }

  // The library tries a token call up to four times, each as long as the timeout.
  function leaseMs(): number {
    return 4 * google.timeoutMs + 5_000;
  }
}

function freshToken(grant: OpenGrant, now: Date): AccessToken | null {
  return grant.access && grant.access.expiresAt.getTime() > now.getTime() + renewAheadMs ? grant.access : null;
}

/** @returns whether the row still holds the grant that the lease was taken for */
async function releaseLease(trx: Database, tenantId: string, mailboxId: string, grant: OpenGrant): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('grants')
    .set({ refresh_lease_until: null })
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .where('refresh_token', '=', grant.sealedRefreshToken)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
