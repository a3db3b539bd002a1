import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importDocument } from '../../src/documents/import-document.ts';
import { type ImportedDocument, readUbl } from '../../src/documents/read-ubl.ts';
import { keepDelegation } from '../../src/mailboxes/delegations.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { membershipsOf } from '../../src/tenants/system.ts';
import { createApp } from '../../src/web/app.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { routesOf } from '../support/routes.ts';
import { startRunOf } from '../support/run-page.ts';
import { founder, type Visitor } from '../support/visitor.ts';

/** Ids that belong to Dana's company; Mira, of another one, tries them everywhere. */
interface Ids {
  readonly tenant: string;
  readonly document: string;
  readonly party: string;
  readonly mailbox: string;
  readonly delivery: string;
  readonly invitation: string;
  readonly delegation: string;
  readonly member: string;
  /** What to do with a consent for another Google account. */
  readonly choice: string;
  readonly run: string;
}

interface Attempt {
  readonly path: string;
  readonly form?: Record<string, string>;
  /** What the stranger must get. */
  readonly status: number;
}

const notFound =
  (path: (ids: Ids) => string, form?: (ids: Ids) => Record<string, string>) =>
  (ids: Ids): Attempt => ({
    path: path(ids),
    status: 404,
    ...(form && { form: form(ids) }),
  });

