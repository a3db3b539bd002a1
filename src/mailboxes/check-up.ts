import type { GoogleFailure } from '../google/errors.ts';
import { operatorTroubleOf, operatorWords } from '../google/operator-trouble.ts';
import type { Capability } from '../platform/capability.ts';
import { capabilitiesOf } from './capabilities.ts';
import type { Asked, CheckUpFacts } from './check-up-facts.ts';
import { clockStep, lifeStep, wayBackStep } from './check-up-installation.ts';
import { failed, forOperator, notPossible, passed, type Say, type Step } from './check-up-step.ts';
import { endedWords } from './ended-words.ts';
import { mailboxTroubleOf, type SaidByGmail } from './mailbox-trouble.ts';
import { isUsable } from './sender-facts.ts';

/**
 * What the facts of a check-up mean, step by step. Pure. What could not be found out is never called passed: Google was
 * not reached, a permission to look is missing, or an earlier step failed.
 *
 * @param at says instants in the company's time zone
 */
export function judgeCheckUp(facts: CheckUpFacts, at: Say): Step[] {
  return [
    ...standingSteps(facts, at),
    tokenStep(facts),
    identityStep(facts),
    ...permissionSteps(facts),
    apiStep(facts),
    mailboxStep(facts),
    addressesStep(facts),
    budgetStep(facts, at),
    clockStep(facts),
    wayBackStep(facts),
    lifeStep(facts, at),
  ];
}

const again = 'Run the check-up again in a few minutes.';

/** That nothing leaves, though Google has nothing against it: somebody paused it, or it is still taken for one that cannot send. */
function standingSteps({ standing, token, mailbox, sending, reading }: CheckUpFacts, at: Say): Step[] {
  const step = ['standing', 'Sending through it'] as const;
  const { state, since, pausedBy, ended } = standing;
  if (state === 'paused') {
    const by = pausedBy ? ` by ${pausedBy}` : '';
    const detail = `It was paused${by} on ${at(since)}: nothing leaves through it until it is resumed.`;
    return [failed(...step, detail, 'Press “Resume” on its page in Settings → Email when emails may leave again.')];
  }
  // What another step says is not said twice.
  const isSaid = token.kind !== 'renewed' || ofMailbox(failuresOf(sending, reading)) !== undefined;
  if (state !== 'needs_reconnect' || !ended || isSaid) return [];
  const { what, fix } = endedWords(ended, mailbox.email);
  return [failed(...step, what, fix)];
}

function tokenStep({ token, mailbox }: CheckUpFacts): Step {
  const step = ['token', 'The connection to Google'] as const;
  switch (token.kind) {
    case 'renewed':
      return passed(...step, 'Google has just renewed it.');
    case 'ended': {
      const { what, fix } = endedWords(token.ended, mailbox.email);
      return failed(...step, what, fix);
    }
    case 'disconnected':
      return failed(...step, 'This account is disconnected.', 'Connect it again, on its page in Settings → Email.');
    case 'sealed':
      return failed(
        ...step,
        'Letterhead cannot open what it keeps of this connection: the key is missing.',
        forOperator('put the key back into TOKEN_KEYS (docs/operating.md, Secrets). Nobody has to reconnect then.'),
      );
    case 'failed': {
      const trouble = operatorTroubleOf('oauth', token.failure);
      if (trouble)
        return failed(...step, operatorWords[trouble.kind].what, forOperator(operatorWords[trouble.kind].fix));
      return notPossible(...step, unreached(token.failure), again);
    }
    default:
      return token satisfies never;
  }
}

function identityStep({ owner, mailbox }: CheckUpFacts): Step {
  const step = ['identity', 'The Google account'] as const;
  if (owner.kind !== 'answered') return withoutAnswer(step, owner);
  const { sub, email } = owner.value;
  if (sub !== mailbox.googleSub) {
    return failed(
      ...step,
      `The permission belongs to another Google account${email ? ` (${email})` : ''} than the one that was connected here.`,
      `Reconnect it, and choose ${mailbox.email} on Google’s page.`,
    );
  }
  if (email && email !== mailbox.email.toLowerCase()) {
    const hint = 'Reconnect it, so that Letterhead takes over the new address.';
    return passed(...step, `It is the one that was connected. Google calls it ${email} by now.`, hint);
  }
  return passed(...step, `It is the one that was connected: ${mailbox.email}.`);
}

