import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { checkUp } from '../deliveries/check-up.ts';
import { judgeTestEmail, lastTestEmail, sendTestEmail } from '../deliveries/check-up-email.ts';
import type { GoogleApp } from '../google/app.ts';
import { createAccessTokens } from '../mailboxes/access-token.ts';
import { tryWayBack } from '../mailboxes/check-up-questions.ts';
import { checkUpText, failed, type Step } from '../mailboxes/check-up-step.ts';
import { findMailbox } from '../mailboxes/mailboxes.ts';
import { systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { StartError } from '../platform/start-error.ts';
import { version } from '../platform/version.ts';
import { inTenant } from '../tenants/scope.ts';
import { listTenants } from '../tenants/system.ts';
import { callbackPaths } from '../web/google-flows.ts';
import { dataFolder } from './local-database.ts';
import { localClient, localSecrets } from './local-secrets.ts';
import { findGoogle } from './parts.ts';
import { tokenKeys } from './token-keys.ts';
import { type Databases, withDatabases } from './with-databases.ts';

/** How long a test email is waited for. */
const patienceMs = 120_000;
/** So many mailboxes of a company at a time. */
const pageSize = 100;

/**
 * `doctor [MAILBOX-EMAIL] [--tenant NAME]`: the check-up of a mailbox, or of all that are connected. Works beside a
 * running Letterhead, and without one. Exits with 1 when a step failed.
 *
 * @param args `--test-email` also sends one to each mailbox from itself, and needs a running worker
 */
export async function runDoctor(config: Config, args: string[]): Promise<void> {
  const { values, positionals } = readArguments(args);
  const keys = await tokenKeys(config);
  const google = await readGoogle(config);
  await withDatabases(config, async (databases) => {
    const tokens = createAccessTokens({ ...databases, keys, google, clock: systemClock });
    const ctx = { ...databases, google, tokens, clock: systemClock, pace: config.pace };
    const wayBack = tryWayBack(google, config.publicUrl, Object.values(callbackPaths), null);
    let checked = 0;
    for (const { id: tenantId, mailboxId } of await findMailboxes(databases, values.tenant, positionals[0])) {
      const result = await checkUp(ctx, tenantId, mailboxId, { wayBack, by: null, version, locale: 'en-GB' });
      if (!result) continue;
      const email = values['test-email'] ? await tryEmail(databases, tenantId, mailboxId) : null;
      console.log(`${checked === 0 ? '' : '\n'}${checkUpText(result, email)}`.trimEnd());
      checked += 1;
      if ([...result.steps, email].some((step) => step?.status === 'failed')) process.exitCode = 1;
    }
    if (checked === 0) throw new StartError(nothingFound(positionals[0], values.tenant));
  });
}

function readArguments(args: string[]) {
  try {
    const options = { tenant: { type: 'string' }, 'test-email': { type: 'boolean', default: false } } as const;
    const read = parseArgs({ args, allowPositionals: true, options });
    if (read.positionals.length > 1) throw new TypeError('One mailbox, or none for all of them');
    return read;
  } catch (cause) {
    throw new StartError(
      'That is no way to call it. One of these is:\n\n  doctor                                      all connected mailboxes\n  doctor office@example.com                   this one\n  doctor --tenant "Brightwater Joinery"       those of this company\n  doctor office@example.com --test-email      also sends it an email from itself',
      { cause },
    );
  }
}

/** The configured Google, or the Local Google that runs on this machine. */
async function readGoogle(config: Config): Promise<GoogleApp> {
  if (config.google) return findGoogle(config, config.google);
  const local = `http://127.0.0.1:${config.localGooglePort}`;
  const secrets = await localSecrets(dataFolder(config));
  try {
    return await findGoogle({ ...config, googleIssuer: local, gmailRoot: `${local}/` }, localClient(secrets));
  } catch (cause) {
    throw new StartError(
      `Local Google does not answer at ${local}. Start Letterhead with npm start first, and give this command the same PORT and LOCAL_GOOGLE_PORT.`,
      { cause },
    );
  }
}

/** What is to be checked, a company after the other. A mailbox that is named is checked whatever its state. */
async function findMailboxes({ db, system }: Databases, tenant: string | undefined, email: string | undefined) {
  const all = await listTenants(system);
  const tenants = all.filter(({ id, name }) => tenant === undefined || id === tenant || name === tenant);
  if (tenants.length === 0) throw new StartError(nothingFound(email, tenant));
  const found: { id: string; mailboxId: string }[] = [];
  for (const { id } of tenants) {
    const rows = await inTenant(db, id, (trx) =>
      trx
        .selectFrom('mailboxes')
        .select('id')
        .where('tenant_id', '=', id)
        .$if(email !== undefined, (query) => query.where('email', '=', (email ?? '').toLowerCase()))
        .$if(email === undefined, (query) => query.where('state', '<>', 'disconnected'))
        .orderBy('email')
        .limit(pageSize)
        .execute(),
    );
    found.push(...rows.map((row) => ({ id, mailboxId: row.id })));
  }
  return found;
}

function nothingFound(email: string | undefined, tenant: string | undefined): string {
  if (email) return `There is no mailbox ${email}${tenant ? ` in “${tenant}”` : ''}.`;
  return tenant ? `There is no company “${tenant}”, or it has no connected mailbox.` : 'No mailbox is connected.';
}

/** Sends a mailbox a test email in the name of somebody who may use it, and waits for what comes of it. */
async function tryEmail({ db }: Databases, tenantId: string, mailboxId: string): Promise<Step> {
  const title = 'A test email to itself';
  const begun = await inTenant(db, tenantId, async (trx) => {
    const members = await trx
      .selectFrom('members')
      .select('id')
      .where('tenant_id', '=', tenantId)
      .where('removed_at', 'is', null)
      .where('role', '<>', 'viewer')
      .orderBy('role')
      .limit(pageSize)
      .execute();
    for (const { id: memberId } of members) {
      const mailbox = await findMailbox(trx, tenantId, memberId, mailboxId);
      if (mailbox?.mayUse) return sendTestEmail(trx, systemClock, { tenantId, memberId }, mailbox);
    }
    return undefined;
  });
  if (!begun) return failed('test_email', title, 'Nobody may use this mailbox.', 'Choose who may, in its settings.');
  if (begun.kind === 'refused')
    return failed('test_email', title, `Not sent. ${begun.resolution.because}`, begun.resolution.fix);
  const giveUpAt = Date.now() + patienceMs;
  while (Date.now() < giveUpAt) {
    const email = await inTenant(db, tenantId, (trx) => lastTestEmail(trx, tenantId, mailboxId));
    const step = email && judgeTestEmail(email, systemClock());
    if (step) return step;
    await wait(500);
  }
  const hint = 'See that a worker runs (npm start, or node src/main.ts work), and try again.';
  return failed('test_email', title, `It has not left within ${patienceMs / 1_000} seconds.`, hint);
}
