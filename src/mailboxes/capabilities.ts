import { scopes } from '../google/app.ts';
import { type Capability, capabilities } from '../platform/capability.ts';

const { gmailSend, gmailCompose, gmailModify, gmailReadonly, gmailMetadata, gmailSettingsBasic } = scopes;

/** The scopes of which a capability needs any one (the Gmail discovery document, method by method). */
const openedBy: Readonly<Record<Capability, readonly string[]>> = {
  send: [gmailSend, gmailCompose, gmailModify],
  safe_retry: [gmailCompose, gmailModify],
  aliases: [gmailSettingsBasic, gmailModify, gmailReadonly],
  tracking: [gmailMetadata, gmailModify, gmailReadonly],
  inbox: [gmailModify],
};

/** The one scope that is asked for when a capability is switched on. */
const askedFor: Readonly<Record<Capability, string>> = {
  send: gmailSend,
  safe_retry: gmailCompose,
  aliases: gmailSettingsBasic,
  tracking: gmailMetadata,
  inbox: gmailModify,
};

/**
 * What may be done with a grant: what Google granted, as far as the mailbox wants it. Whatever else a token happens to
 * hold is not used. In the order of {@link capabilities}.
 *
 * @param granted scopes in Google's spelling, as they came with the token; never those that were asked for
 * @param wanted the mailbox's own set
 */
export function capabilitiesOf(granted: readonly string[], wanted: readonly string[]): Capability[] {
  return capabilities.filter((capability) => wanted.includes(capability) && isGranted(capability, granted));
}

function isGranted(capability: Capability, granted: readonly string[]): boolean {
  // A token that holds metadata is refused full messages whatever else it holds (google-api-python-client #582).
  if (capability === 'inbox' && granted.includes(gmailMetadata)) return false;
  return openedBy[capability].some((scope) => granted.includes(scope));
}

/**
 * What one consent asks for, so that its token can do all of this: the identity, `gmail.send`, and one scope for each
 * further capability, unless another that is asked for covers it. So `gmail.modify` stands instead of `gmail.metadata`,
 * never beside it.
 */
export function scopesFor(wanted: readonly Capability[]): string[] {
  const all = new Set<Capability>([...wanted, 'send']);
  const further = capabilities.filter((each) => each !== 'send' && all.has(each)).map((each) => askedFor[each]);
  const asked = further.includes(gmailModify) ? [gmailModify] : further;
  // Always by name: it is the box that must be ticked, and the one that stays when another is declined.
  return [scopes.openid, 'email', gmailSend, ...asked];
}

/** Picks the capabilities out of a list of words, in their order; other words are left out. */
export function readCapabilities(words: readonly string[]): Capability[] {
  return capabilities.filter((capability) => words.includes(capability));
}