const names: Readonly<Record<Capability, string>> = {
  send: 'Send email',
  safe_retry: 'Safe retries',
  aliases: 'Other addresses',
  tracking: 'Look into Sent',
  inbox: 'Incoming mail',
};

/** Google's own answer decides, not what we noted when it was connected. */
function permissionSteps({ granted, mailbox }: CheckUpFacts): Step[] {
  const wanted = new Set<Capability>(['send', ...mailbox.wanted]);
  return [...wanted].map((capability) => {
    const step = [`permission_${capability}`, `Permission “${names[capability]}”`] as const;
    if (granted.kind !== 'answered') return withoutAnswer(step, granted);
    if (capabilitiesOf(granted.value, [capability]).length > 0) {
      const noted = capabilitiesOf(mailbox.scopes, [capability]).length > 0;
      return passed(
        ...step,
        noted ? 'Google has granted it.' : 'Google has granted it, and Letterhead notes it only now.',
      );
    }
    if (mailbox.delegated) {
      const hint = 'Your Google Workspace administrator adds it for Letterhead: Settings → Email → Google Workspace.';
      return failed(...step, 'It is wanted here, and Google has not granted it.', hint);
    }
    const hint =
      capability === 'send'
        ? 'Reconnect it and leave the box “Send email on your behalf” ticked.'
        : `On its page in Settings → Email press “Ask again…” beside “${names[capability]}” and tick its box at Google, or do without it.`;
    return failed(...step, 'It is switched on here, and Google has not granted it.', hint);
  });
}

function apiStep({ sending, reading }: CheckUpFacts): Step {
  const step = ['gmail_api', 'The Gmail API'] as const;
  const failures = failuresOf(sending, reading);
  const trouble = failures.map((failure) => operatorTroubleOf('gmail', failure)).find((heard) => heard !== null);
  if (trouble?.kind === 'api_disabled' || trouble?.kind === 'daily_cap') {
    const { what, fix } = operatorWords[trouble.kind];
    return failed(...step, what, forOperator(fix));
  }
  if (sending.kind === 'answered' || reading.kind === 'answered') return passed(...step, 'It is enabled, and answers.');
  // Whatever is said of the mailbox comes from a Gmail API that is there for us.
  if (ofMailbox(failures)) return passed(...step, 'It is enabled, and answers.');
  return withoutGmail(step, sending, reading);
}

function mailboxStep({ sending, reading, mailbox }: CheckUpFacts): Step {
  const step = ['gmail_mailbox', 'The Gmail mailbox'] as const;
  const failures = failuresOf(sending, reading);
  const reason = ofMailbox(failures);
  if (reason) {
    const { what, fix } = endedWords({ reason, sure: true }, mailbox.email);
    return failed(...step, what, fix);
  }
  if (reading.kind === 'answered') return passed(...step, 'It is there.');
  if (sending.kind === 'answered')
    return passed(...step, 'It is there: Gmail would take an email from it. (Nothing was sent to find out.)');
  return withoutGmail(step, sending, reading);
}

function addressesStep({ addresses, rules, mailbox, swaps }: CheckUpFacts): Step {
  const step = ['addresses', 'Addresses to send from'] as const;
  const own = mailbox.email.toLowerCase();
  const used = rules.filter(({ email }) => email.toLowerCase() !== own);
  const [swap] = swaps;
  if (swap) {
    return failed(
      ...step,
      `Gmail sent an email from ${swap.sentFrom} instead of ${swap.email}. Nothing more leaves from that address.`,
      'Look in Gmail, Settings → Accounts and Import → Send mail as. Then test the address on the mailbox’s page in Settings → Email.',
    );
  }
  if (addresses.kind !== 'answered') {
    if (addresses.kind === 'failed' || addresses.why !== 'no_permission') return withoutAnswer(step, addresses);
    const hint = 'Switch “Other addresses” on for it, on its page in Settings → Email.';
    const rule = used[0];
    if (rule) return failed(...step, `${rule.words} come from ${rule.email}, which Letterhead may not check.`, hint);
    return notPossible(
      ...step,
      `Only its own address is used. Whether Gmail lists others cannot be checked without “Other addresses”.`,
    );
  }
  const list = addresses.value;
  const lost = used.find(({ email }) => !list.some((entry) => entry.email.toLowerCase() === email.toLowerCase()));
  if (lost) {
    return failed(
      ...step,
      `${lost.words} come from ${lost.email}, which Gmail does not list for this account any more.`,
      'Add it again in Gmail: Settings → Accounts and Import → Send mail as. Or choose another sender in Settings → Email.',
    );
  }
  const pending = list.filter((entry) => !isUsable(entry));
  const waiting = used.find(({ email }) => pending.some((entry) => entry.email.toLowerCase() === email.toLowerCase()));
  const confirm = 'Open the mail from Gmail in that mailbox and follow its link. Then run the check-up again.';
  if (waiting)
    return failed(
      ...step,
      `${waiting.words} come from ${waiting.email}, which waits for confirmation in Gmail.`,
      confirm,
    );
  const listed = list.map((entry) => `${entry.email} (${isUsable(entry) ? 'accepted' : 'waits for confirmation'})`);
  const detail = `Gmail lists ${listed.join(', ')}.`;
  // Gmail's list is one thing, and what Gmail does another.
  const unseen = used.length > 0 && capabilitiesOf(mailbox.scopes, mailbox.wanted).includes('tracking') === false;
  if (unseen && pending.length === 0)
    return passed(
      ...step,
      `${detail} Whether Gmail really sends from them cannot be seen here without “Look into Sent”.`,
      null,
    );
  return passed(...step, detail, pending.length > 0 ? `What waits is not used by any rule. ${confirm}` : null);
}

