import type { TestLetterhead } from '../support/letterhead.ts';

/**
 * Signs somebody in and founds a company, as `founder` does; but what comes back is the cookie, for tests that post
 * files or drive a browser.
 */
export async function signedInCookie(
  letterhead: TestLetterhead,
  account = 'dana@brightwater.example',
): Promise<{ name: string; value: string }> {
  const ask = async (address: string, init: RequestInit, held: string) => {
    const headers = { 'sec-fetch-site': 'same-origin', cookie: held };
    const response = await fetch(new URL(address, letterhead.url), { ...init, headers, redirect: 'manual' });
    const [set = held] = response.headers.getSetCookie();
    return { location: response.headers.get('location') ?? '', cookie: set.split(';')[0] ?? '' };
  };
  const start = await ask('/sign-in/google', { method: 'POST' }, '');
  const approved = await letterhead.google.approve(start.location, { account });
  const back = await ask(approved, {}, start.cookie);
  const company = { name: 'Brightwater Joinery', country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' };
  const { cookie } = await ask('/welcome', { method: 'POST', body: new URLSearchParams(company) }, back.cookie);
  const equals = cookie.indexOf('=');
  return { name: cookie.slice(0, equals), value: cookie.slice(equals + 1) };
}