/** Each route that takes an id, in its address or its form, and how a stranger tries it. */
const attempts: Record<string, (ids: Ids) => Attempt> = {
  'GET /deliveries/:id': notFound(({ delivery }) => `/deliveries/${delivery}`),
  'GET /deliveries/:id/attachments/:name': notFound(
    ({ delivery }) => `/deliveries/${delivery}/attachments/Invoice%20Snippet1%20Brightwater%20Joinery.pdf`,
  ),
  'GET /deliveries/:id/files/:position': notFound(({ delivery }) => `/deliveries/${delivery}/files/1`),
  'GET /deliveries/:id/progress': notFound(({ delivery }) => `/deliveries/${delivery}/progress`),
  'GET /documents/:id': notFound(({ document }) => `/documents/${document}`),
  'GET /documents/:id/deliveries/new': notFound(({ document }) => `/documents/${document}/deliveries/new`),
  'GET /documents/:id/deliveries/new/stale': notFound(({ document }) => `/documents/${document}/deliveries/new/stale`),
  'GET /documents/:id/edit': notFound(({ document }) => `/documents/${document}/edit`),
  'GET /documents/:id/files/:place': notFound(({ document }) => `/documents/${document}/files/0`),
  'GET /documents/:id/pdf': notFound(({ document }) => `/documents/${document}/pdf`),
  'GET /activity/mailboxes': notFound(({ mailbox }) => `/activity/mailboxes?mailbox=${mailbox}`),
  'GET /mailboxes/:id/access': notFound(({ mailbox }) => `/mailboxes/${mailbox}/access`),
  'GET /mailboxes/:id/check-up': notFound(({ mailbox }) => `/mailboxes/${mailbox}/check-up`),
  'GET /mailboxes/:id/check-up/report.txt': notFound(({ mailbox }) => `/mailboxes/${mailbox}/check-up/report.txt`),
  'GET /mailboxes/:id/check-up/test-email': notFound(({ mailbox }) => `/mailboxes/${mailbox}/check-up/test-email`),
  'GET /mailboxes/:id/daily-limit': notFound(({ mailbox }) => `/mailboxes/${mailbox}/daily-limit`),
  'GET /mailboxes/:id/name': notFound(({ mailbox }) => `/mailboxes/${mailbox}/name`),
  'GET /mailboxes/:id': notFound(({ mailbox }) => `/mailboxes/${mailbox}`),
  'GET /mailboxes/:id/disconnection': notFound(({ mailbox }) => `/mailboxes/${mailbox}/disconnection`),
  'GET /mailboxes/:id/permissions/:permission': notFound(({ mailbox }) => `/mailboxes/${mailbox}/permissions/aliases`),
  'GET /mailboxes/:id/waiting': notFound(({ mailbox }) => `/mailboxes/${mailbox}/waiting`),
  'GET /mailboxes/connection/choices/:id': notFound(({ choice }) => `/mailboxes/connection/choices/${choice}`),
  'GET /parties/:id': notFound(({ party }) => `/parties/${party}`),
  'GET /parties/:id/edit': notFound(({ party }) => `/parties/${party}/edit`),
  'GET /invitations/:id': notFound(({ invitation }) => `/invitations/${invitation}`),
  'POST /invitations/:id/acceptance': notFound(
    ({ invitation }) => `/invitations/${invitation}/acceptance`,
    () => ({ role: 'member' }),
  ),
  'POST /invitations/:id/decline': notFound(
    ({ invitation }) => `/invitations/${invitation}/decline`,
    () => ({ role: 'member' }),
  ),
  'GET /runs/:id': notFound(({ run }) => `/runs/${run}`),
  'GET /runs/:id/progress': notFound(({ run }) => `/runs/${run}/progress`),
  'GET /runs/:id/report.csv': notFound(({ run }) => `/runs/${run}/report.csv`),
  'GET /runs/new': notFound(({ document }) => `/runs/new?kind=invoice&id=${document}`),
  'POST /runs': notFound(
    () => '/runs',
    ({ document }) => ({ kind: 'invoice', id: document, key: crypto.randomUUID(), subject: 's', message: 'm' }),
  ),
  'POST /runs/:id/control': notFound(
    ({ run }) => `/runs/${run}/control`,
    () => ({ control: 'cancel' }),
  ),
  'POST /runs/:id/decision': notFound(
    ({ run }) => `/runs/${run}/decision`,
    () => ({ decision: 'mark_as_sent' }),
  ),
  'POST /runs/:id/resends': notFound(
    ({ run }) => `/runs/${run}/resends`,
    () => ({ which: 'failed' }),
  ),
  'POST /runs/new': notFound(
    () => '/runs/new',
    ({ document }) => ({ kind: 'invoice', id: document, subject: 's', message: 'm' }),
  ),
  'POST /runs/new/stale': notFound(
    () => '/runs/new/stale',
    ({ document }) => ({ kind: 'invoice', id: document, subject: 's', message: 'm' }),
  ),
  'POST /runs/confirmation': notFound(
    () => '/runs/confirmation',
    ({ document }) => ({ kind: 'invoice', id: document, subject: 's', message: 'm' }),
  ),
  'POST /runs/sample': notFound(
    () => '/runs/sample',
    ({ document }) => ({ kind: 'invoice', id: document, subject: 's', message: 'm' }),
  ),
  'POST /runs/:id/schedule': notFound(
    ({ run }) => `/runs/${run}/schedule`,
    () => ({ sendAt: '2099-01-01T09:00' }),
  ),
  'POST /activity/decisions': ({ delivery }) => ({
    path: '/activity/decisions',
    form: { decision: 'cancel', id: delivery },
    status: 303,
  }),
  'POST /deliveries/:id/decision': notFound(
    ({ delivery }) => `/deliveries/${delivery}/decision`,
    () => ({ decision: 'cancel' }),
  ),
  'POST /deliveries/:id/schedule': notFound(
    ({ delivery }) => `/deliveries/${delivery}/schedule`,
    () => ({ sendAt: '2099-01-01T09:00' }),
  ),
  'POST /deliveries/:id/version': notFound(({ delivery }) => `/deliveries/${delivery}/version`),
  'POST /documents/:id': notFound(
    ({ document }) => `/documents/${document}`,
    () => ({
      do: 'save',
      version: '1',
      kind: 'invoice',
      number: 'stolen',
      issueDate: '2026-11-21',
      currency: 'EUR',
      'party[name]': 'x',
    }),
  ),
  'POST /documents/:id/deliveries': notFound(
    ({ document }) => `/documents/${document}/deliveries`,
    () => ({ key: crypto.randomUUID(), version: '1', to: 'mira@northgate.example', subject: 's', message: 'm' }),
  ),
  'POST /documents/:id/deliveries/new': notFound(
    ({ document }) => `/documents/${document}/deliveries/new`,
    () => ({ key: crypto.randomUUID(), version: '1', to: 'mira@northgate.example', subject: 's', message: 'm' }),
  ),
  'POST /documents/:id/deletion': notFound(
    ({ document }) => `/documents/${document}/deletion`,
    () => ({}),
  ),
  'POST /documents/:id/status': notFound(
    ({ document }) => `/documents/${document}/status`,
    () => ({ status: 'paid' }),
  ),
  // Whose file it is, is settled by an id of the question, of which no stranger has one.
  'POST /imports/questions/:id': notFound(
    () => `/imports/questions/${crypto.randomUUID()}`,
    () => ({}),
  ),
  'POST /mailboxes/:id/access': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/access`,
    () => ({ access: 'chosen' }),
  ),
  'POST /mailboxes/:id/daily-limit': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/daily-limit`,
    () => ({ limit: '5' }),
  ),
  'POST /mailboxes/:id/check-up': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/check-up`,
    () => ({}),
  ),
  'POST /mailboxes/:id/check-up/test-email': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/check-up/test-email`,
    () => ({}),
  ),
  'POST /mailboxes/:id/default': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/default`,
    () => ({}),
  ),
  'POST /mailboxes/:id/disconnection': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/disconnection`,
    () => ({}),
  ),
  'POST /mailboxes/:id/name': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/name`,
    () => ({ name: 'Stolen', replyTo: '' }),
  ),
  'POST /mailboxes/:id/pause': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/pause`,
    () => ({}),
  ),
  'POST /mailboxes/:id/from-test': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/from-test`,
    () => ({ email: 'office@brightwater.example' }),
  ),
  'POST /mailboxes/:id/from-go-on': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/from-go-on`,
    () => ({ email: 'office@brightwater.example' }),
  ),
  'POST /mailboxes/:id/recheck': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/recheck`,
    () => ({}),
  ),
  'POST /mailboxes/:id/resumption': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/resumption`,
    () => ({}),
  ),
  'POST /mailboxes/:id/permissions/:permission': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/permissions/aliases`,
    () => ({ switch: 'on' }),
  ),
  'POST /mailboxes/:id/waiting': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/waiting`,
    () => ({ decision: 'discard', heldUntil: '2100-01-01T00:00:00Z' }),
  ),
  'POST /mailboxes/connection/choices/:id': notFound(
    ({ choice }) => `/mailboxes/connection/choices/${choice}`,
    () => ({ choice: 'another' }),
  ),
  'POST /mailboxes/:id/send-as-refresh': notFound(
    ({ mailbox }) => `/mailboxes/${mailbox}/send-as-refresh`,
    () => ({}),
  ),
  'POST /mailboxes/connection': notFound(
    () => '/mailboxes/connection',
    ({ mailbox }) => ({ kind: 'shared', mailboxId: mailbox }),
  ),
  'POST /parties/:id/merges': notFound(
    ({ party }) => `/parties/${party}/merges`,
    ({ party }) => ({ other: party }),
  ),
  'POST /parties/:id/merges/:merge/undo': notFound(
    ({ party }) => `/parties/${party}/merges/${party}/undo`,
    () => ({}),
  ),
  'POST /parties/:id': notFound(
    ({ party }) => `/parties/${party}`,
    () => ({ name: 'stolen' }),
  ),
  'POST /settings/email/own-default': ({ mailbox }) => ({
    ...{ path: '/settings/email/own-default', form: { mailboxId: mailbox }, status: 422 },
  }),
  'POST /settings/email/rules': ({ mailbox }) => ({
    path: '/settings/email/rules',
    form: { 'rule[invoice]': `${mailbox} accounts@brightwater.example` },
    status: 422,
  }),
  'POST /settings/email/sender-rule': ({ mailbox }) => ({
    path: '/settings/email/sender-rule',
    form: { mode: 'alias', alias: `${mailbox} accounts@brightwater.example` },
    status: 422,
  }),
  'POST /settings/email/workspace/:id/removal': notFound(
    ({ delegation }) => `/settings/email/workspace/${delegation}/removal`,
    () => ({}),
  ),
  'POST /settings/members/invitations/:id/withdrawal': notFound(
    ({ invitation }) => `/settings/members/invitations/${invitation}/withdrawal`,
    () => ({}),
  ),
  'POST /settings/members/:id/removal': notFound(
    ({ member }) => `/settings/members/${member}/removal`,
    () => ({}),
  ),
  'POST /settings/members/:id/role': notFound(
    ({ member }) => `/settings/members/${member}/role`,
    () => ({ role: 'viewer' }),
  ),
  'POST /tenant-switch': notFound(
    () => '/tenant-switch',
    ({ tenant }) => ({ tenantId: tenant }),
  ),
};

