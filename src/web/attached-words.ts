import type { NotAttachable } from '../deliveries/attached-files.ts';
import { endingOf } from '../platform/file-name.ts';
import { fileSize } from './words.ts';

/** Says why files cannot go along with an email, and what to do. */
export function notAttachableWords(because: NotAttachable, locale: string): string {
  switch (because.kind) {
    case 'no_such_file':
      return 'A file was ticked that this record does not have. Look at the list of its files, and press Send again.';
    case 'refused_type': {
      const { fileName } = because.file;
      return `Gmail refuses every email with a file of the kind ${endingOf(fileName)}. Untick “${fileName}”.`;
    }
    case 'too_large': {
      const { file, total, most } = because;
      const size = (bytes: number) => fileSize(bytes, locale);
      return `With the PDF the files come to ${size(total)}; an email takes ${size(most)}. Untick “${file.fileName}” (${size(file.size)}), or send it in another way.`;
    }
    default:
      return because satisfies never;
  }
}
