import type { DocumentContent } from '../document.ts';

/** The tenant as it stands at the head of its records. */
export interface CompanyHead {
  readonly name: string;
  readonly street?: string | undefined;
  readonly extraStreet?: string | undefined;
  readonly city?: string | undefined;
  readonly postalCode?: string | undefined;
  readonly region?: string | undefined;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string | undefined;
  readonly taxId?: string | undefined;
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
  readonly website?: string | undefined;
  /** Printed on invoices that say nothing of their own about where to pay. */
  readonly paymentDetails?: string | undefined;
}

/** Everything a PDF is made from. The same input gives the same bytes. */
export interface PdfInput {
  readonly company: CompanyHead;
  readonly content: DocumentContent;
  /** The company's own, BCP 47: `en-IE`. Where the party's country is known, numbers and dates are written for that. */
  readonly locale: string;
}
