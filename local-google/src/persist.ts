import {
  closeSync,
  createReadStream,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type MailEntry, mailEntryShape } from './mail/log.ts';
import { policiesShape } from './policies.ts';
import { quotaSettings } from './quotas/settings.ts';

export type { Accepted, MailEntry } from './mail/log.ts';

/**
 * Where a Local Google keeps what it knows: accounts, grants and the signing key in `state.json`, replaced as a whole;
 * mail in `mail.jsonl`, one line per transaction, only ever appended, so that a send costs the same in a full mailbox.
 * Both survive `kill -9`: a file is renamed into place, and a torn last line is cut off at the next start.
 */
export interface Store {
  loadState(): SavedState | undefined;
  /** The state is only asked for when it is really kept. */
  saveState(state: () => SavedState): void;
  /** Every mail entry so far, oldest first. */
  readMail(): AsyncIterable<MailEntry>;
  /** The entry is only asked for when it is really kept: writing 60 KB as base64 for nobody costs time. */
  appendMail(entry: () => MailEntry): void;
  close(): void;
}

const sendAsShape = z.object({
  email: z.string(),
  name: z.string(),
  replyTo: z.string(),
  signature: z.string(),
  isPrimary: z.boolean(),
  isDefault: z.boolean(),
  treatAsAlias: z.boolean(),
  status: z.enum(['accepted', 'pending']).nullable(),
  code: z.string().nullable(),
});

const stateShape = z.object({
  accounts: z.array(
    z.object({
      sub: z.string(),
      email: z.string(),
      name: z.string(),
      hd: z.string().nullable(),
      mailEnabled: z.boolean(),
      state: z.enum(['active', 'disabled', 'deleted']).default('active'),
      passwordChangedAt: z.number().nullable(),
      sendAs: z.array(sendAsShape),
    }),
  ),
  grants: z.array(z.object({ sub: z.string(), project: z.string(), scopes: z.array(z.string()), since: z.number() })),
  refreshTokens: z.array(
    z.object({
      print: z.string(),
      sub: z.string(),
      clientId: z.string(),
      project: z.string(),
      scopes: z.array(z.string()),
      issuedAt: z.number(),
      /** When it was last exchanged; at first when it was issued. */
      usedAt: z.number().default(0),
      /** null: no end of its own, only six unused months. */
      expiresAt: z.number().nullable().default(null),
      /** Whether `expiresAt` is told, which is so for time-limited access only. */
      timeLimited: z.boolean().default(false),
      /** The double SHA-512 by which security events name it. */
      hash: z.string().default(''),
    }),
  ),
  deadTokens: z.array(z.object({ print: z.string(), why: z.string() })).default([]),
  accessTokens: z.array(
    z.object({
      print: z.string(),
      sub: z.string(),
      clientId: z.string(),
      project: z.string(),
      scopes: z.array(z.string()),
      expiresAt: z.number(),
      offline: z.boolean(),
    }),
  ),
  /** Their keys' public halves, in PEM. */
  serviceAccounts: z
    .array(z.object({ email: z.string(), clientId: z.string(), publicKey: z.string(), project: z.string() }))
    .default([]),
  key: z.record(z.string(), z.unknown()).nullable(),
  clockAheadMs: z.number().default(0),
  policies: policiesShape.optional(),
  quotas: quotaSettings.optional(),
});

export type SavedState = z.infer<typeof stateShape>;

/** Keeps nothing: a Local Google without a folder begins anew at each start. */
export function memoryStore(): Store {
  return {
    loadState: () => undefined,
    saveState: () => {},
    readMail: async function* () {},
    appendMail: () => {},
    close: () => {},
  };
}

/** A store in `folder`, made when it is missing. Throws what the file system or zod throws when it cannot be read. */
export function folderStore(folder: string): Store {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const statePath = join(folder, 'state.json');
  const mailPath = join(folder, 'mail.jsonl');
  const mail = openSync(mailPath, 'a+', 0o600);
  return {
    loadState: () =>
      existsSync(statePath) ? stateShape.parse(JSON.parse(readFileSync(statePath, 'utf8'))) : undefined,
    saveState: (state) => {
      writeFileSync(`${statePath}.new`, JSON.stringify(state()), { mode: 0o600 });
      renameSync(`${statePath}.new`, statePath);
    },
    readMail: () => readEntries(mailPath, mail),
    appendMail: (entry) => {
      const line = Buffer.from(`${JSON.stringify(entry())}\n`);
      for (let written = 0; written < line.length; ) written += writeSync(mail, line, written);
    },
    close: () => closeSync(mail),
  };
}

async function* readEntries(path: string, descriptor: number): AsyncIterable<MailEntry> {
  let rest: Buffer[] = [];
  let complete = 0;
  const stream: AsyncIterable<Buffer> = createReadStream(path);
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...rest, chunk.subarray(start, end)]);
      rest = [];
      start = end + 1;
      complete += line.length + 1;
      yield mailEntryShape.parse(JSON.parse(line.toString('utf8')));
    }
    rest.push(chunk.subarray(start));
  }
  // A process killed while writing leaves half a line: that mail was never answered for.
  if (statSync(path).size > complete) ftruncateSync(descriptor, complete);
}
