import { type Logger, pino } from 'pino';

/**
 * The service's log: JSON lines on standard output.
 *
 * Errors are written as name, code, message, stack and causes and nothing else. Libraries hang requests
 * on their errors, and with them tokens and raw mail; a list of fields to hide would always miss one.
 */
export function createLog(level: string): Logger {
  return pino({ level, base: null, serializers: { err: describeError } });
}

/** What of an error may be logged. */
export function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : typeof error;
  return {
    name: error.name,
    ...('code' in error && (typeof error.code === 'string' || typeof error.code === 'number') && { code: error.code }),
    message: error.message,
    stack: error.stack,
    ...(error.cause !== undefined && depth < 4 && { cause: describeError(error.cause, depth + 1) }),
  };
}
