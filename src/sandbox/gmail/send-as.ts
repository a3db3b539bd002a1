import type { Request } from 'express';
import type { SendAs } from '../accounts.ts';
import { type Answer, Refusal } from '../answers.ts';
import type { World } from '../world.ts';
import { authorize, METHODS } from './access.ts';
import { notFound } from './errors.ts';

/** settings.sendAs.list. */
export function listSendAs(world: World, req: Request): Answer {
  const { account } = authorize(world, req, METHODS.listSendAs);
  return { status: 200, body: { sendAs: account.sendAs.map(sendAsResource) } };
}

/** settings.sendAs.get; 404 for an address that the account does not have. */
export function getSendAs(world: World, req: Request): Answer {
  const { account } = authorize(world, req, METHODS.getSendAs);
  const wanted = String(req.params['email']).toLowerCase();
  const entry = account.sendAs.find((candidate) => candidate.email === wanted);
  if (!entry) throw new Refusal(notFound());
  return { status: 200, body: sendAsResource(entry) };
}

/** The primary, and now and then a valid Workspace alias, carry no `verificationStatus` (google.md, C and fact 11). */
function sendAsResource(entry: SendAs): Record<string, unknown> {
  return {
    sendAsEmail: entry.email,
    displayName: entry.name,
    replyToAddress: entry.replyTo,
    signature: entry.signature,
    ...(entry.isPrimary ? { isPrimary: true } : {}),
    ...(entry.isDefault ? { isDefault: true } : {}),
    ...(entry.isPrimary ? {} : { treatAsAlias: entry.treatAsAlias }),
    ...(entry.status === null ? {} : { verificationStatus: entry.status }),
  };
}
