import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import { type Answer, Refusal } from '../answers.ts';
import { readBody } from '../body.ts';
import { notFound, tooLarge } from './errors.ts';
import { badRequest } from './request.ts';
import { checkMediaType, type Finish, UPLOAD_LIMIT } from './uploads.ts';

/** Chunks are kept in whole multiples of this; what is over comes again with the next one. */
const GRAIN = 256 * 1024;

/** A session that nobody goes on with ends after a week. */
const SESSION_MS = 7 * 24 * 60 * 60 * 1000;

const JSON_LIMIT = 1024 * 1024;

interface Session {
  email: string;
  finish: Finish;
  metadata: Buffer;
  /** Bytes in all, when the caller said so. */
  total: number | null;
  received: Buffer;
  startedAt: number;
  /** What the complete upload was answered; a status query asks for it again. */
  answer: Answer | null;
}

/** Uploads that go on over several requests, and over broken connections (Google's resumable protocol). */
export class ResumableUploads {
  #sessions = new Map<string, Session>();
  #url: string;
  #now: () => number;

  constructor(url: string, now: () => number) {
    this.#url = url;
    this.#now = now;
  }

  /** The account behind a session's call; null when there is no such session. */
  accountOf(req: Request): string | null {
    return this.#sessions.get(uploadId(req))?.email ?? null;
  }

  /** Begins a session: the JSON is in this request, the message comes to the address in `Location`. */
  async begin(req: Request, email: string, finish: Finish): Promise<Answer> {
    checkMediaType(String(req.headers['x-upload-content-type'] ?? 'message/rfc822'));
    const length = Number(req.headers['x-upload-content-length'] ?? Number.NaN);
    if (length > UPLOAD_LIMIT) throw new Refusal(tooLarge(UPLOAD_LIMIT));
    const metadata = await readBody(req, JSON_LIMIT);
    if (metadata === 'too large') throw new Refusal(tooLarge(JSON_LIMIT));
    this.#forgetOld();
    const id = randomBytes(24).toString('base64url');
    const total = Number.isInteger(length) ? length : null;
    const startedAt = this.#now();
    const received = Buffer.alloc(0);
    this.#sessions.set(id, { email, finish, metadata, total, received, startedAt, answer: null });
    const location = new URL(req.originalUrl, this.#url);
    location.searchParams.set('upload_id', id);
    return { status: 200, body: undefined, headers: { Location: location.href, 'X-GUploader-UploadID': id } };
  }

  /** Takes a chunk, the whole, or the question how far it came (`Content-Range: bytes * /n`). */
  async goOn(req: Request): Promise<Answer> {
    const session = this.#sessions.get(uploadId(req));
    if (!session || session.startedAt + SESSION_MS < this.#now()) throw new Refusal(notFound());
    const range = readRange(String(req.headers['content-range'] ?? ''));
    session.total ??= range.total;
    if ((session.total ?? 0) > UPLOAD_LIMIT) throw new Refusal(tooLarge(UPLOAD_LIMIT));
    if (session.answer) return session.answer;
    const { bytes, whole } = await readChunk(req);
    if (session.answer) return session.answer;
    const at = session.received.length;
    // A chunk from elsewhere than where we are is not taken: the answer tells where to go on.
    if (range.start === null || range.start > at) return progressOf(session);
    const joined = Buffer.concat([session.received, bytes.subarray(at - range.start)]);
    if (joined.length > UPLOAD_LIMIT) throw new Refusal(tooLarge(UPLOAD_LIMIT));
    const ends = whole && (range.total === null ? range.unbounded : joined.length >= range.total);
    session.received = ends ? joined : joined.subarray(0, Math.max(at, joined.length - (joined.length % GRAIN)));
    return ends ? this.#complete(session) : progressOf(session);
  }

  #complete(session: Session): Answer {
    const { finish, metadata, received } = session;
    session.received = Buffer.alloc(0);
    try {
      session.answer = finish({ via: 'resumable', metadata, media: received });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      session.answer = error.answer;
    }
    return session.answer;
  }

  #forgetOld(): void {
    const now = this.#now();
    for (const [id, { startedAt }] of this.#sessions) if (startedAt + SESSION_MS < now) this.#sessions.delete(id);
  }
}

/** 308, with the range that is safe here; without `Range` nothing is. */
function progressOf({ received }: Session): Answer {
  const headers: Record<string, string> = received.length > 0 ? { Range: `bytes=0-${received.length - 1}` } : {};
  return { status: 308, body: undefined, headers };
}

function uploadId(req: Request): string {
  return new URL(req.originalUrl, 'http://local').searchParams.get('upload_id') ?? '';
}

interface Range {
  /** null: a status query. */
  start: number | null;
  total: number | null;
  /** No range at all: this request is all the rest. */
  unbounded: boolean;
}

function readRange(value: string): Range {
  if (value === '') return { start: 0, total: null, unbounded: true };
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(value);
  if (!match) throw new Refusal(badRequest('Failed to parse Content-Range header.'));
  const [, start, total] = match;
  return {
    start: start === undefined ? null : Number(start),
    total: total === '*' ? null : Number(total),
    unbounded: false,
  };
}

/** The bytes that came, and whether the connection lived to the end of them. */
async function readChunk(req: Request): Promise<{ bytes: Buffer; whole: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    const stream: AsyncIterable<Buffer> = req;
    for await (const chunk of stream) {
      size += chunk.length;
      if (size <= UPLOAD_LIMIT + 1) chunks.push(chunk);
    }
    return { bytes: Buffer.concat(chunks), whole: true };
  } catch {
    return { bytes: Buffer.concat(chunks), whole: false };
  }
}
