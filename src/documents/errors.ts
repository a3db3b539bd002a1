/** Why a record could not be written. */
export type DocumentErrorCode =
  | 'not_found'
  | 'changed_meanwhile'
  | 'not_a_draft'
  | 'number_taken'
  | 'already_imported'
  | 'already_saved'
  | 'party_not_found';

/** A record that could not be written, with words for people. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError';
  readonly code: DocumentErrorCode;
  /** The record that is in the way: the one with that number, the first import of the same file, or what the same form made. */
  readonly documentId: string | undefined;

  constructor(code: DocumentErrorCode, message: string, options: { documentId?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.documentId = options.documentId;
  }
}
