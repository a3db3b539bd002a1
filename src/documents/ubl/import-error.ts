/** What is wrong with a file. */
export type ImportErrorCode =
  | 'empty'
  | 'too_large'
  | 'not_text'
  | 'not_xml'
  | 'doctype'
  | 'too_complex'
  | 'not_ubl'
  | 'missing'
  | 'invalid_value'
  | 'mixed_currencies'
  | 'totals_differ';

/** A file that cannot be imported. The message is for people: what happened, where, and what to do. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
  readonly code: ImportErrorCode;
  /** The line of the file, from 1, where there is one to look at. */
  readonly line: number | undefined;
  /** The message without the line. */
  readonly plainMessage: string;

  constructor(code: ImportErrorCode, message: string, options: { line?: number | undefined; cause?: unknown } = {}) {
    super(options.line === undefined ? message : `Line ${options.line}: ${message}`, { cause: options.cause });
    this.code = code;
    this.plainMessage = message;
    this.line = options.line;
  }
}

/** A file that contradicts itself, with both numbers. */
export function differ(
  element: { readonly line: number } | undefined,
  name: string,
  stated: string,
  own: string,
  what: string,
  currency: string,
): ImportError {
  return new ImportError(
    'totals_differ',
    `The file states ${stated} ${currency} as ${name}, but for ${what} we come to ${own} ${currency}. Nothing was imported, because one of the two must be wrong: ask whoever made the file which.`,
    { line: element?.line },
  );
}
