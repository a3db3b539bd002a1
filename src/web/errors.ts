import type { MemberRole } from '../platform/database-types.ts';
import type { FormOnceMore } from './kept-fields.ts';

/** What a page of an error says. */
export interface ErrorWords {
  readonly status: number;
  readonly title: string;
  readonly message: string;
  readonly next: { readonly href: string; readonly label: string };
  /** What to quote when asking for help. */
  readonly reference?: string | undefined;
  /** The form that was refused for now. */
  readonly form?: FormOnceMore | undefined;
}

/**
 * An error made for the person at the page: what happened, what it means, what to do. Everything else
 * that is thrown becomes a plain 500 with a reference number, and its details stay in the log.
 */
export class PageError extends Error {
  override readonly name = 'PageError';
  readonly code: string;
  readonly status: number;
  readonly title: string;
  /** Where to go from here. */
  readonly next: { readonly href: string; readonly label: string };
  /** For `Retry-After`: in how many seconds it is worth trying again. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    code: string,
    words: { title: string; message: string; next?: { href: string; label: string }; retryAfter?: number },
    options?: ErrorOptions,
  ) {
    super(words.message, options);
    this.status = status;
    this.code = code;
    this.title = words.title;
    this.retryAfter = words.retryAfter;
    this.next = words.next ?? { href: '/', label: 'Go to the start page' };
  }

  /** The thing is not there, or belongs to somebody else: the two must not be told apart. */
  static notFound(): PageError {
    return new PageError(404, 'not_found', {
      title: 'Nothing here',
      message: 'This page does not exist, or it belongs to a company you are not signed in to.',
    });
  }

  /**
   * Too much in a short time.
   *
   * @param waitMs until when it stays so
   * @param what what came too often, and that nothing was done, as sentences
   */
  static tooMany(waitMs: number, what: string): PageError {
    const retryAfter = Math.ceil(waitMs / 1_000);
    return new PageError(429, 'too_many', {
      title: 'Please wait a little',
      message: `${what} Try again ${inWords(retryAfter)}.`,
      retryAfter,
    });
  }

  /** The database does not answer, or took too long. */
  static busy(options?: ErrorOptions): PageError {
    // Whether what was under way was saved is not known: the connection may have been lost just as it was.
    const message =
      'Letterhead cannot reach its database just now. Try again in a few seconds. If you were saving something, look first whether it was saved.';
    return new PageError(503, 'busy', { title: 'Back in a moment', message, retryAfter: 5 }, options);
  }

  /** The viewer's role does not allow it. */
  static forbidden(role: MemberRole): PageError {
    return new PageError(403, 'forbidden', {
      title: 'Not with your role',
      message: `You are a ${role} of this company, and that is not enough for this. Ask an owner or admin of your company to do it, or to change your role.`,
    });
  }
}

function inWords(seconds: number): string {
  if (seconds < 60) return `in ${seconds} second${seconds === 1 ? '' : 's'}`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `in ${minutes} minute${minutes === 1 ? '' : 's'}`;
  const hours = Math.ceil(minutes / 60);
  return `in ${hours} hour${hours === 1 ? '' : 's'}`;
}

/** The row, or the page's 404: for ids that come from an address. */
export function found<T>(row: T | undefined): T {
  if (row === undefined) throw PageError.notFound();
  return row;
}
