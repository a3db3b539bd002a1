import type { GoogleApp, GoogleService } from './app.ts';
import { GoogleError, guarded } from './errors.ts';

/**
 * Runs a call of Google's library, tells the app's ear how it went, and turns whatever is thrown into a
 * {@link GoogleError}.
 */
export async function ask<T>(app: GoogleApp, service: GoogleService, call: () => Promise<T>): Promise<T> {
  try {
    const answer = await guarded(call);
    app.hear?.(service, null);
    return answer;
  } catch (error) {
    if (error instanceof GoogleError) app.hear?.(service, error.failure);
    throw error;
  }
}

/** The same for the Gmail API, where the token says whether the answer concerns our own project at all. */
export async function askGmail<T>(
  app: GoogleApp,
  token: { readonly foreign?: true },
  call: () => Promise<T>,
): Promise<T> {
  return token.foreign ? guarded(call) : ask(app, 'gmail', call);
}