/** Routes that take no id of a tenant's thing: they can only reach what belongs to the visitor's own company. */
const withoutIds = [
  'GET /',
  'GET /activity',
  'GET /companies',
  'GET /documents',
  'GET /documents/new',
  'GET /documents/party',
  'GET /google/answer',
  'GET /healthz',
  'GET /imports',
  'GET /invitation',
  'GET /kept',
  'GET /mailboxes/connection/callback',
  'GET /parties',
  'GET /parties/new',
  'GET /runs',
  'GET /settings',
  'GET /settings/account',
  'GET /settings/changes',
  'GET /settings/company',
  'GET /settings/email',
  'GET /settings/email/rules',
  'GET /settings/email/workspace',
  'GET /settings/members',
  'GET /settings/sending',
  'GET /sign-in',
  'GET /sign-in/google/callback',
  'GET /welcome',
  'POST /documents',
  'POST /documents/totals',
  'POST /google/risc',
  'POST /imports',
  'POST /parties',
  'POST /settings/account',
  'POST /company-changes/seen',
  'POST /settings/company',
  'POST /settings/email/stand-in',
  'POST /settings/email/release-hours',
  'POST /settings/email/test-deliveries',
  'POST /settings/email/workspace',
  'POST /settings/email/workspace/check',
  'POST /settings/members/departure',
  'POST /settings/members/invitations',
  'POST /settings/sending',
  'POST /sign-in/google',
  'POST /sign-out',
  'POST /welcome',
];

