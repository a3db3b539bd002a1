import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Foretelling, prospectOf } from '../deliveries/prospect.ts';
import { holdMailbox, releaseMailbox } from '../deliveries/release.ts';
import type { GoogleApp } from '../google/app.ts';
import { findEndpoints } from '../google/endpoints.ts';
import { GoogleError } from '../google/errors.ts';
import {
  addDelegation,
  checkDelegation,
  type DelegateContext,
  type DelegationCheck,
  findVoucher,
  removeDelegation,
  scopesToAuthorise,
  type Voucher,
} from '../mailboxes/delegate.ts';
import { listDelegations } from '../mailboxes/delegations.ts';
import { KeyFileError, readKeyFile } from '../mailboxes/key-file.ts';
import { systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import type { Database } from '../platform/database.ts';
import { StartError } from '../platform/start-error.ts';
import { inTenant } from '../tenants/scope.ts';
import { listTenants } from '../tenants/system.ts';
import { getTenant } from '../tenants/tenants.ts';
import { releasedWords } from '../web/released-words.ts';
import { emailCount } from '../web/run-words.ts';
import { readTrouble, stateWords, troubleWords } from '../web/workspace-words.ts';
import { chooseCompany } from './choose-company.ts';
import { tokenKeys } from './token-keys.ts';
import { withDatabases } from './with-databases.ts';

const usage = `Sending as everybody in a Google Workspace, by a service account (domain-wide delegation):

  node src/main.ts delegation list                     what is stored, and whether it works
  node src/main.ts delegation add FILE --as ADDRESS    stores a service account's key file for the domain of ADDRESS,
                                                       an owner or admin of the company, and tries it as them
  node src/main.ts delegation check --as ADDRESS       tries it again, after the Admin console was changed
  node src/main.ts delegation remove DOMAIN            deletes the key, and holds what is queued through it

Where there are several companies: --company NAME, or its id.`;

/** `delegation list | add | check | remove`: works beside a running Letterhead. Exits with 1 where Google refuses. */
export async function runDelegation(config: Config, args: string[]): Promise<void> {
  const { values, positionals } = readArguments(args);
  const [action, subject, ...others] = positionals;
  if (action === undefined) return console.log(usage);
  const as = values.as?.trim().toLowerCase();
  const fits =
    others.length === 0 &&
    ((action === 'list' && subject === undefined) ||
      (action === 'add' && subject !== undefined && as !== undefined) ||
      (action === 'check' && subject === undefined && as !== undefined) ||
      (action === 'remove' && subject !== undefined));
  if (!fits) throw new StartError(`That is no way to call it.\n\n${usage}`);

  const keys = await tokenKeys(config);
  await withDatabases(config, async ({ db, system }) => {
    const { id: tenantId } = chooseCompany(await listTenants(system), values.company);
    if (action === 'list') return list({ db }, tenantId);
    const clock = systemClock;
    if (action === 'remove') return remove({ db, clock }, tenantId, (subject ?? '').toLowerCase());
    const ctx = { db, keys, clock, google: await googleOf(config) };
    const voucher = await voucherOf(ctx, tenantId, as ?? '');
    const file = action === 'add' ? await readFileOf(subject ?? '') : null;
    const check = await (file
      ? addDelegation(ctx, tenantId, voucher, file, config.offered, true)
      : checkDelegation(ctx, tenantId, voucher, config.offered, true)
    ).catch((error: unknown) => {
      if (!(error instanceof GoogleError)) throw error;
      throw new StartError(
        `Google could not be asked: ${error.message} What was stored stays as it is; try “check” later.`,
      );
    });
    if (!check) throw new StartError(`Nothing is stored for the domain of ${voucher.email}. Add a key file first.`);
    await tell({ ...ctx, pace: config.pace }, tenantId, config, voucher, check);
  });
}

function readArguments(args: string[]) {
  const options = { as: { type: 'string' }, company: { type: 'string' } } as const;
  try {
    return parseArgs({ args, allowPositionals: true, options });
  } catch (cause) {
    throw new StartError(`That is no way to call it.\n\n${usage}`, { cause });
  }
}

/** Without a Google client of one's own it is Local Google, which has to run: `npm start` in another terminal. */
async function googleOf({
  google,
  googleIssuer,
  gmailRoot,
  localGooglePort,
  googleTimeoutMs,
}: Config): Promise<GoogleApp> {
  const local = `http://127.0.0.1:${localGooglePort}`;
  const endpoints = google
    ? await findEndpoints(googleIssuer, gmailRoot, googleTimeoutMs)
    : await findEndpoints(local, `${local}/`, googleTimeoutMs);
  // Service accounts need no OAuth client.
  return { ...(google ?? { clientId: '', clientSecret: '' }), endpoints, timeoutMs: googleTimeoutMs };
}

async function voucherOf({ db }: DelegateContext, tenantId: string, email: string): Promise<Voucher> {
  const voucher = await inTenant(db, tenantId, (trx) => findVoucher(trx, tenantId, { email }));
  if (voucher) return voucher;
  throw new StartError(
    `${email} cannot vouch for a domain. It must be an owner or admin of the company who has signed in with a Google account that a Workspace manages.`,
  );
}

async function readFileOf(file: string) {
  try {
    return await readKeyFile(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof KeyFileError) throw new StartError(`${file}: ${error.message}`);
    // Node's own errors name the file and the reason, and hold nothing of what is in it.
    if (error instanceof Error && 'code' in error) throw new StartError(`The file cannot be read: ${error.message}`);
    throw error;
  }
}

async function list({ db }: Pick<DelegateContext, 'db'>, tenantId: string): Promise<void> {
  const all = await inTenant(db, tenantId, (trx) => listDelegations(trx, tenantId));
  if (all.length === 0) return console.log('Nothing is stored. “delegation add” stores a key file.');
  for (const { domain, clientEmail, clientId, state, stateReason, scopes } of all) {
    console.log(`  ${domain}: ${stateWords({ state }).label}. ${clientEmail}, client id ${clientId}`);
    if (state === 'active') console.log(`    ${scopes.join(' ')}`);
    else console.log(`    ${troubleWords(readTrouble(stateReason), domain, 'whoever tried it').what}`);
  }
}

async function tell(
  ctx: Pick<DelegateContext, 'db' | 'clock'> & Foretelling,
  tenantId: string,
  { offered }: Config,
  voucher: Voucher,
  check: DelegationCheck,
): Promise<void> {
  const { db } = ctx;
  if (check.kind === 'active') {
    console.log(`Letterhead can send as the people of ${check.domain} now.`);
    for (const line of await letGo(ctx, tenantId, check.mailboxIds)) console.log(line);
    if (check.missing.length > 0) console.log(`Not authorised, and so not used: ${check.missing.join(', ')}.`);
    return;
  }
  const { what, fix, mend } = troubleWords(check.trouble, check.domain, voucher.email);
  console.log(`${what} ${fix}`);
  if (!check.kept) console.log('The key file was not stored, and the one that works stays in use.');
  if (mend === 'authorise') {
    const [stored] = (await inTenant(db, tenantId, (trx) => listDelegations(trx, tenantId))).filter(
      ({ domain }) => domain === check.domain,
    );
    console.log(
      [
        '',
        '  admin.google.com → Security → Access and data control → API controls → Manage domain-wide delegation → Add new',
        `  Client ID     ${stored?.clientId ?? ''}`,
        `  OAuth scopes  ${scopesToAuthorise(offered).join(',')}`,
      ].join('\n'),
    );
  }
  process.exitCode = 1;
}

/** Releases the emails that waited for these mailboxes. One line for each mailbox: what leaves, and what stays. */
async function letGo(
  ctx: Pick<DelegateContext, 'db'> & Foretelling,
  tenantId: string,
  mailboxIds: readonly string[],
): Promise<string[]> {
  const lines: string[] = [];
  for (const mailboxId of mailboxIds) {
    const line = await inTenant(ctx.db, tenantId, async (trx) => {
      const { released, waiting } = await releaseMailbox(trx, ctx.clock, tenantId, mailboxId);
      const prospect = await prospectOf(trx, ctx, tenantId, released);
      const reader = { viewer: { locale, tenant: await getTenant(trx, tenantId) }, now: ctx.clock() };
      const old = `${emailCount(waiting, locale)} waited too long to go out without a look: Settings → Email lists them.`;
      const words = [releasedWords(prospect, reader).text, waiting > 0 && old].filter(Boolean).join(' ');
      return words && `  ${await addressOf(trx, tenantId, mailboxId)}: ${words}`;
    });
    if (line) lines.push(line);
  }
  return lines;
}

async function addressOf(trx: Database, tenantId: string, mailboxId: string): Promise<string> {
  const { email } = await trx
    .selectFrom('mailboxes')
    .select('email')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .executeTakeFirstOrThrow();
  return email;
}

/** How the command writes numbers and moments. */
const locale = 'en-GB';

async function remove(
  { db, clock }: Pick<DelegateContext, 'db' | 'clock'>,
  tenantId: string,
  domain: string,
): Promise<void> {
  const removed = await inTenant(db, tenantId, async (trx) => {
    const found = (await listDelegations(trx, tenantId)).find((each) => each.domain === domain);
    const removed = found && (await removeDelegation(trx, tenantId, found.id, { memberId: null, at: clock() }));
    if (!removed) return undefined;
    const lines: string[] = [];
    for (const mailboxId of removed.mailboxIds) {
      const held = await holdMailbox(trx, clock, { tenantId }, mailboxId);
      const waits = held === 1 ? 'waits' : 'wait';
      const address = await addressOf(trx, tenantId, mailboxId);
      if (held > 0) lines.push(`  ${address}: ${emailCount(held, locale)} ${waits} until it is connected again.`);
    }
    return lines;
  });
  if (removed === undefined)
    throw new StartError(`Nothing is stored for “${domain}”. “delegation list” shows what is.`);
  console.log(`The key for ${domain} is deleted, and nothing is sent as its people any more.`);
  for (const line of removed) console.log(line);
}
