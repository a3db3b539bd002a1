import { createHash } from 'node:crypto';
import type { LocalGoogle } from 'local-google';
import PostalMime, { type Email } from 'postal-mime';
import { extractText, getDocumentProxy } from 'unpdf';

/** A message as it came in at its recipient's, read by a parser that is not ours. */
export interface Received extends Email {
  /** The PDFs that were attached, each with the hash of its bytes and its text, blanks as single ones. */
  readonly pdfs: readonly { readonly fileName: string; readonly sha256: string; readonly text: string }[];
}

/** Every copy of one delivery that came in at an address, at Local Google or outside of it. */
export async function received(google: LocalGoogle, address: string, deliveryId: string): Promise<Received[]> {
  const here = google.mail.outside().filter((message) => message.envelope.includes(address.toLowerCase()));
  const messages = isAccount(google, address) ? google.mail.messages(address) : here;
  const found: Received[] = [];
  for (const message of messages) {
    const mail = await PostalMime.parse(google.mail.raw(message));
    const header = mail.headers.find(({ key }) => key === 'x-letterhead-delivery');
    if (header?.value !== deliveryId || message.labels.includes('SENT')) continue;
    const pdfs = mail.attachments.filter(({ mimeType }) => mimeType === 'application/pdf');
    found.push({ ...mail, pdfs: await Promise.all(pdfs.map(readPdf)) });
  }
  return found;
}

function isAccount(google: LocalGoogle, address: string): boolean {
  try {
    return google.accounts.get(address).mailEnabled;
  } catch {
    return false;
  }
}

async function readPdf({ filename, content }: Email['attachments'][number]) {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(content);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { text } = await extractText(await getDocumentProxy(bytes), { mergePages: true });
  return { fileName: filename ?? '', sha256, text: text.replaceAll(/\s+/g, ' ') };
}
