import { companyFieldWords } from '../deliveries/company-notices.ts';
import { kindWords } from '../documents/format.ts';
import type { RightsChange, RightsChangeLine } from '../tenants/rights-changes.ts';
import type { CompanyField } from '../tenants/tenants.ts';
import { isPermission, mayWords, permissionWords } from './permission-words.ts';
import { emailCount } from './run-words.ts';
import { sentence } from './words.ts';

/** A change to who may do what, for people. */
export interface ChangeWords {
  /** What somebody did: `Made Tom an admin`. */
  readonly what: string;
  /** How it was before, or what follows; null where there is nothing to add. */
  readonly detail: string | null;
}

/** Says what somebody changed. */
export function changeWords({ change, by }: RightsChangeLine, locale: string): ChangeWords {
  if (change === null)
    return { what: 'Changed something that this version of Letterhead has no words for', detail: null };
  switch (change.kind) {
    case 'company_founded':
      return { what: `Founded ${change.company}`, detail: 'Whoever founds a company is its owner.' };
    case 'member_invited':
      return { what: `Invited ${change.email} as ${roleWords[change.role]}`, detail: null };
    case 'invitation_withdrawn':
      return {
        what: `Withdrew the invitation of ${change.email}`,
        detail: `They were invited as ${roleWords[change.role]}.`,
      };
    case 'member_joined':
      return { what: `Joined as ${roleWords[change.role]}`, detail: 'They had been invited.' };
    case 'role_changed': {
      const before = `${change.of.email} was ${roleWords[change.from]} before.`;
      return { what: `Made ${change.of.name} ${roleWords[change.to]}`, detail: before };
    }
    case 'member_removed': {
      const before = `${change.of.email} was ${roleWords[change.was]}.`;
      if (by?.email === change.of.email) return { what: 'Left the company', detail: before };
      return { what: `Removed ${change.of.name}`, detail: before };
    }
    case 'access_changed':
      return accessWords(change);
    case 'sender_rule_changed':
      return ruleChangeWords(change);
    case 'stand_in_switched': {
      const what = change.on ? 'Let the default Gmail stand in' : 'Stopped the default Gmail from standing in';
      return { what: `${what} for members without an address of their own`, detail: null };
    }
    case 'own_default_chosen':
      if (change.mailbox === null)
        return { what: 'Went back to the company’s default for their own emails', detail: null };
      return { what: `Chose ${change.mailbox} for their own emails`, detail: null };
    case 'default_changed': {
      const before = change.was === null ? null : `Before, it was ${change.was}.`;
      return { what: `Made ${change.mailbox} the company’s default Gmail`, detail: before };
    }
    case 'name_changed':
      return nameWords(change);
    case 'mailbox_connected': {
      const which = change.whose === 'own' ? `their own Gmail, ${change.mailbox},` : change.mailbox;
      const what = change.again ? `Connected ${which} again` : `Connected ${which}`.replace(/,$/, '');
      return { what, detail: `Letterhead may ${sentence(mayWords(change.may))}.` };
    }
    case 'mailbox_disconnected':
      return { what: `Disconnected ${whoseWords(change)}`, detail: null };
    case 'mailbox_paused':
      return { what: `Paused ${change.mailbox}`, detail: null };
    case 'from_trusted':
      return {
        what: `Looked, and let ${change.email} be used again through ${change.mailbox}`,
        detail: `Gmail had sent an email from ${change.sentFrom} instead.`,
      };
    case 'mailbox_resumed':
      return { what: `Resumed ${change.mailbox}`, detail: null };
    case 'permission_switched': {
      const { permission, on, mailbox } = change;
      const name = isPermission(permission) ? permissionWords[permission].name : permission;
      return { what: `Switched “${name}” ${on ? 'on' : 'off'} for ${mailbox}`, detail: null };
    }
    case 'delegation_stored':
      return {
        what: `Stored a key file for sending as the people of ${change.domain}`,
        detail: `Of the service account ${change.account}.`,
      };
    case 'delegation_allowed':
      return {
        what: `Switched on sending as the people of ${change.domain}`,
        detail: `Google lets Letterhead ${sentence(mayWords(change.may))} for each of them.`,
      };
    case 'delegation_removed':
      return { what: `Stopped sending as the people of ${change.domain}`, detail: 'The key was deleted.' };
    case 'company_changed':
      return {
        what: `Changed ${sentence(change.fields.map(({ field }) => companyFieldWords[field].within))} of the company`,
        detail: change.fields.map(beforeAndAfter).join(' '),
      };
    case 'run_controlled':
    case 'run_answered':
      return runWords(change, locale);
    default:
      return change satisfies never;
  }
}

