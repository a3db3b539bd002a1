import { z } from 'zod';
import { userLabelShape } from './labels.ts';

const copyShape = z.object({
  mailbox: z.string(),
  id: z.string(),
  threadId: z.string(),
  labels: z.array(z.string()),
  at: z.number(),
  /** The head of this copy, base64; the body is shared by all copies of the transaction. */
  head: z.string(),
  envelope: z.array(z.string()),
});

const acceptedShape = z.object({
  order: z.number(),
  at: z.number(),
  account: z.string(),
  clientId: z.string(),
  /** `web`: written by a person on the pages of this Local Google. */
  via: z.enum(['json', 'media', 'multipart', 'resumable', 'draft', 'web']),
  id: z.string(),
  threadId: z.string(),
  messageId: z.string(),
  originalMessageId: z.string().nullable(),
  from: z.object({ name: z.string(), address: z.string() }),
  requestedFrom: z.string(),
  deliveryId: z.string().nullable(),
  subject: z.string(),
  recipients: z.array(z.string()),
  size: z.number(),
  /** Answered with 200, filed in SENT, and never delivered: the sending limit was reached (docs/google.md, fact 3). */
  overLimit: z.boolean().optional(),
});

/** What a transaction does to a draft: its first copy becomes the draft's message, or the draft is sent and gone. */
const draftShape = z.object({ mailbox: z.string(), id: z.string(), sent: z.boolean() });

/** Who is told of a mailbox's changes: a Pub/Sub topic, of changes to messages with (or without) these labels. */
const watchShape = z.object({
  topic: z.string(),
  labelIds: z.array(z.string()),
  filter: z.enum(['include', 'exclude']),
  expiresAt: z.number(),
});

/**
 * One line of the mail log. Replaying the lines in order gives the same mailboxes with the same history ids, so a line
 * that is left out, or put elsewhere, changes the ids of every later change.
 */
export const mailEntryShape = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('mail'),
    body: z.string(),
    /** Bytes of the body where it is not kept. */
    bodySize: z.number().optional(),
    copies: z.array(copyShape),
    accepted: acceptedShape.nullable(),
    draft: draftShape.optional(),
  }),
  z.object({
    kind: z.literal('labels'),
    mailbox: z.string(),
    id: z.string(),
    labels: z.array(z.string()),
    at: z.number().optional(),
  }),
  z.object({ kind: z.literal('removed'), mailbox: z.string(), id: z.string(), at: z.number() }),
  /** null: nobody is told any more. */
  z.object({ kind: z.literal('watch'), mailbox: z.string(), project: z.string(), watch: watchShape.nullable() }),
  /** null: the label is gone. */
  z.object({ kind: z.literal('label'), mailbox: z.string(), id: z.string(), label: userLabelShape.nullable() }),
]);

export type MailEntry = z.infer<typeof mailEntryShape>;
export type Watch = z.infer<typeof watchShape>;
export type Accepted = z.infer<typeof acceptedShape>;
