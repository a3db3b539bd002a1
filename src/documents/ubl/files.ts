import type { DocumentContent } from '../document.ts';
import { ImportError } from './import-error.ts';
import type { XmlElement } from './xml.ts';

/** The most that the files embedded in one imported file may have together, decoded. */
const mostBytes = 4_000_000;

type EmbeddedFile = NonNullable<DocumentContent['files']>[number];

/**
 * Takes the files that are embedded in a record (BG-24, UBL's `EmbeddedDocumentBinaryObject`): they are kept beside it, and
 * named in it. The file's number and description stay extras as well.
 */
export function takeFiles(root: XmlElement): { files: EmbeddedFile[]; bytes: Uint8Array[] } {
  const files: EmbeddedFile[] = [];
  const bytes: Uint8Array[] = [];
  for (const reference of root.all('cac:AdditionalDocumentReference')) {
    const object = reference.first('cac:Attachment/cbc:EmbeddedDocumentBinaryObject');
    if (!object || object.text === '') continue;
    const encoded = object.text.replaceAll(/\s/g, '');
    // What is no base64 is kept as it stands.
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) continue;
    const content = Buffer.from(encoded, 'base64');
    const description = reference.first('cbc:DocumentDescription')?.text || undefined;
    files.push({
      name: object.attributes.get('filename')?.trim().slice(0, 300) || `file-${files.length + 1}`,
      mediaType: object.attributes.get('mimeCode')?.trim().slice(0, 100) || 'application/octet-stream',
      size: content.length,
      ...(description === undefined ? {} : { description: description.slice(0, 1_000) }),
    });
    bytes.push(content);
    object.taken = true;
    for (const name of ['filename', 'mimeCode']) object.takenAttributes.add(name);
  }
  if (bytes.reduce((sum, each) => sum + each.length, 0) > mostBytes || files.length > 50) {
    throw new ImportError(
      'too_large',
      'The files embedded in it are too large or too many: at most 50 with 4 MB together. Export it without them.',
    );
  }
  return { files, bytes };
}
