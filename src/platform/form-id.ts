import { createHash } from 'node:crypto';

/**
 * The id of what a form makes, from the form's own key and what it says: sent twice, by a double click or a browser that asks
 * again, it makes one; sent once more with other content, such as after going back, another. It is no secret.
 *
 * @param key what was made with the page, anything that a browser may send
 * @param said whose it is, and everything that the form says
 * @returns a UUID (version 8, RFC 9562), or undefined where the form has no key of ours
 */
export function idOfForm(key: unknown, ...said: readonly unknown[]): string | undefined {
  if (typeof key !== 'string' || !/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(key)) return undefined;
  const digest = createHash('sha256')
    .update(JSON.stringify([key.toLowerCase(), ...said]))
    .digest('hex');
  const [a, b, c, d, e] = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    digest.slice(13, 16),
    digest.slice(17, 20),
    digest.slice(20, 32),
  ];
  return `${a}-${b}-8${c}-8${d}-${e}`;
}
