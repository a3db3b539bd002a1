/** Why a record could not be written. */
export type DocumentErrorCode =
  | 'not_found'
  | 'changed_meanwhile'
  | 'not_a_draft'
  | 'number_taken'
  | 'already_imported'
  | 'party_not_found';

/** A record that could not be written, with words for people. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError';
  readonly code: DocumentErrorCode;
  /** The record that is in the way: the one with that number, or the first import of the same file. */
  readonly documentId: string | undefined;

  constructor(code: DocumentErrorCode, message: string, options: { documentId?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.documentId = options.documentId;
  }
}
