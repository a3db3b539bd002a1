import type { MailboxProvider } from './database-types.ts';

/*
 * An account at a provider, which is what limits are about: `gmail:1234…`, the provider and its own id for it. The column
 * `mailboxes.account` holds it, and each delivery keeps the one that it leaves through. Under the bare name of the
 * provider stands what is true of all its accounts together.
 */

/** Every provider of mailboxes. */
export const mailboxProviders: readonly MailboxProvider[] = ['gmail'];

/** The provider of an account. */
export function providerOf(account: string): MailboxProvider {
  const provider = mailboxProviders.find((each) => account === each || account.startsWith(`${each}:`));
  if (!provider) throw new TypeError(`No account of a known provider: ${account}`);
  return provider;
}

/** The row that stands for all accounts at the same provider together: at Google, for our project. */
export function everyAccountAt(account: string): string {
  return providerOf(account);
}
