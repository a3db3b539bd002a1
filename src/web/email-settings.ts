import { randomUUID } from 'node:crypto';
import { hasSharedMailbox, listMailboxes, type MailboxRecord } from '../mailboxes/mailboxes.ts';
import { ruleFor } from '../mailboxes/sender.ts';
import { listRules, senderUnder } from '../mailboxes/sender-rules.ts';
import { inTenant } from '../tenants/scope.ts';
import { releaseHoursOf } from '../tenants/tenants.ts';
import type { WebContext } from './context.ts';
import { defaultChoices } from './default-sender.ts';
import { heldUpNotices } from './held-up.ts';
import { mayWords } from './permission-words.ts';
import { byRecentLists } from './send-as.ts';
import { aliasChoices, withoutAliases } from './sender-choice.ts';
import { exceptionWords } from './sender-rules.ts';
import { usageOf, usageWords } from './usage.ts';
import type { Viewer } from './viewer.ts';
import { workspaceCard } from './workspace-card.ts';

/**
 * Everything the email page shows: mailboxes, the three modes with who they would make the sender, and the rule in force.
 *
 * @param after the id of the last mailbox of the page before, or an empty text
 */
export async function emailSettings(ctx: WebContext, viewer: Viewer, after: string) {
  const { tenantId, memberId } = viewer;
  const read = () =>
    inTenant(ctx.db, tenantId, async (trx) => {
      const rules = await listRules(trx, tenantId);
      const rule = ruleFor(null, rules);
      const mailboxes = await listMailboxes(trx, tenantId, memberId);
      const all = [rule, ...rules.map((each) => each.rule)];
      const resolve = await senderUnder(trx, tenantId, memberId, [rule, { mode: 'current_user' }]);
      return {
        ...{ rules, rule, mailboxes, defaults: await defaultChoices(trx, tenantId, memberId, all, mailboxes) },
        releaseHours: await releaseHoursOf(trx, tenantId),
        workspace: await workspaceCard(trx, viewer),
        hasShared: await hasSharedMailbox(trx, tenantId),
        heldUp: await heldUpNotices(trx, ctx, viewer),
        usage: await usageOf(trx, tenantId, mailboxes, ctx.clock()),
        ...{ resolve, now: resolve(rule) },
      };
    });
  const { mailboxes, hasShared, heldUp, usage, rules, releaseHours, rule, resolve, now, defaults, workspace } =
    await byRecentLists(ctx, viewer, read, (found) => found.now);
  return {
    ...cards(mailboxes, after),
    ...{ heldUp, usageWords: usageWords(usage, viewer, ctx.clock()) },
    hasPersonal: mailboxes.some(
      (mailbox) => mailbox.kind === 'personal' && !mailbox.delegated && mailbox.state !== 'disconnected',
    ),
    hasShared,
    // A disconnected one is listed with a button of its own.
    hadShared: mailboxes.some((mailbox) => mailbox.kind === 'shared'),
    ...defaults,
    ...{ rule, now, byDefault: resolve({ mode: 'default' }) },
    byMember: resolve({ mode: 'current_user' }),
    aliases: aliasChoices(mailboxes, rule),
    aliasPermission: withoutAliases(mailboxes).map(({ id, email }) => ({
      ...{ id, email, offered: ctx.offered.includes('aliases') },
    })),
    ...{ mayWords, releaseHours, workspace },
    exceptions: exceptionWords(rules, mailboxes),
    mayChange: viewer.role === 'owner' || viewer.role === 'admin',
    maySend: viewer.role !== 'viewer',
    testKey: randomUUID(),
  };
}

/** How many mailboxes one page shows. */
const cardsShown = 20;

/** One page of the mailboxes, disconnected ones last. An address that came with a Google Workspace goes with it, too. */
function cards(mailboxes: readonly MailboxRecord[], after: string) {
  const all = mailboxes
    .filter((each) => !each.delegated || each.state !== 'disconnected')
    .sort((a, b) => Number(a.state === 'disconnected') - Number(b.state === 'disconnected'));
  const start = all.findIndex((each) => each.id === after) + 1;
  const shown = all.slice(start, start + cardsShown);
  const last = shown.at(-1);
  return {
    mailboxes: shown,
    told: shown.map(({ id }) => id),
    first: start > 0 && '/settings/email',
    more: last && all.length > start + cardsShown && `/settings/email?after=${last.id}`,
  };
}