function budgetStep({ budget, sending, now }: CheckUpFacts, at: Say): Step {
  const step = ['budget', 'Room for today'] as const;
  const { used, limit, standsStill } = budget;
  const sent = `This company has sent ${at(used)} emails through it in the last 24 hours. Its limit is ${at(limit)} a day.`;
  const full = 'Nothing needs to be done: what waits goes out by itself as room comes back.';
  if (standsStill && standsStill.until > now) {
    const why = {
      rate: 'Gmail asked to go slower',
      sending_limit: 'Gmail says that its limit for a day is reached',
      trouble: 'Gmail’s answers were lost several times in a row',
      budget: 'The emails that it may send in one day are used up',
    }[standsStill.reason];
    const hint = 'Nothing needs to be done: emails wait, and go on by themselves then.';
    return failed(...step, `${why}, so nothing leaves through it until ${at(standsStill.until)}. ${sent}`, hint);
  }
  if (sending.kind === 'failed' && isSendingLimit(sending.failure))
    return failed(...step, `Gmail says that its limit for a day is reached. ${sent}`, full);
  if (used >= limit) return failed(...step, `${sent} That is all that Google allows.`, full);
  return passed(...step, `${sent} What others send with the same Google account counts, too, and is not seen here.`);
}

/** A step whose question was not answered. */
function withoutAnswer(step: readonly [string, string], asked: Exclude<Asked<unknown>, { kind: 'answered' }>): Step {
  if (asked.kind === 'failed') return notPossible(...step, unreached(asked.failure), again);
  switch (asked.why) {
    case 'no_token':
      return notPossible(...step, 'Not possible while the connection does not work: mend that first.');
    case 'no_permission':
      return notPossible(...step, 'Not possible to check without another permission.');
    case 'standing_still':
      return notPossible(...step, 'Not asked now: Gmail wants Letterhead to wait with this account.');
    default:
      return asked.why satisfies never;
  }
}

/** The same for what Gmail could have been asked in two ways: a refusal says more than a question that was not asked. */
function withoutGmail(step: readonly [string, string], sending: Asked<null>, reading: Asked<null>): Step {
  const told = [sending, reading].find((asked) => asked.kind === 'failed') ?? sending;
  return told.kind === 'answered' ? passed(...step, 'It answers.') : withoutAnswer(step, told);
}

function failuresOf(...some: readonly Asked<null>[]): GoogleFailure[] {
  return some.flatMap((asked) => (asked.kind === 'failed' ? [asked.failure] : []));
}

/** What Gmail says of the mailbox itself; a permission is another step's. */
function ofMailbox(failures: readonly GoogleFailure[]): SaidByGmail | undefined {
  const said = failures.map(mailboxTroubleOf).filter((trouble) => trouble !== null);
  return said.find((trouble) => trouble !== 'missing_permission');
}

function isSendingLimit(failure: GoogleFailure): boolean {
  return failure.kind === 'answered' && failure.status === 429 && /mail sending/i.test(failure.message);
}

/** What came instead of an answer, with Google's own words where there are any. */
function unreached(failure: GoogleFailure): string {
  if (failure.kind !== 'answered') return failure.message;
  return `Google answered ${failure.status} ${failure.reason}${failure.message ? `: ${failure.message}` : ''}`;
}
