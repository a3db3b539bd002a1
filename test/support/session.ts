import { createHmac, randomBytes } from 'node:crypto';
import type { Product } from './product.ts';

/** A cookie as a browser holds it. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
}

/** The cookie of a session that is written as a row: somebody is signed in, and nobody had to walk Google's pages. */
export async function sessionCookie(
  { pool, config, context }: Pick<Product, 'pool' | 'config' | 'context'>,
  { personId, tenantId }: { readonly personId: string; readonly tenantId: string },
): Promise<Cookie> {
  const sid = randomBytes(24).toString('base64url');
  const originalMaxAge = 14 * 86_400_000;
  const expires = new Date(Date.now() + originalMaxAge);
  const cookie = { originalMaxAge, expires, secure: false, httpOnly: true, path: '/', sameSite: 'lax' };
  const sess = { cookie, personId, tenantId, signedInAt: context.clock().getTime() };
  await pool.query('insert into sessions (sid, sess, expire) values ($1, $2, $3)', [
    sid,
    JSON.stringify(sess),
    expires,
  ]);
  // As express-session signs it.
  const [secret = ''] = config.sessionSecrets;
  const signature = createHmac('sha256', secret).update(sid).digest('base64').replace(/=+$/, '');
  return { name: 'letterhead', value: encodeURIComponent(`s:${sid}.${signature}`) };
}
