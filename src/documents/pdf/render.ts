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
  /** BCP 47, for money and dates: `en-IE`. */
  readonly locale: string;
}

/** Makes PDFs in worker threads. */
export interface PdfRenderer {
  /** @returns the file's bytes. Throws `PdfError`. */
  render(input: PdfInput): Promise<Uint8Array>;
  /** Stops the threads; renders that are still waiting are refused. */
  close(): Promise<void>;
}

/** What {@link createPdfRenderer} may be told. */
export interface PdfRendererOptions {
  /** How many threads; the default leaves a core for the rest of the program, at most 4. */
  readonly threads?: number | undefined;
  /** The longest one render may take, once it has begun. Default 30,000. */
  readonly timeoutMs?: number | undefined;
}

/** Starts nothing until the first render. */
export function createPdfRenderer(_options: PdfRendererOptions = {}): PdfRenderer {
  return {
    render: () => Promise.reject(new Error('The PDF renderer is being built.')),
    close: () => Promise.resolve(),
  };
}
