import type { Request } from 'express';
import { z } from 'zod';
import { type Account, type SendAs, sameAddress } from '../accounts.ts';
import { type Answer, Refusal } from '../answers.ts';
import { isAddress } from '../mime/addresses.ts';
import { addSendAs, confirmationMail } from '../send-as.ts';
import type { World } from '../world.ts';
import { authorize, type Caller } from './access.ts';
import { forbidden, googleError, invalidArgument, notFound } from './errors.ts';
import { METHODS, type Method } from './methods.ts';
import { readJson } from './request.ts';

const sendAsBody = z.object({
  displayName: z.string().optional(),
  replyToAddress: z.string().optional(),
  signature: z.string().optional(),
  isDefault: z.boolean().optional(),
  treatAsAlias: z.boolean().optional(),
});

const createBody = sendAsBody.extend({ sendAsEmail: z.string() });

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

/** settings.sendAs.update (`PUT`, where what is left out becomes empty) and patch: the primary, and aliases by delegation. */
export async function updateSendAs(world: World, req: Request): Promise<Answer> {
  const caller = authorize(world, req, METHODS.updateSendAs);
  const { account } = caller;
  const body = await readJson(req, sendAsBody);
  const entry = findEntry(account, req);
  if (!entry.isPrimary && !isDelegated(world, caller)) throw new Refusal(delegatedOnly());
  if (body.replyToAddress && !isAddress(body.replyToAddress)) throw new Refusal(invalidArgument('Invalid replyTo'));
  const left = req.method === 'PUT' ? { name: '', replyTo: '', signature: '' } : entry;
  entry.name = body.displayName ?? left.name;
  entry.replyTo = body.replyToAddress ?? left.replyTo;
  entry.signature = body.signature ?? left.signature;
  if (body.isDefault === true) for (const other of account.sendAs) other.isDefault = other === entry;
  world.save();
  return { status: 200, body: sendAsResource(entry) };
}

/** settings.sendAs.create: accepted at once in the account's own domain, elsewhere pending until it is confirmed. */
export async function createSendAs(world: World, req: Request): Promise<Answer> {
  const { account } = authorizeDelegated(world, req, METHODS.createSendAs);
  const body = await readJson(req, createBody);
  const email = sameAddress(body.sendAsEmail);
  if (!isAddress(email)) throw new Refusal(invalidArgument('Invalid sendAsEmail'));
  if (account.sendAs.some((entry) => entry.email === email)) {
    const message = 'Requested entity already exists';
    throw new Refusal(googleError({ code: 409, status: 'ALREADY_EXISTS', reason: 'alreadyExists', message }));
  }
  const status = email.endsWith(`@${account.hd}`) ? 'accepted' : 'pending';
  const { displayName: name = '', replyToAddress: replyTo = '' } = body;
  return { status: 200, body: sendAsResource(addSendAs(world, account, { email, name, replyTo, status })) };
}

/** settings.sendAs.delete; never the primary. */
export function removeSendAs(world: World, req: Request): Answer {
  const { account } = authorizeDelegated(world, req, METHODS.removeSendAs);
  const entry = findEntry(account, req);
  if (entry.isPrimary) throw new Refusal(invalidArgument('Cannot delete the primary address'));
  account.sendAs = account.sendAs.filter((other) => other !== entry);
  world.save();
  return { status: 204, body: undefined };
}

/** settings.sendAs.verify: the confirmation mail goes out again. */
export function verifySendAs(world: World, req: Request): Answer {
  const { account } = authorizeDelegated(world, req, METHODS.verifySendAs);
  const entry = findEntry(account, req);
  if (entry.status !== 'pending') throw new Refusal(invalidArgument('Address is verified already'));
  confirmationMail(world, account, entry);
  return { status: 204, body: undefined };
}

/** A service account that acts for the person; an ordinary token may not, whatever its scopes (docs/google.md, Scopes). */
function authorizeDelegated(world: World, req: Request, method: Method): Caller {
  const caller = authorize(world, req, method);
  if (!isDelegated(world, caller)) throw new Refusal(delegatedOnly());
  return caller;
}

function isDelegated(world: World, { clientId }: Caller): boolean {
  return [...world.serviceAccounts.values()].some((service) => service.clientId === clientId);
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

/** The primary, and now and then a valid Workspace alias, carry no `verificationStatus` (docs/google.md, C and fact 11). */
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
