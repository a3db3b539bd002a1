import type { Response } from 'express';
import { headOf } from '../documents/pdf/head.ts';
import { PdfError, type PdfRenderer } from '../documents/pdf/render.ts';
import type { DocumentRecord } from '../documents/store.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { PageError } from './errors.ts';

/**
 * The PDF of a record under its company's head.
 *
 * @throws {PageError} 503 with words for the person, when it cannot be made
 */
export async function recordPdf(
  ctx: { pdf: PdfRenderer },
  tenant: Tenant,
  record: DocumentRecord,
): Promise<Uint8Array> {
  try {
    return await ctx.pdf.render({ ...headOf(tenant), content: record.content });
  } catch (cause) {
    throw pdfTrouble(cause, { href: `/documents/${record.id}`, label: 'Back to the record' });
  }
}

/** How large the PDF of a record is, in bytes; null where it cannot be made just now, which whoever sends it is told. */
export async function pdfSize(
  ctx: { pdf: PdfRenderer },
  tenant: Tenant,
  { content }: DocumentRecord,
): Promise<number | null> {
  try {
    return (await ctx.pdf.render({ ...headOf(tenant), content })).length;
  } catch (error) {
    if (error instanceof PdfError) return null;
    throw error;
  }
}

/**
 * The letters of a record that no font has. None where nobody can say just now: its PDF cannot be made then either, and
 * says so.
 */
export async function missingLetters(
  ctx: { pdf: PdfRenderer },
  tenant: Tenant,
  record: DocumentRecord,
): Promise<readonly string[]> {
  try {
    const [letters = []] = await ctx.pdf.missingLetters([{ ...headOf(tenant), content: record.content }]);
    return letters;
  } catch (error) {
    if (error instanceof PdfError) return [];
    throw error;
  }
}

/** What to throw when a PDF was not made: words for the person, or the error itself where it is another. */
export function pdfTrouble(cause: unknown, next: { readonly href: string; readonly label: string }): unknown {
  if (!(cause instanceof PdfError)) return cause;
  const words = {
    title: 'The PDF could not be made',
    message: 'The record itself is safe. Making its PDF took too long or failed; try again in a minute.',
    next,
  };
  return new PageError(503, `pdf_${cause.code}`, words, { cause });
}

/** Answers with a file to look at in the browser, inside our own pages too. */
export function sendInline(res: Response, mediaType: string, fileName: string, bytes: Uint8Array): void {
  // RFC 6266: a plain name for old clients, the real one beside it.
  const plain = fileName.replaceAll(/[^\w.-]+/g, '_');
  const exact = encodeURIComponent(fileName).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  res.set({
    'Content-Type': mediaType,
    'Content-Disposition': `inline; filename="${plain}"; filename*=UTF-8''${exact}`,
    'Cache-Control': 'private, no-store',
    // The browser's PDF viewer does not work under the rest of our policy.
    'Content-Security-Policy': "frame-ancestors 'self'",
    'X-Frame-Options': 'SAMEORIGIN',
  });
  res.end(Buffer.from(bytes));
}

/** Answers with a file to keep. Its type is left open, so that no browser takes it for a page of ours. */
export function sendAttachment(res: Response, fileName: string, bytes: Uint8Array): void {
  res.attachment(fileName.replaceAll(/[^\p{L}\p{N} ._()-]+/gu, '_'));
  res.set({
    'Content-Type': 'application/octet-stream',
    'Cache-Control': 'private, no-store',
    'Content-Security-Policy': "default-src 'none'; sandbox",
  });
  res.end(Buffer.from(bytes));
}
