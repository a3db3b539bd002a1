import addressparser from 'nodemailer/lib/addressparser/index.js';
import { deleteDraft } from '../../google/drafts.ts';
import { GoogleError } from '../../google/errors.ts';
import { type AccessToken, getHeaders } from '../../google/gmail.ts';
import { operatorTroubleOf } from '../../google/operator-trouble.ts';
import { MailboxUnusableError } from '../../mailboxes/access-token.ts';
import { readFreshTokens } from '../../mailboxes/fresh-token.ts';
import { dropAccessToken } from '../../mailboxes/grant-vault.ts';
import { recentTroubles } from '../../mailboxes/operator-troubles.ts';
import { KeyRingError } from '../../platform/key-ring.ts';
import {
  blind,
  type LeftBehind,
  NotPermittedError,
  type Permit,
  type Question,
  type ReadBack,
  type Sight,
  type Transport,
  type TransportContext,
} from '../transport.ts';
import { refreshAddresses } from './addresses.ts';
import { asked, type GmailMailbox } from './context.ts';
import { findDraftsOf, lookAtDraft } from './find-drafts.ts';
import { findInSent } from './find-sent.ts';
import { send } from './send.ts';
import { whoseDraft } from './whose-draft.ts';

/** Sends through the Gmail API; what Google does and promises stands in `docs/google.md`. */
export function gmailTransport(ctx: TransportContext): Transport {
  const { keys, tokens, clock } = ctx;
  return {
    provider: 'gmail',
    viaOf: (capabilities) => (capabilities.includes('safe_retry') ? 'draft' : 'message'),
    async permitsAtHand(trx, tenantId, mailboxIds) {
      const fresh = await readFreshTokens(trx, keys, tenantId, mailboxIds, clock());
      return new Map([...fresh].map(([mailboxId, token]) => [mailboxId, permitOf(ctx, token)]));
    },
    async permit(tenantId, mailboxId) {
      try {
        return permitOf(ctx, await tokens.of(tenantId, mailboxId));
      } catch (error) {
        throw explained(ctx, error, tenantId, mailboxId);
      }
    },
    dropPermit: dropAccessToken,
    async refreshAddresses(tenantId, mailboxId) {
      try {
        return await refreshAddresses(ctx, tenantId, mailboxId);
      } catch (error) {
        throw explained(ctx, error, tenantId, mailboxId);
      }
    },
    async operatorTroubles(since) {
      const troubles = await recentTroubles(ctx.system, since);
      return troubles.filter(({ clientId }) => clientId === ctx.google.clientId);
    },
    mayConcernAll: (failure) => operatorTroubleOf('gmail', failure)?.kind === 'project_quota',
  };
}

function permitOf({ google, clock, purse }: TransportContext, token: AccessToken): Permit {
  const mailbox = { google, clock, purse, token };
  return {
    send: (outgoing, journal) => send(mailbox, outgoing, journal),
    look: (question) => asked(mailbox, () => look(mailbox, question)),
    readBack: (messageId) => asked(mailbox, () => readBack(mailbox, messageId)),
    tidy: (left) => asked(mailbox, () => tidy(mailbox, left)),
  };
}

async function look(mailbox: GmailMailbox, question: Question): Promise<Sight> {
  const { byDraft, bySent, since } = question;
  const draft = byDraft ? await lookAtDraft(mailbox, question, since.at) : blind;
  // A draft that is there says it all.
  if (draft.draft === 'same' || draft.draft === 'edited' || !bySent) return { ...blind, ...draft };
  return { ...draft, ...(await findInSent(mailbox, question, since)) };
}

async function readBack({ google, token }: GmailMailbox, messageId: string): Promise<ReadBack> {
  const { headers } = await getHeaders(google, token, messageId, ['From', 'Message-ID']);
  const [from] = addressparser(headers['from'] ?? '', { flatten: true });
  return { from: from?.address?.toLowerCase() ?? null, messageId: headers['message-id'] ?? null };
}

/** Deletes drafts of ours that are left. One that somebody changed stays. */
async function tidy(mailbox: GmailMailbox, left: LeftBehind): Promise<void> {
  for (const found of await findDraftsOf(mailbox, left, left.createdAt)) {
    if (whoseDraft(found, left, left.draftsMadeUntil) === 'ours')
      await deleteDraft(mailbox.google, mailbox.token, found.id);
  }
}

/** Why there is no permit. What is none of these is a mistake of ours, and stays what it is. */
function explained({ log }: TransportContext, error: unknown, tenantId: string, mailboxId: string): unknown {
  if (error instanceof MailboxUnusableError)
    return new NotPermittedError({ kind: error.code === 'disconnected' ? 'disconnected' : 'ended' });
  if (error instanceof KeyRingError) {
    log.error({ err: error, tenantId, mailboxId }, 'a token cannot be opened');
    return new NotPermittedError(ofOurs);
  }
  return error instanceof GoogleError ? new NotPermittedError(whatToWaitFor(error)) : error;
}

const ofOurs = {
  kind: 'later',
  words: 'Letterhead’s own access to Google is interrupted. You need not do anything.',
  seconds: 300,
} as const;

/** Nothing that the tenant could mend: Google refuses ourselves, or has trouble of its own, or is not there. */
function whatToWaitFor(error: GoogleError): NotPermittedError['why'] {
  if (error.code === 'wrong_clock') return ofOurs;
  const trouble = operatorTroubleOf('oauth', error.failure) ?? operatorTroubleOf('gmail', error.failure);
  if (trouble?.sure) return ofOurs;
  const what =
    error.failure.kind === 'answered' ? 'Google has a problem of its own just now' : 'Google could not be reached';
  return { kind: 'later', words: `${what}. You need not do anything.`, seconds: 30 };
}