function runWords(
  change: Extract<RightsChange, { kind: 'run_controlled' | 'run_answered' }>,
  locale: string,
): ChangeWords {
  const run = `a run of ${kindWords[change.documentKind].plural.toLowerCase()}`;
  const emails = emailCount(change.count, locale);
  const one = change.count === 1;
  if (change.kind === 'run_answered') {
    const detail = `In ${run}, after a look into Gmail.`;
    if (change.decision === 'take_back') return { what: `Undid what was said of ${emails}`, detail: `In ${run}.` };
    if (change.decision === 'send_again') return { what: `Had ${emails} sent again`, detail };
    return { what: `Marked ${emails} as sent`, detail };
  }
  switch (change.control) {
    case 'pause':
      return { what: `Paused ${run}`, detail: `${emails} ${one ? 'waits' : 'wait'} for that.` };
    case 'resume':
      return { what: `Resumed ${run}`, detail: `${emails} ${one ? 'goes' : 'go'} on.` };
    case 'send_now':
      return { what: `Had ${run} leave at once`, detail: `${emails} had been scheduled.` };
    case 'cancel':
      return { what: `Cancelled ${run}`, detail: `${emails} had not left.` };
    default:
      return change.control satisfies never;
  }
}

/** On one line, whatever was typed into them. */
function beforeAndAfter({ field, from, to }: CompanyField): string {
  const quoted = (text: string | null) => (text === null ? 'empty' : `“${text.replaceAll(/\s+/g, ' ').trim()}”`);
  return `${companyFieldWords[field].title}: now ${quoted(to)}, before ${quoted(from)}.`;
}

const roleWords = { owner: 'an owner', admin: 'an admin', member: 'a member', viewer: 'a viewer' } as const;

function whoseWords({ mailbox, whose }: Extract<RightsChange, { kind: 'mailbox_disconnected' }>): string {
  if (whose === 'company') return mailbox;
  return whose === 'own' ? `their own Gmail, ${mailbox}` : `${mailbox}, the own Gmail of ${whose.name}`;
}

function accessWords(change: Extract<RightsChange, { kind: 'access_changed' }>): ChangeWords {
  const { mailbox, wasForEverybody, forEverybody, given, taken } = change;
  const narrowed = wasForEverybody && !forEverybody;
  const words = [
    given.length > 0 && `Given to ${names(given)}.`,
    taken.length > 0 && `Taken from ${names(taken)}.`,
    narrowed && given.length === 0 && 'Before, everybody could.',
  ].filter((each) => each !== false);
  const detail = words.length > 0 ? words.join(' ') : null;
  if (forEverybody && !wasForEverybody) return { what: `Let everybody use ${mailbox}`, detail };
  if (narrowed) return { what: `Let only chosen members use ${mailbox}`, detail };
  return { what: `Changed who may use ${mailbox}`, detail };
}

/** Most by name; of very many, how many more. */
function names(people: readonly { readonly name: string }[], most = 12): string {
  const shown = people.slice(0, most).map(({ name }) => name);
  const more = people.length - shown.length;
  return sentence(more > 0 ? [...shown, `${more} more`] : shown);
}

function ruleChangeWords({
  documentKind,
  from,
  to,
}: Extract<RightsChange, { kind: 'sender_rule_changed' }>): ChangeWords {
  const of = (rule: typeof from) => {
    // Where nothing was ever chosen, it is the company's account; a kind without a rule goes by the one for everything.
    if (rule === null) return documentKind === null ? ruleWords.default : 'the same as everything else';
    return rule.mode === 'alias' ? rule.email : ruleWords[rule.mode];
  };
  const what = documentKind === null ? 'emails' : kindWords[documentKind].plural.toLowerCase();
  return { what: `Changed whom ${what} come from`, detail: `Now: ${of(to)}. Before: ${of(from)}.` };
}

const ruleWords = { default: 'the company’s Gmail account', current_user: 'whoever is signed in' } as const;

function nameWords({ mailbox, from, to }: Extract<RightsChange, { kind: 'name_changed' }>): ChangeWords {
  const replies = (address: string | null) => address ?? 'the address they come from';
  const words = [
    from.name !== to.name && `Now “${to.name}”, before “${from.name}”.`,
    from.replyTo !== to.replyTo && `Replies now go to ${replies(to.replyTo)}, before to ${replies(from.replyTo)}.`,
  ];
  return { what: `Changed the name or replies of ${mailbox}`, detail: words.filter(Boolean).join(' ') };
}
