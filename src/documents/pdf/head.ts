import { z } from 'zod';
import { localeOf, type Tenant } from '../../tenants/tenants.ts';
import type { CompanyHead, PdfInput } from './input.ts';

const optional = z.string().optional();

/** What a record's PDF takes from its company: see {@link CompanyHead}; frozen together with a run. */
export const headSchema = z.object({
  company: z.object({
    name: z.string(),
    street: optional,
    extraStreet: optional,
    city: optional,
    postalCode: optional,
    region: optional,
    country: optional,
    taxId: optional,
    email: optional,
    phone: optional,
    website: optional,
    paymentDetails: optional,
  }) satisfies z.ZodType<CompanyHead>,
  locale: z.string(),
});
/** See {@link headSchema}. */
export type Head = Omit<PdfInput, 'content'>;

/** A company as it is printed on its records now. */
export function headOf(tenant: Tenant): Head {
  const said = Object.fromEntries(Object.entries(tenant).map(([name, value]) => [name, value ?? undefined]));
  return headSchema.parse({ company: said, locale: localeOf(tenant) });
}
