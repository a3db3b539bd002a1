/** What a scope opens, as the consent page says it, and how Google ranks it (docs/google.md, Scopes). */
export interface Scope {
  name: string;
  tier: 'sign-in' | 'non-sensitive' | 'sensitive' | 'restricted';
  label: string;
}

const GMAIL = 'https://www.googleapis.com/auth/gmail.';

export const EMAIL_SCOPE = 'https://www.googleapis.com/auth/userinfo.email';
export const PROFILE_SCOPE = 'https://www.googleapis.com/auth/userinfo.profile';
const FULL_MAIL_SCOPE = 'https://mail.google.com/';

const SCOPES: readonly Scope[] = [
  { name: 'openid', tier: 'sign-in', label: 'Know who you are on this Local Google' },
  { name: EMAIL_SCOPE, tier: 'sign-in', label: 'See your email address' },
  { name: PROFILE_SCOPE, tier: 'sign-in', label: 'See your name and picture' },
  { name: `${GMAIL}labels`, tier: 'non-sensitive', label: 'See and edit your email labels' },
  { name: `${GMAIL}send`, tier: 'sensitive', label: 'Send email on your behalf' },
  { name: `${GMAIL}compose`, tier: 'restricted', label: 'Manage drafts and send emails' },
  {
    name: `${GMAIL}metadata`,
    tier: 'restricted',
    label: 'See the labels and headers of your messages, but not their text',
  },
  { name: `${GMAIL}readonly`, tier: 'restricted', label: 'See your email messages and settings' },
  { name: `${GMAIL}modify`, tier: 'restricted', label: 'Read, compose and send emails from your mailbox' },
  { name: `${GMAIL}settings.basic`, tier: 'restricted', label: 'See, edit, create or change your email settings' },
  {
    name: `${GMAIL}settings.sharing`,
    tier: 'restricted',
    label: 'Manage your sensitive mail settings, including who can manage your mail',
  },
  { name: FULL_MAIL_SCOPE, tier: 'restricted', label: 'Read, compose, send and permanently delete all your email' },
];

const ALIASES: Record<string, string> = { email: EMAIL_SCOPE, profile: PROFILE_SCOPE };
const BY_NAME = new Map(SCOPES.map((scope) => [scope.name, scope]));

/** A scope parameter as a list in Google's own spelling, without repeats. */
export function parseScopes(parameter: string): string[] {
  const names = parameter.split(/[\s+]+/).filter((name) => name !== '');
  return [...new Set(names.map((name) => (Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined) ?? name))];
}

/** The scope of that (canonical) name; undefined when Google knows none. */
export function findScope(name: string): Scope | undefined {
  return BY_NAME.get(name);
}

export function isSignInScope(name: string): boolean {
  return findScope(name)?.tier === 'sign-in';
}

/** Scopes that a password change kills, and that make an unverified app show its warning. */
export function isGmailScope(name: string): boolean {
  return name === FULL_MAIL_SCOPE || name.startsWith(GMAIL);
}

/** Whether an app must be verified before it may ask for this without a warning. */
export function needsVerification(name: string): boolean {
  const tier = findScope(name)?.tier;
  return tier === 'sensitive' || tier === 'restricted';
}
