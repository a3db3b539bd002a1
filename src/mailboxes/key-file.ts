import { z } from 'zod';
import { isSigningKey, type ServiceAccount } from '../google/delegation.ts';

/** A service account as its key file describes it: these four fields are read, and nothing else of it. */
export interface KeyFile extends ServiceAccount {
  /** What a Workspace administrator authorises. */
  readonly clientId: string;
}

/** A key file has about 2,400 characters. */
const most = 16_384;

/** What was given is no key file of a service account. The message says what it is, and what to give instead. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  readonly code = 'key_file';
}

const shape = z.object({
  client_email: z
    .string()
    .max(254)
    .regex(/^[^@\s]+@[^@\s]+\.gserviceaccount\.com$/),
  private_key: z.string().max(8_192),
  private_key_id: z
    .string()
    .max(200)
    .regex(/^[\w-]+$/)
    .optional(),
  client_id: z.string().regex(/^\d{5,30}$/),
});

/**
 * Reads the JSON file that Google Cloud gives out when a key is made for a service account. The addresses in it
 * (`token_uri` and others) are not looked at: a file must not say where a signed assertion goes.
 *
 * @throws {KeyFileError}
 */
export async function readKeyFile(text: string): Promise<KeyFile> {
  if (text.length > most) throw new KeyFileError('This file is larger than any key file of a service account.');
  const json = parseJson(text);
  const kind = z.object({ type: z.string() }).safeParse(json).data?.type;
  const found = shape.safeParse(json).data;
  if (!found || (kind !== undefined && kind !== 'service_account')) throw new KeyFileError(wordsFor(json, kind));
  if (!(await isSigningKey(found.private_key))) {
    throw new KeyFileError(
      'The private key in this file cannot be read. Make a new key for the service account and choose its file.',
    );
  }
  return {
    clientEmail: found.client_email,
    clientId: found.client_id,
    privateKey: found.private_key,
    privateKeyId: found.private_key_id ?? null,
  };
}

function wordsFor(json: unknown, kind: string | undefined): string {
  const right = 'The right file is made in Google Cloud: the service account → Keys → Add key → Create new key → JSON.';
  if (json === undefined) return `This is no key file: it is not JSON, or not all of it is here. ${right}`;
  if (typeof json === 'object' && json !== null && ('web' in json || 'installed' in json)) {
    return `This is the file of an OAuth client. A service account is another thing. ${right}`;
  }
  if (kind === 'authorized_user') return `These are somebody’s own credentials, not a service account’s. ${right}`;
  return `Something that belongs in a service account’s key file is missing or wrong in this one. ${right}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