let letterhead: TestLetterhead;
let dana: Visitor;
let mira: Visitor;
let ids: Ids;

beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  dana = await founder(letterhead);
  await dana.connect('office@brightwater.example');
  await dana.post('/settings/members/invitations', { email: 'colleague@brightwater.example', role: 'member' });
  ids = await collect(letterhead);
  mira = await founder(letterhead, 'mira@northgate.example', 'Northgate Café');
});
afterAll(() => letterhead.close());

describe('a stranger with somebody else’s ids', () => {
  it('is tried on every route there is, and on none that is not', () => {
    const routes = routesOf(createApp(letterhead.context, letterhead.database.pool));
    expect(routes.length).toBeGreaterThan(40);
    expect([...Object.keys(attempts), ...withoutIds].sort()).toEqual(routes);
  });

  it.each(Object.entries(attempts))('%s finds nothing', async (route, attempt) => {
    const { path: address, form, status } = attempt(ids);
    const before = await everything(ids.tenant);
    const page = route.startsWith('GET') ? await mira.get(address) : await mira.post(address, form);
    expect(page.status, page.text.slice(-600)).toBe(status);
    expect(page.text).not.toMatch(/brightwater/i);
    expect(await everything(ids.tenant)).toBe(before);
  });

  it('sees nothing of the other company on any page of its own', async () => {
    for (const route of withoutIds.filter((each) => each.startsWith('GET') && !each.includes('callback'))) {
      const page = await mira.get(route.slice(4));
      // Local Google names its own accounts nowhere on these pages.
      expect(page.text, route).not.toMatch(/brightwater|Snippet1/i);
    }
    const foreign = await mira.get(`/activity?after=${ids.delivery}`);
    expect(foreign.status).toBe(200);
    expect(foreign.text).not.toMatch(/brightwater/i);
  });

  it('is refused for being a stranger: the same addresses open for whoever belongs there', async () => {
    const reads = Object.entries(attempts)
      .filter(([route]) => route.startsWith('GET'))
      // Nobody of the company is the one it invites.
      .filter(([route]) => !route.includes('/invitations/'));
    expect(reads.length).toBeGreaterThan(5);
    for (const [route, attempt] of reads) expect((await dana.get(attempt(ids).path)).status, route).toBe(200);
    expect((await dana.post('/tenant-switch', { tenantId: ids.tenant })).status).toBe(303);
  });
});

