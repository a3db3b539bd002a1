import { found } from '../support/found.ts';
import type { TestLetterhead } from '../support/letterhead.ts';
import { type Cookie, sessionCookie } from '../support/session.ts';

/** Founds a company, as `founder` does; but what comes back is the cookie, for tests that post files or drive a browser. */
export async function signedInCookie(
  letterhead: TestLetterhead,
  account = 'dana@brightwater.example',
): Promise<Cookie> {
  return sessionCookie(letterhead, await found(letterhead, account, 'Brightwater Joinery', 10));
}
