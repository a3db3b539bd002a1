import type { IncomingMessage } from 'node:http';

/**
 * The whole body of a request; `'too large'` past `limit` bytes. An oversized body is read to its end all the same,
 * because a caller still writing would see a broken pipe instead of the answer.
 */
export async function readBody(req: IncomingMessage, limit: number): Promise<Buffer | 'too large'> {
  const chunks: Buffer[] = [];
  let size = 0;
  const stream: AsyncIterable<Buffer> = req;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else chunks.length = 0;
  }
  return size > limit ? 'too large' : Buffer.concat(chunks);
}

const forms = new WeakMap<IncomingMessage, Promise<URLSearchParams>>();

/** A form body (or JSON, which Google's token endpoint takes as well) as flat text fields; read once per request. */
export function readForm(req: IncomingMessage): Promise<URLSearchParams> {
  const known = forms.get(req);
  if (known) return known;
  const reading = parseForm(req);
  forms.set(req, reading);
  return reading;
}

async function parseForm(req: IncomingMessage): Promise<URLSearchParams> {
  const body = await readBody(req, 64 * 1024);
  if (body === 'too large') return new URLSearchParams();
  if (!(req.headers['content-type'] ?? '').includes('application/json'))
    return new URLSearchParams(body.toString('utf8'));
  const fields = new URLSearchParams();
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    for (const [name, value] of Object.entries(parsed ?? {})) fields.set(name, String(value));
  } catch {
    // Not JSON after all: the endpoint then misses its fields and says so.
  }
  return fields;
}
