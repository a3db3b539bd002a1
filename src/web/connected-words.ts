import type { Released } from '../deliveries/release.ts';
import type { Connected } from '../mailboxes/connect.ts';
import { asPermissions, type Permission, permissionWords } from './permission-words.ts';
import type { Notice } from './session.ts';
import { sentence } from './words.ts';

/** What there is to tell after a consent, besides what it made of the mailbox. */
export interface Aftermath extends Released {
  readonly email: string;
  /** Somebody paused it, and resumes it. */
  readonly paused: boolean;
  readonly aliases: 'read' | 'unusable' | 'failed' | 'not_allowed';
}

/** What the next page says after somebody came back from Google with a yes. */
export function connectedWords(connected: Omit<Connected<unknown>, 'mailboxId' | 'result'>, after: Aftermath): Notice {
  const { email } = after;
  const added = asPermissions(connected.added);
  const declined = asPermissions(connected.declined);
  if (connected.kind === 'kept') {
    const text =
      declined.length > 0
        ? `Nothing has changed: on Google’s page ${boxes(declined)} left empty. ${email} works as before.`
        : `${email} was connected already, and stays as it was.`;
    return { tone: 'wait', text };
  }
  const words: string[] = [];
  if (added.length > 0) words.push(`${names(added)}: switched on for ${email}.`);
  // Somebody meant to switch something on, and it was connected before.
  else if (!connected.wasActive || declined.length === 0) words.push(`${email} is connected.`);
  if (declined.length > 0)
    words.push(
      `On Google’s page ${boxes(declined)} left empty, so ${names(declined)} ${declined.length === 1 ? 'stays' : 'stay'} off. Everything else works.`,
    );
  if (after.released > 0)
    words.push(`${after.released} waiting ${after.released === 1 ? 'email is' : 'emails are'} going out now.`);
  if (after.paused) words.push('It stays paused.');
  if (after.waiting > 0 && !after.paused) {
    const waited = after.hours === 0 ? 'waited' : `waited for more than ${hours(after.hours)}`;
    words.push(`${after.waiting} ${waited}: decide about ${after.waiting === 1 ? 'it' : 'them'} here.`);
  }
  if (after.aliases === 'failed')
    words.push('Gmail did not tell its other addresses just now; press “Check again” at its list of addresses.');
  return { tone: declined.length > 0 ? 'wait' : 'ok', text: words.join(' ') };
}

/** `24 hours`, `1 hour`; empty for none. */
export function hours(count: number): string {
  if (count === 0) return '';
  return count === 1 ? '1 hour' : `${count} hours`;
}

function names(some: readonly Permission[]): string {
  return sentence(some.map((permission) => `“${permissionWords[permission].name}”`));
}

function boxes(some: readonly Permission[]): string {
  const list = sentence(some.map((permission) => `“${permissionWords[permission].google}”`));
  return some.length === 1 ? `the box ${list} was` : `the boxes ${list} were`;
}
