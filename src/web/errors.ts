import type { MemberRole } from '../platform/database-types.ts';

/** What a page of an error says. */
export interface ErrorWords {
  readonly status: number;
  readonly title: string;
  readonly message: string;
  readonly next: { readonly href: string; readonly label: string };
  /** What to quote when asking for help. */
  readonly reference?: string | undefined;
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

  constructor(
    status: number,
    code: string,
    words: { title: string; message: string; next?: { href: string; label: string } },
    options?: ErrorOptions,
  ) {
    super(words.message, options);
    this.status = status;
    this.code = code;
    this.title = words.title;
    this.next = words.next ?? { href: '/', label: 'Go to the start page' };
  }

  /** The thing is not there, or belongs to somebody else: the two must not be told apart. */
  static notFound(): PageError {
    return new PageError(404, 'not_found', {
      title: 'Nothing here',
      message: 'This page does not exist, or it belongs to a company you are not signed in to.',
    });
  }

  /** The viewer's role does not allow it. */
  static forbidden(role: MemberRole): PageError {
    return new PageError(403, 'forbidden', {
      title: 'Not with your role',
      message: `You are a ${role} of this company, and that is not enough for this. Ask an owner or admin of your company to do it, or to change your role.`,
    });
  }
}

/** The row, or the page's 404: for ids that come from an address. */
export function found<T>(row: T | undefined): T {
  if (row === undefined) throw PageError.notFound();
  return row;
}
