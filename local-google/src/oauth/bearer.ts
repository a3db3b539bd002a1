import type { Request } from 'express';

/** The bearer token of a request, from the header or the `access_token` query parameter; '' when there is none. */
export function bearerToken(req: Request): string {
  const header = /^Bearer\s+(\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
  return header ?? new URL(req.originalUrl, 'http://local').searchParams.get('access_token') ?? '';
}
