import { z } from 'zod';
import type { AccountSeed, SendAsSeed } from './accounts.ts';
import type { ClientSeed } from './oauth/clients.ts';

const sendAsSeed = z
  .object({
    email: z.email(),
    name: z.string().optional(),
    status: z.enum(['accepted', 'pending', 'none']),
    replyTo: z.string().optional(),
    isDefault: z.boolean().optional(),
  })
  .transform(withoutUndefined<SendAsSeed>);

/** An account as a seed file or a control call describes it. */
export const accountSeed = z
  .object({
    email: z.email(),
    name: z.string().min(1),
    hd: z.string().nullable().optional(),
    sendAs: z.array(sendAsSeed).optional(),
    mailEnabled: z.boolean().optional(),
  })
  .transform(withoutUndefined<AccountSeed>);

/** An OAuth client as a seed file or a control call describes it. */
export const clientSeed = z
  .object({
    id: z.string().min(1),
    secret: z.string().min(1),
    name: z.string().min(1),
    redirectUris: z.array(z.url()).min(1),
    project: z.string().optional(),
  })
  .transform(withoutUndefined<ClientSeed>);

/** A seed file: what a Local Google starts with. */
const seedFile = z.object({
  accounts: z.array(accountSeed).optional(),
  clients: z.array(clientSeed).optional(),
  unverified: z.boolean().optional(),
});

/** Reads a seed file's text. Throws a SyntaxError or a ZodError that says where it is wrong. */
export function parseSeed(text: string): z.output<typeof seedFile> {
  return seedFile.parse(JSON.parse(text));
}

/** Optional fields of seeds are absent, never `undefined`. */
function withoutUndefined<Seed>(value: { [Key in keyof Seed]: Seed[Key] | undefined }): Seed {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Seed;
}
