import type { Released } from '../deliveries/release.ts';
import type { Connected } from '../mailboxes/connect.ts';
import { asPermissions, type Permission, permissionWords } from './permission-words.ts';
import type { ReleasedWords } from './released-words.ts';
import { number } from './run-words.ts';
import type { Notice } from './session.ts';
import { sentence } from './words.ts';

/** What there is to tell after a consent, besides what it made of the mailbox. */
export interface Aftermath extends Omit<Released, 'released'> {
  readonly email: string;
  /** Somebody paused it, and resumes it. */
  readonly paused: boolean;
  readonly aliases: 'read' | 'unusable' | 'failed' | 'not_allowed';
  /** What became of what waited for it. */
  readonly released: ReleasedWords;
  readonly locale: string;
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
  if (after.released.text) words.push(after.released.text);
  if (after.paused) words.push('It stays paused.');
  if (after.waiting > 0 && !after.paused) words.push(tooOldWords(after, after.locale));
  if (after.aliases === 'failed')
    words.push('Gmail did not tell its other addresses just now; press “Check again” at its list of addresses.');
  return { tone: declined.length > 0 ? 'wait' : after.released.tone, text: words.join(' ') };
}

/** What waited too long to go out by itself; empty where nothing did. */
export function tooOldWords({ waiting, hours: limit }: Pick<Released, 'waiting' | 'hours'>, locale: string): string {
  if (waiting === 0) return '';
  const waited = limit === 0 ? 'waited' : `waited for more than ${hours(limit)}`;
  return `${number(waiting, locale)} ${waited}: decide about ${waiting === 1 ? 'it' : 'them'} here.`;
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
