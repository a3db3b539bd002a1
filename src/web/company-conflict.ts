import type { Database } from '../platform/database.ts';
import { marksOf } from '../platform/marks.ts';
import { lastCompanyChange, type Tenant } from '../tenants/tenants.ts';
import { type Difference, difference } from './document-changes.ts';
import type { Viewer } from './viewer.ts';
import { whoChangedIt } from './who-changed.ts';

const companyLabels = {
  name: 'Company name',
  country: 'Country',
  currency: 'Currency',
  timeZone: 'Time zone',
  street: 'Street',
  extraStreet: 'More of the address',
  postalCode: 'Postal code',
  city: 'City',
  region: 'County or region',
  email: 'Email on documents',
  phone: 'Phone',
  website: 'Website',
  taxId: 'VAT or tax number',
  paymentDetails: 'How to pay you',
} as const satisfies Partial<Record<keyof Tenant, string>>;

const fields = Object.keys(companyLabels).filter((name): name is keyof typeof companyLabels => name in companyLabels);

/** What the page of the company showed, in short. */
export function companyMark(tenant: Tenant): string {
  return marksOf({ company: fields.map((field) => tenant[field]) });
}

/**
 * What somebody else saved of the company while its form was open, as `layout/changed` shows it; undefined where nobody did,
 * or where a program that saw no form sends one.
 *
 * @param stored the company as it is now, locked
 * @param seen the mark that the form carries
 * @param typed what was typed
 */
export async function companyConflict(
  trx: Database,
  viewer: Viewer,
  stored: Tenant,
  seen: string,
  typed: Readonly<Record<string, string>>,
  now: Date,
) {
  if (seen === '' || seen === companyMark(stored)) return undefined;
  const changes: Difference[] = fields.flatMap((field) =>
    difference(companyLabels[field], stored[field], typed[field]),
  );
  return {
    what: 'The company was changed while you had this page open',
    who: whoChangedIt(await lastCompanyChange(trx, viewer.tenantId), viewer, now),
    ...{ drop: '/settings/company', changes },
    // What the next form has seen.
    mark: companyMark(stored),
  };
}
