import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { holdsOtherAddress } from '../platform/address.ts';
import { readOneAddress } from '../platform/address-list.ts';
import { isCurrency } from '../platform/currencies.ts';
import type { Database } from '../platform/database.ts';
import { manyLines, oneLine } from '../platform/plain-text.ts';
import { type ByMember, noteChange, type RightsChange } from './rights-changes.ts';
import { inTenant } from './scope.ts';

const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

const said = () => z.string({ error: 'This is missing.' });
const optional = (max: number, plain = oneLine) =>
  said()
    .transform(plain)
    .pipe(z.string().max(max, `This is longer than ${max} characters. Shorten it.`))
    .transform((text) => text || null);

/** One address, by the rule for every other: what is printed on papers is written to. */
const ownEmail = said().transform((typed, context) => {
  const read = readOneAddress(typed);
  if (read.ok) return read.email;
  context.addIssue({ code: 'custom', message: read.message });
  return z.NEVER;
});

/** What a tenant must say of itself to begin. */
export const companySchema = z.object({
  name: said()
    .transform(oneLine)
    .pipe(
      z
        .string()
        .min(1, 'Write the name of your company.')
        .max(200, 'The name is longer than 200 characters. Shorten it.')
        .refine(
          (name) => !holdsOtherAddress(name, ''),
          'The name holds an email address. It stands before your own address in emails, and mail programs warn of two: write the name of your company.',
        ),
    ),
  country: said()
    .trim()
    .toUpperCase()
    .refine((code) => /^[A-Z]{2}$/.test(code) && regions.of(code) !== undefined, 'Choose a country from the list.'),
  currency: said()
    .trim()
    .toUpperCase()
    .refine((code) => isCurrency(code), 'Choose a currency from the list.'),
  timeZone: said().trim().refine(isTimeZone, 'Choose a time zone from the list, such as Europe/Dublin.'),
});

/** See {@link companySchema}. */
export type Company = z.infer<typeof companySchema>;

/** What stands at the head of the tenant's documents beside its name; empty is null. */
export const letterheadSchema = z.object({
  street: optional(200),
  extraStreet: optional(200),
  city: optional(200),
  postalCode: optional(40),
  region: optional(200),
  taxId: optional(100),
  email: ownEmail,
  phone: optional(100),
  website: optional(300),
  paymentDetails: optional(2_000, manyLines),
});

/** See {@link letterheadSchema}. */
export type Letterhead = z.infer<typeof letterheadSchema>;

/** A tenant as its own members see it. */
export type Tenant = Company & Letterhead & { readonly id: string; readonly isDemo: boolean };

function isTimeZone(name: string): boolean {
  try {
    return name.length > 0 && new Intl.DateTimeFormat('en', { timeZone: name }) !== null;
  } catch {
    return false;
  }
}

/** English as written in the tenant's country: how money and dates are shown. */
export function localeOf(tenant: { readonly country: string }): string {
  return `en-${tenant.country}`;
}

/**
 * Makes a tenant whose owner is this person.
 *
 * @param db the app's pool
 * @returns the ids of both
 */
export async function createTenant(
  db: Database,
  company: Company,
  owner: { readonly personId: string; readonly email: string; readonly name: string },
  { isDemo = false, id: tenantId = randomUUID() }: { readonly isDemo?: boolean; readonly id?: string | undefined } = {},
): Promise<{ tenantId: string; memberId: string }> {
  const memberId = await inTenant(db, tenantId, async (trx) => {
    const { timeZone, ...rest } = company;
    const { numInsertedOrUpdatedRows: made } = await trx
      .insertInto('tenants')
      .values({ id: tenantId, ...rest, time_zone: timeZone, is_demo: isDemo })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirstOrThrow();
    if (made === 0n) return founderOf(trx, tenantId, owner.personId);
    const member = await trx
      .insertInto('members')
      .values({ tenant_id: tenantId, person_id: owner.personId, email: owner.email, name: owner.name, role: 'owner' })
      .returning('id')
      .executeTakeFirstOrThrow();
    const by = { memberId: member.id, at: new Date() };
    await noteChange(trx, tenantId, by, { kind: 'company_founded', company: company.name });
    return member.id;
  });
  return { tenantId, memberId };
}

