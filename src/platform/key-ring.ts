import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Encrypts with its newest key, decrypts with any: so keys can be changed while the service runs. */
export interface KeyRing {
  /** The id of the key that encrypts from now on. */
  readonly currentId: string;
  /** The ids of all its keys, newest first. */
  readonly ids: readonly string[];
  /**
   * AES-256-GCM.
   *
   * @param context what the value belongs to, e.g. `grant/<tenant>/<mailbox>/refresh`; the same is needed to open it
   */
  seal(plain: string, context: string): Buffer;
  /** @throws {KeyRingError} when the key is missing, or the envelope was made for another context or altered */
  open(envelope: Buffer, context: string): string;
}

/** A sealed value cannot be opened, or a key ring cannot be read. Names key ids, never keys. */
export class KeyRingError extends Error {
  override readonly name = 'KeyRingError';
  readonly code = 'key_ring';
}

const version = 1;
const ivBytes = 12;
const tagBytes = 16;

/**
 * Reads a key ring: `id:key[,id:key…]`, newest first. A key is 32 bytes in base64.
 *
 * @throws {KeyRingError} naming what is wrong
 */
export function parseKeyRing(text: string): KeyRing {
  const keys = new Map<string, Buffer>();
  for (const entry of text.split(',').map((part) => part.trim())) {
    const [id, encoded, ...rest] = entry.split(':');
    if (!id || !encoded || rest.length > 0 || !/^[\w-]{1,32}$/.test(id)) {
      throw new KeyRingError('each entry is id:key, e.g. k1:… with a key of 32 bytes in base64');
    }
    const key = Buffer.from(encoded, 'base64');
    if (key.length !== 32) throw new KeyRingError(`the key “${id}” is ${key.length} bytes long and must be 32`);
    if (keys.has(id)) throw new KeyRingError(`the key “${id}” stands twice`);
    keys.set(id, key);
  }
  const [current] = keys;
  if (!current) throw new KeyRingError('it is empty');
  const [currentId, currentKey] = current;

  return {
    currentId,
    ids: [...keys.keys()],
    seal(plain, context) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', currentKey, iv).setAAD(Buffer.from(context));
      const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      const id = Buffer.from(currentId);
      return Buffer.concat([Buffer.from([version, id.length]), id, iv, cipher.getAuthTag(), sealed]);
    },
    open(envelope, context) {
      const idEnd = 2 + (envelope[1] ?? 0);
      const id = envelope.subarray(2, idEnd).toString();
      const key = keys.get(id);
      if (envelope[0] !== version || envelope.length < idEnd + ivBytes + tagBytes)
        throw new KeyRingError('The sealed value is damaged.');
      if (!key) throw new KeyRingError(`The key “${id}” is needed and is not in TOKEN_KEYS.`);
      const tagStart = idEnd + ivBytes;
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, envelope.subarray(idEnd, tagStart), {
          authTagLength: tagBytes,
        })
          .setAAD(Buffer.from(context))
          .setAuthTag(envelope.subarray(tagStart, tagStart + tagBytes));
        return Buffer.concat([decipher.update(envelope.subarray(tagStart + tagBytes)), decipher.final()]).toString(
          'utf8',
        );
      } catch {
        // GCM does not say whether key, place or bytes are wrong, and the cause holds nothing useful.
        throw new KeyRingError(
          `A value sealed with the key “${id}” does not open: another key has that id now, or the value was moved or altered.`,
        );
      }
    },
  };
}

/** Opens a sealed value, or says that this ring does not open it. */
export function tryToOpen(keys: KeyRing, envelope: Buffer, context: string): string | undefined {
  try {
    return keys.open(envelope, context);
  } catch (error) {
    if (error instanceof KeyRingError) return undefined;
    throw error;
  }
}

/** A new random key in the form that {@link parseKeyRing} reads. */
export function newKey(id: string): string {
  return `${id}:${randomBytes(32).toString('base64')}`;
}