async function dataOfDana() {
  const person = await letterhead.database.system
    .selectFrom('people')
    .select('id')
    .where('email', '=', 'dana@brightwater.example')
    .executeTakeFirstOrThrow();
  return { memberships: await membershipsOf(letterhead.database.system, person.id) };
}

function withFile(read: ImportedDocument): ImportedDocument {
  const bytes = Buffer.from('a plan');
  const files = [{ name: 'plan.txt', mediaType: 'text/plain', size: bytes.length }];
  return { ...read, content: { ...read.content, files }, files: [bytes] };
}

async function collect({ context, database, google }: TestLetterhead): Promise<Ids> {
  const [membership] = (await dataOfDana()).memberships;
  if (!membership) throw new Error('Dana has no company');
  const tenant = membership.tenantId;
  const file = path.join(import.meta.dirname, '../fixtures/ubl/peppol-base-example.xml');
  const bytes = await readFile(file);
  const record = await inTenant(database.db, tenant, (trx) =>
    importDocument(trx, tenant, null, withFile(readUbl(bytes, 'a.xml'))),
  );
  const sent = await dana.post(`/documents/${record.id}/deliveries`, {
    key: crypto.randomUUID(),
    version: String(record.version),
    to: 'mira@northgate.example',
    subject: 'Invoice',
    message: 'Here it is',
    files: '0',
  });
  const mailbox = await inTenant(database.db, tenant, (trx) =>
    trx.selectFrom('mailboxes').select('id').executeTakeFirstOrThrow(),
  );
  const start = await dana.post('/mailboxes/connection', { kind: 'shared', mailboxId: mailbox.id });
  const back = await dana.get(await google.approve(start.location ?? '', { account: 'dana@brightwater.example' }));
  // Its record was just sent: it is ticked to be sent again.
  const run = await startRunOf(dana, `kind=invoice&id=${record.id}`, { again: record.id });
  return inTenant(database.db, tenant, async (trx) => ({
    tenant,
    run,
    choice: back.location?.replace('/mailboxes/connection/choices/', '') ?? '',
    document: record.id,
    party: record.partyId,
    delivery: sent.location?.replace('/deliveries/', '') ?? '',
    mailbox: mailbox.id,
    invitation: (await trx.selectFrom('invitations').select('id').executeTakeFirstOrThrow()).id,
    member: (await trx.selectFrom('members').select('id').executeTakeFirstOrThrow()).id,
    delegation: await keepDelegation(
      trx,
      context.keys,
      tenant,
      {
        ...{ domain: 'brightwater.example', issuer: google.url, clientId: '112233', addedBy: null, scopes: [] },
        ...{ clientEmail: 'robot@p.iam.gserviceaccount.com', privateKey: 'secret', privateKeyId: null },
      },
      new Date(),
    ),
  }));
}

/** The tables that hold something of a tenant. */
let tables: readonly string[] | undefined;

async function readTables(): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`select table_name as name from information_schema.columns
    where table_schema = 'public' and column_name = 'tenant_id'`.execute(letterhead.owner);
  expect(rows.length).toBeGreaterThan(10);
  return rows.map(({ name }) => name);
}

/** All rows of a tenant in all tables, as one text. */
async function everything(tenantId: string): Promise<string> {
  tables ??= await readTables();
  const each = tables.map(
    (name) =>
      sql`select ${sql.lit(name)} as name, to_jsonb(t)::text as row from ${sql.table(name)} t where tenant_id = ${tenantId}`,
  );
  const { rows } = await sql`${sql.join(each, sql` union all `)} order by name, row`.execute(letterhead.owner);
  expect(rows.length).toBeGreaterThan(0);
  return JSON.stringify(rows);
}
