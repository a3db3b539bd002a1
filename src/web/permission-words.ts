import { type Capability, capabilities } from '../platform/capability.ts';

/** What a person decides about; to send comes with the connection, and incoming mail is not built yet. */
export type Permission = Exclude<Capability, 'send' | 'inbox'>;

/** What the pages say of a permission. */
export interface PermissionWords {
  readonly name: string;
  /** After “may”. */
  readonly may: string;
  /** What is gained by it, in a line. */
  readonly gain: string;
  /** What it buys, and what it is like without. */
  readonly buys: readonly string[];
  /** Google's own words for it on its page. */
  readonly google: string;
  /** What Letterhead could see or do with it, and what of that it does. */
  readonly sees: string;
  /** What it can not. */
  readonly never: string;
  /** What stops when it is switched off. */
  readonly stops: string;
}

/** The words of each, in the order of the page. Google's are those of its consent page in English. */
export const permissionWords: Readonly<Record<Permission, PermissionWords>> = {
  aliases: {
    name: 'Other addresses',
    may: 'check which other addresses it may send from',
    gain: 'Send from accounts@ or a colleague’s address, and know that Gmail accepts it.',
    buys: [
      'You can choose any address that Gmail lists under “Send mail as” for this account, such as accounts@ or sales@, or let each colleague send under their own.',
      'Before an email leaves, Letterhead checks that Gmail still accepts the address. Gmail itself would not complain: it would quietly send from another one.',
      'Without it, only the account’s own address can be used.',
    ],
    google: 'See, edit, create, or change your email settings and filters in Gmail',
    sees: 'It opens Gmail’s settings. Letterhead reads the list of addresses in them, and changes nothing.',
    never: 'It cannot read any email.',
    stops:
      'The other addresses of this account can no longer be checked, so nothing is sent from them: whoever is set to send from one is refused until you choose another sender, or switch this on again.',
  },
  safe_retry: {
    name: 'Safe retries',
    may: 'put emails into Gmail as a draft first',
    gain: 'When the connection breaks in the middle of a send, find out whether the email left.',
    buys: [
      'Each email is put into Gmail as a draft first, and then sent. When the connection to Gmail breaks in the middle, a draft that is still there was not sent, and Letterhead sends it.',
      'Without it, you are asked to look into Gmail’s Sent folder yourself whenever Gmail’s answer was lost.',
    ],
    google: 'Manage drafts and send emails',
    sees: 'It opens your drafts. Letterhead makes drafts of its own, looks for those again, and leaves yours alone.',
    never: 'It cannot read emails that you received or sent.',
    stops: 'When Gmail’s answer is lost, you are asked to look into Gmail’s Sent folder yourself.',
  },
  tracking: {
    name: 'Look into Sent',
    may: 'look up the emails that it sent',
    gain: 'See for certain that an email left, and from which address.',
    buys: [
      'When Gmail’s answer was lost, Letterhead looks for the email among what was sent instead of asking you.',
      'After an email left, it compares the address that Gmail really put on the From line with the one you chose.',
      'Without it, Letterhead believes what Gmail answered, and cannot look.',
    ],
    google: 'View your email message metadata such as labels and headers, but not the email body',
    sees: 'It opens the headers of every email in the account: who wrote to whom, when, and the subject. Letterhead looks at those of the emails that it sent.',
    never: 'It cannot read what an email says, nor its attachments.',
    stops: 'Letterhead can no longer look whether an email left, and asks you instead when Gmail’s answer is lost.',
  },
};

/** All of them, in the order of the page. */
export const permissions: readonly Permission[] = ['aliases', 'safe_retry', 'tracking'];

/** Whether a word from an address is one. */
export function isPermission(word: string): word is Permission {
  return Object.hasOwn(permissionWords, word);
}

/** Whether a capability is one that a person decides about. */
export function asPermissions(some: readonly Capability[]): Permission[] {
  return permissions.filter((permission) => some.includes(permission));
}

/** How a permission of a mailbox stands. */
export type PermissionState =
  /** Switched on and granted. */
  | 'on'
  /** Switched on, and its box was left empty at Google. */
  | 'missing'
  | 'off';

/** One line of a mailbox's list of permissions. */
export interface PermissionRow {
  readonly permission: Permission;
  readonly state: PermissionState;
  readonly words: PermissionWords;
  /** Whether it can be switched on here. */
  readonly offered: boolean;
}

/** A mailbox's permissions: those that are offered, and those that it has or wants whether they still are or not. */
export function permissionRows(
  mailbox: { readonly wanted: readonly Capability[]; readonly capabilities: readonly Capability[] },
  offered: readonly Capability[],
): PermissionRow[] {
  return permissions
    .map((permission) => ({
      permission,
      state: permissionState(mailbox, permission),
      words: permissionWords[permission],
      offered: offered.includes(permission),
    }))
    .filter((row) => row.offered || row.state !== 'off');
}

/** How one permission of a mailbox stands. */
export function permissionState(
  mailbox: { readonly wanted: readonly Capability[]; readonly capabilities: readonly Capability[] },
  permission: Permission,
): PermissionState {
  if (mailbox.capabilities.includes(permission)) return 'on';
  return mailbox.wanted.includes(permission) ? 'missing' : 'off';
}

/** What a mailbox may do, for the sentence after “may”. */
export function mayWords(can: readonly Capability[]): string[] {
  const order = capabilities.filter((each) => can.includes(each));
  return order.flatMap((each) =>
    each === 'send' ? ['send email'] : each === 'inbox' ? [] : [permissionWords[each].may],
  );
}