/** The form that founds it was sent twice. */
async function founderOf(trx: Database, tenantId: string, personId: string): Promise<string> {
  const founder = trx.selectFrom('members').select('id').where('tenant_id', '=', tenantId);
  return (await founder.where('person_id', '=', personId).executeTakeFirstOrThrow()).id;
}

/** The tenant itself. */
export async function getTenant(db: Database, tenantId: string): Promise<Tenant> {
  return db
    .selectFrom('tenants')
    .select([
      'id',
      'name',
      'country',
      'currency',
      'time_zone as timeZone',
      'street',
      'extra_street as extraStreet',
      'city',
      'postal_code as postalCode',
      'region',
      'tax_id as taxId',
      'email',
      'phone',
      'website',
      'payment_details as paymentDetails',
      'is_demo as isDemo',
    ])
    .where('id', '=', tenantId)
    .executeTakeFirstOrThrow();
}

/** Who changed that last, and when; undefined where nobody did since it was founded. */
export async function lastCompanyChange(db: Database, tenantId: string) {
  const row = await db
    .selectFrom('tenants')
    .leftJoin('members', 'members.id', 'tenants.changed_by')
    .select(['tenants.changed_at as at', 'members.id as memberId', 'members.name'])
    .where('tenants.id', '=', tenantId)
    .executeTakeFirstOrThrow();
  const { at, memberId, name } = row;
  return at === null ? undefined : { at, by: memberId === null || name === null ? null : { memberId, name } };
}

/** Nobody else changes the company before the transaction ends. */
export async function lockCompany(trx: Database, tenantId: string): Promise<Tenant> {
  await trx.selectFrom('tenants').select('id').where('id', '=', tenantId).forNoKeyUpdate().execute();
  return getTenant(trx, tenantId);
}

/** Changes what the tenant says of itself. */
export async function updateTenant(
  db: Database,
  tenantId: string,
  change: Company & Letterhead,
  by?: ByMember,
): Promise<void> {
  const { timeZone, extraStreet, postalCode, taxId, paymentDetails, ...same } = change;
  await db
    .updateTable('tenants')
    .set({
      ...same,
      ...(by && { changed_by: by.memberId, changed_at: by.at }),
      time_zone: timeZone,
      extra_street: extraStreet,
      postal_code: postalCode,
      tax_id: taxId,
      payment_details: paymentDetails,
    })
    .where('id', '=', tenantId)
    .execute();
}

/** A field of the company that says who somebody deals with and pays, before and after a change. */
export type CompanyField = Extract<RightsChange, { kind: 'company_changed' }>['fields'][number];

/**
 * Changes what the tenant says of itself, as a member does it. Its name, tax number and bank details are written down
 * with what they were before.
 *
 * @param trx a transaction inside the tenant
 * @returns which of those three are others now
 */
export async function changeCompany(
  trx: Database,
  tenantId: string,
  change: Company & Letterhead,
  by: ByMember,
): Promise<CompanyField[]> {
  // Of two who save at once, the second one's “before” is what the first one wrote.
  const before = await lockCompany(trx, tenantId);
  await updateTenant(trx, tenantId, change, by);
  const fields = (['name', 'taxId', 'paymentDetails'] as const)
    .filter((field) => linesOf(before[field]) !== linesOf(change[field]))
    .map((field) => ({ field, from: before[field], to: change[field] }));
  if (fields.length > 0) await noteChange(trx, tenantId, by, { kind: 'company_changed', fields });
  return fields;
}

/** Browsers write the end of a line in two characters. */
function linesOf(text: string | null): string | null {
  return text === null ? null : text.replaceAll('\r\n', '\n');
}

/** For how many hours an email may have waited for Gmail to be connected again and still go out by itself. */
export async function releaseHoursOf(db: Database, tenantId: string): Promise<number> {
  const { release_hours } = await db
    .selectFrom('tenants')
    .select('release_hours')
    .where('id', '=', tenantId)
    .executeTakeFirstOrThrow();
  return release_hours;
}

/** Sets {@link releaseHoursOf}: a whole number from 0, which lets nothing go by itself, to 720. */
export async function setReleaseHours(db: Database, tenantId: string, hours: number): Promise<void> {
  await db.updateTable('tenants').set({ release_hours: hours }).where('id', '=', tenantId).execute();
}
