import type { CheckUpFacts, WayBackFacts } from './check-up-facts.ts';
import { failed, forOperator, notPossible, passed, type Say, type Step } from './check-up-step.ts';

/** The steps that tell of this installation rather than of one mailbox: its clock, its addresses, its Google app. */

const day = 86_400_000;
const week = 7 * day;
/** ID tokens, and the assertions of service accounts, are taken with a minute of tolerance. */
const tolerableMs = 60_000;

/** Whether our clock is Google's. */
export function clockStep({ skewMs }: Pick<CheckUpFacts, 'skewMs'>): Step {
  const step = ['clock', 'The clock of this installation'] as const;
  if (skewMs === null) return notPossible(...step, 'None of Google’s answers said what time it is there.');
  if (Math.abs(skewMs) <= tolerableMs) return passed(...step, 'It agrees with Google’s, within a minute.');
  return failed(
    ...step,
    `It is ${span(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead of' : 'behind'} Google’s. Signing in and waiting times go wrong by that.`,
    forOperator('let the machine set its clock by the network (on Linux: timedatectl set-ntp true).'),
  );
}

/** Whether Google sends people back to where they came from. */
export function wayBackStep({ wayBack }: Pick<CheckUpFacts, 'wayBack'>): Step {
  const step = ['redirect', 'The way back from Google'] as const;
  const { publicUrl, openedAt, answers, callbacks } = wayBack;
  const list = (some: WayBackFacts['callbacks']) => some.map(({ address }) => address).join(' and ');
  const register = forOperator(
    `Google Cloud console → Google Auth Platform → Clients → Authorised redirect URIs must name exactly ${list(callbacks)}`,
  );
  if (openedAt !== null && openedAt !== publicUrl) {
    return failed(
      ...step,
      `This page was opened at ${openedAt}, and Letterhead is set up to be at ${publicUrl}.`,
      forOperator('set PUBLIC_URL to the address that people open; with a proxy in front, look at TRUST_PROXY, too.'),
    );
  }
  const refused = callbacks.filter(({ verdict }) => verdict === 'refused');
  if (refused.length > 0) {
    const detail = `Google does not know ${list(refused)} for an address of Letterhead: whoever signs in or connects there is stopped on Google’s page.`;
    return failed(...step, detail, register);
  }
  if (callbacks.some(({ verdict }) => verdict === 'client_refused')) {
    const fix = 'compare GOOGLE_CLIENT_ID with Google Cloud console → APIs & Services → Credentials.';
    return failed(...step, 'Google does not know the OAuth client of this installation.', forOperator(fix));
  }
  if (answers === false) {
    return notPossible(
      ...step,
      `${publicUrl} did not answer this machine, so whether people can come back there could not be tried.`,
      forOperator('open it in a browser; correct PUBLIC_URL where it is wrong.'),
    );
  }
  if (callbacks.every(({ verdict }) => verdict === 'accepted'))
    return passed(...step, `Google sends people back to ${publicUrl}.`);
  return notPossible(...step, 'Google did not say whether it knows the addresses of Letterhead.', register);
}

/**
 * Whether the Google app seems to be in Testing, which ends each permission after seven days. Google never says so: a
 * limit of a week that it named, or connections that lasted just as long, speak for it; one that lasted longer, against.
 */
export function lifeStep({ life, now, mailbox, token }: CheckUpFacts, at: Say): Step {
  const step = ['testing', 'How long permissions last'] as const;
  const { grantedAt, endsAt, appOutlivedAWeek, lives } = life;
  if (mailbox.delegated) return passed(...step, 'Sending for a Google Workspace has no end by itself.');
  const publish = forOperator(
    'Google Auth Platform → Audience → Publish app. Until then everybody has to reconnect every seven days.',
  );
  const weekly =
    'the app with which Letterhead was registered at Google is in “Testing”: permissions end after seven days.';
  if (grantedAt && endsAt) {
    if (isAWeek(endsAt.getTime() - grantedAt.getTime()))
      return failed(...step, `Most likely ${weekly} This one ends ${at(endsAt)}.`, publish);
    const hint = 'Reconnect it before then. Google’s page says for how long; choose no limit there if it offers one.';
    return passed(...step, `The permission was given for a limited time, until ${at(endsAt)}.`, hint);
  }
  if (token.kind === 'ended' && token.ended.reason === 'testing_week')
    return failed(...step, `Most likely ${weekly}`, publish);
  if (appOutlivedAWeek) {
    return passed(
      ...step,
      'They have no end by themselves: permissions of this installation have lasted for more than a week.',
    );
  }
  const weeks = lives.filter(({ ms, reason }) => reason === 'testing_week' || isAWeek(ms)).length;
  if (weeks >= 2) {
    const detail = `Most likely ${weekly} ${weeks} times this account had to be reconnected after about a week.`;
    return failed(...step, detail, publish);
  }
  const age = grantedAt ? `It was connected ${span(now.getTime() - grantedAt.getTime())} ago. ` : '';
  return notPossible(
    ...step,
    `${age}Until some connection is older than a week, nobody can tell whether Google ends them after seven days, as it does for an app in “Testing”.`,
  );
}

/** An ending is noticed with the next use, which can be some hours later. */
function isAWeek(ms: number): boolean {
  return ms > week - day / 24 && ms < week + day;
}

/** `3 minutes`, `2 days`. */
function span(ms: number): string {
  const units = [
    ['day', day],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1_000],
  ] as const;
  const [unit, length] = units.find(([, each]) => ms >= each) ?? ['second', 1_000];
  const count = Math.floor(ms / length);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
