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
