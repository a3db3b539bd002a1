import { type Account, type AccountSeed, accountFromSeed } from './accounts.ts';
import { confirmationMail } from './send-as.ts';
import type { World } from './world.ts';

/** Opens a Google account; each pending alias gets its confirmation mail, as when a user adds it in Gmail. */
export function addAccount(world: World, seed: AccountSeed): Account {
  const account = world.accounts.put(accountFromSeed(seed, world.accounts.deletionsOf(seed.email)));
  for (const entry of account.sendAs) if (entry.status === 'pending') confirmationMail(world, account, entry);
  world.save();
  return account;
}
