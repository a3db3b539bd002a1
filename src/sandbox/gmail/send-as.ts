import type { Request } from 'express';
import { z } from 'zod';
import type { Account, SendAs } from '../accounts.ts';
import { type Answer, Refusal } from '../answers.ts';
import { isAddress } from '../mime/addresses.ts';
import type { World } from '../world.ts';
import { authorize } from './access.ts';
import { forbidden, invalidArgument, notFound } from './errors.ts';
import { METHODS, type Method } from './methods.ts';
import { readJson } from './request.ts';

const sendAsBody = z.object({
  displayName: z.string().optional(),
  replyToAddress: z.string().optional(),
  signature: z.string().optional(),
  isDefault: z.boolean().optional(),
  treatAsAlias: z.boolean().optional(),
});

/** settings.sendAs.list. */
export function listSendAs(world: World, req: Request): Answer {
  const { account } = authorize(world, req, METHODS.listSendAs);
  return { status: 200, body: { sendAs: account.sendAs.map(sendAsResource) } };
}

/** settings.sendAs.get; 404 for an address that the account does not have. */
export function getSendAs(world: World, req: Request): Answer {
  const { account } = authorize(world, req, METHODS.getSendAs);
  return { status: 200, body: sendAsResource(findEntry(account, req)) };
}

/** settings.sendAs.update (`PUT`, where what is left out becomes empty) and patch: the primary only (google.md, A). */
export async function updateSendAs(world: World, req: Request): Promise<Answer> {
  const { account } = authorize(world, req, METHODS.updateSendAs);
  const body = await readJson(req, sendAsBody);
  const entry = findEntry(account, req);
  if (!entry.isPrimary) throw new Refusal(delegatedOnly());
  if (body.replyToAddress && !isAddress(body.replyToAddress)) throw new Refusal(invalidArgument('Invalid replyTo'));
  const left = req.method === 'PUT' ? { name: '', replyTo: '', signature: '' } : entry;
  entry.name = body.displayName ?? left.name;
  entry.replyTo = body.replyToAddress ?? left.replyTo;
  entry.signature = body.signature ?? left.signature;
  if (body.isDefault === true) for (const other of account.sendAs) other.isDefault = other === entry;
  world.save();
  return { status: 200, body: sendAsResource(entry) };
}

/** settings.sendAs.create, delete and verify: an ordinary token cannot, whatever its scopes. */
export function changeSendAs(method: Method) {
  return (world: World, req: Request): Answer => {
    authorize(world, req, method);
    throw new Refusal(delegatedOnly());
  };
}

function delegatedOnly(): Answer {
  const message = 'Access restricted to service accounts that have been delegated domain-wide authority';
  return forbidden('forbidden', message);
}

function findEntry(account: Account, req: Request): SendAs {
  const wanted = String(req.params['email']).toLowerCase();
  const entry = account.sendAs.find((candidate) => candidate.email === wanted);
  if (!entry) throw new Refusal(notFound());
  return entry;
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
