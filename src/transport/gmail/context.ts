import { GoogleError } from '../../google/errors.ts';
import type { AccessToken } from '../../google/gmail.ts';
import { firstTry } from '../outcome.ts';
import { type TransportContext, TransportError } from '../transport.ts';
import { classifyFailure } from './classify.ts';

/** What asking Gmail about one mailbox needs. */
export interface GmailMailbox extends Pick<TransportContext, 'google' | 'clock' | 'purse'> {
  readonly token: AccessToken;
}

/** Runs requests that send nothing; what Gmail refuses comes with what it means. @throws {TransportError} */
export async function asked<T>({ clock }: Pick<TransportContext, 'clock'>, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof GoogleError)) throw error;
    throw new TransportError(error.failure, classifyFailure(error.failure, firstTry, clock()));
  }
}
