import { setPriority } from 'node:os';
import { type ImportedDocument, readUbl } from '../read-ubl.ts';
import { ImportError, type ImportErrorCode } from './import-error.ts';

/** What a worker is given. */
export interface ReadJob {
  readonly bytes: Uint8Array;
  readonly fileName: string;
}

/** What a worker answers: what the file became, or why it was refused. */
export type ReadAnswer =
  | { readonly imported: ImportedDocument }
  | {
      readonly refused: { readonly code: ImportErrorCode; readonly message: string; readonly line: number | undefined };
    }
  | { readonly failure: string };

// Whoever looks at a page comes before whoever imports a large file.
setPriority(10);
process.on('message', (job: ReadJob) => process.send?.(answer(job)));
// Whoever started us is gone.
process.on('disconnect', () => process.exit());

function answer({ bytes, fileName }: ReadJob): ReadAnswer {
  try {
    return { imported: readUbl(bytes, fileName) };
  } catch (error) {
    if (error instanceof ImportError) {
      return { refused: { code: error.code, message: error.plainMessage, line: error.line } };
    }
    return { failure: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}
