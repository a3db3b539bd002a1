import type { Response } from 'express';
import { RecipientCapError } from '../deliveries/recipient-cap.ts';
import { formatNumber } from '../documents/format.ts';
import { PageError } from './errors.ts';

/** What to say where a company would have more recipients than the operator allows it; undefined where that is not the error. */
export function capRefusal(error: unknown, locale: string): PageError | undefined {
  if (!(error instanceof RecipientCapError)) return undefined;
  const { perDay, left, wanted, waitMs } = error;
  const number = (count: number) => formatNumber(String(count), locale);
  const room = left === 0 ? 'none is left' : left === 1 ? '1 is left' : `${number(left)} are left`;
  const why = `Whoever runs Letterhead allows each company ${number(perDay)} recipients in 24 hours: ${room}, and this has ${number(wanted)}. Nothing was sent.`;
  if (waitMs !== null) return PageError.tooMany(waitMs, why);
  const message = `${why} So many never fit into one day: send to fewer at once.`;
  return new PageError(429, 'too_many', { title: 'Too many recipients', message });
}

/**
 * The same, or a limit that was reached, for a page that shows its form again: nothing typed is lost. The answer says when
 * it is worth trying again.
 *
 * @throws whatever else the error is
 */
export function refusedForNow(res: Response, error: unknown, locale: string): { readonly message: string } {
  const refusal = capRefusal(error, locale) ?? (error instanceof PageError && error.status === 429 ? error : undefined);
  if (!refusal) throw error;
  if (refusal.retryAfter !== undefined) res.set('Retry-After', String(refusal.retryAfter));
  res.status(429);
  return { message: refusal.message };
}
