/** The program cannot start, or go on, as it was asked to. The message says what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly code = 'start';
}
