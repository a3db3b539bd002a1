import { foldName } from '../documents/party-identity.ts';
import type { Membership } from '../tenants/system.ts';
import { onDay } from './words.ts';

type Named = Pick<Membership, 'tenantId' | 'tenantName' | 'ownerEmail' | 'createdAt'>;

/**
 * What tells a company from others of the same name among somebody's companies: its owner, since names can be chosen freely
 * and addresses cannot; where that is one for both, the day on which it was created, else its place among them. Null where
 * the name says enough.
 */
export function toldApartBy(company: Named, memberships: readonly Named[]): string | null {
  const alike = memberships.filter(({ tenantName }) => foldName(tenantName) === foldName(company.tenantName));
  if (alike.length < 2) return null;
  const owner = company.ownerEmail === null ? 'no owner' : `owner ${company.ownerEmail}`;
  const ofOwner = alike.filter(({ ownerEmail }) => ownerEmail === company.ownerEmail);
  if (ofOwner.length < 2) return owner;
  const dated = `${owner}, created ${onDay(company.createdAt)}`;
  const ofDay = ofOwner.filter(({ createdAt }) => onDay(createdAt) === onDay(company.createdAt));
  if (ofDay.length < 2) return dated;
  const inOrder = ofDay.toSorted(
    (a, b) => Number(a.createdAt) - Number(b.createdAt) || (a.tenantId < b.tenantId ? -1 : 1),
  );
  return `${dated}, number ${inOrder.findIndex(({ tenantId }) => tenantId === company.tenantId) + 1} of ${ofDay.length}`;
}

/** A company as a sentence names it: `Brightwater Ltd`, `Brightwater Ltd (owner dana@brightwater.example)`. */
export function companyName(company: Named, memberships: readonly Named[]): string {
  const more = toldApartBy(company, memberships);
  return more === null ? company.tenantName : `${company.tenantName} (${more})`;
}
