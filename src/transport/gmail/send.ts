import { createDraft, getDraft, sendDraft } from '../../google/drafts.ts';
import { GoogleError, isAnswered } from '../../google/errors.ts';
import { type SentMessage, sendMessage } from '../../google/gmail.ts';
import type { Outcome } from '../outcome.ts';
import { type Journal, LookPausedError, type Outgoing, type Ready, type SendResult } from '../transport.ts';
import { classifyBeforeSend, classifyFailure } from './classify.ts';
import type { GmailMailbox } from './context.ts';
import { findDraftsOf } from './find-drafts.ts';
import { whoseDraft } from './whose-draft.ts';

/**
 * Hands an email to Gmail, once: nothing in here is tried again. With a permission for drafts it goes by way of one
 * (`docs/delivery.md` says why), else as a message.
 */
export function send(mailbox: GmailMailbox, outgoing: Outgoing, journal: Journal): Promise<SendResult> {
  return outgoing.via === 'draft' ? byDraft(mailbox, outgoing, journal) : asMessage(mailbox, outgoing);
}

async function asMessage(mailbox: GmailMailbox, outgoing: Outgoing): Promise<SendResult> {
  try {
    return sent(await sendMessage(mailbox.google, mailbox.token, outgoing.mime, timeLeft(mailbox, outgoing)));
  } catch (error) {
    return failed(mailbox, outgoing, error, classifyFailure);
  }
}

/**
 * 1. Our draft of an earlier attempt is looked for, else one is made. Whatever goes wrong here, nothing was sent.
 * 2. Its ids, and that the send is going out, are committed: from here on the draft tells what happened.
 * 3. The draft is sent.
 */
async function byDraft(mailbox: GmailMailbox, outgoing: Outgoing, journal: Journal): Promise<SendResult> {
  let ready: Ready;
  let ours: boolean;
  try {
    ready = await readyDraft(mailbox, outgoing, journal);
    ours = await journal.begin(ready);
  } catch (error) {
    if (error instanceof LookPausedError)
      return neverSent('PACED', error.message, { ...tryAgain(mailbox), at: error.at });
    return failed(mailbox, outgoing, error, classifyBeforeSend);
  }
  // It took so long that somebody else looked after it: it is not ours to send any more.
  if (!ours) return neverSent('TOO_LATE', 'The attempt was given up before the email was sent.', tryAgain(mailbox));
  if (ready.kind === 'gone') return gone('Our draft was gone from Gmail when it was to be sent.');
  if (ready.kind === 'changed') {
    const words = 'Somebody changed our draft of it in Gmail. What would be sent is no longer what you saw.';
    return neverSent('DRAFT_EDITED', words, holdFor('draft_edited', words));
  }
  try {
    return sent(await sendDraft(mailbox.google, mailbox.token, ready.draft.id, timeLeft(mailbox, outgoing)));
  } catch (error) {
    if (isAnswered(error, 404)) return gone(error.message);
    return failed(mailbox, outgoing, error, classifyFailure);
  }
}

/** The draft that an earlier attempt left; where there is none, a new one. */
async function readyDraft(mailbox: GmailMailbox, outgoing: Outgoing, journal: Journal): Promise<Ready> {
  const { google, token } = mailbox;
  const { draft } = outgoing;
  if (draft) {
    const message = await getDraft(google, token, draft.id);
    if (!message) return { kind: 'gone' };
    return message.id === draft.messageId ? { kind: 'ours', draft } : { kind: 'changed', id: draft.id };
  }
  // A first attempt has none. A later one may have one whose id we never heard.
  if (outgoing.attempt.number > 1) {
    const madeUntil = await journal.draftsMadeUntil();
    // The last of them was made last.
    for (const found of await findDraftsOf(mailbox, outgoing, outgoing.createdAt)) {
      const whose = whoseDraft(found, outgoing, madeUntil);
      if (whose === 'ours') return { kind: 'ours', draft: { id: found.id, messageId: found.messageId } };
      if (whose === 'changed') return { kind: 'changed', id: found.id };
    }
  }
  return { kind: 'ours', draft: await createDraft(google, token, outgoing.mime, timeLeft(mailbox, outgoing)) };
}

/**
 * How long an exchange with Gmail may take.
 *
 * @throws {GoogleError} where it is too little for Gmail to answer in: right before the bytes are written
 */
function timeLeft({ clock }: GmailMailbox, { attempt: { deadline }, atMostMs }: Outgoing): number {
  const left = deadline.getTime() - clock().getTime();
  // With a deadline as short as the shortest one allowed, half of it.
  if (left < Math.min(1_000, atMostMs / 2)) {
    throw new GoogleError({ kind: 'not_sent', code: 'DEADLINE', message: 'The attempt had no time left.' });
  }
  // A clock that was put back must not make it longer.
  return Math.min(left, atMostMs);
}

function sent({ id, threadId }: SentMessage): SendResult {
  return { kind: 'sent', sent: { messageId: id, threadId } };
}

function failed(
  { clock }: GmailMailbox,
  { attempt: { number, permitsRefused } }: Outgoing,
  error: unknown,
  classify: typeof classifyFailure,
): SendResult {
  if (!(error instanceof GoogleError)) throw error;
  const outcome = classify(error.failure, { attempts: number, permitsRefused }, clock());
  return { kind: 'failed', failure: error.failure, outcome };
}

function neverSent(code: string, message: string, outcome: Outcome): SendResult {
  return { kind: 'failed', failure: { kind: 'not_sent', code, message }, outcome };
}

/** As Gmail answers it: from here on only a look tells. */
function gone(message: string): SendResult {
  const failure = { kind: 'answered', status: 404, reason: 'notFound', message } as const;
  const words = 'Our draft was gone from Gmail when it was to be sent.';
  return { kind: 'failed', failure, outcome: { kind: 'unknown', words } };
}

function tryAgain({ clock }: GmailMailbox): Extract<Outcome, { kind: 'retry' }> {
  const words = 'Nothing was sent. We try again.';
  return { kind: 'retry', at: clock(), newPermit: false, slowDown: false, words };
}

function holdFor(reason: 'draft_edited', words: string): Outcome {
  return { kind: 'hold', reason, until: null, reconnect: null, words };
}
