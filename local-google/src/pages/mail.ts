import { type Request, type Response, Router } from 'express';
import { snippetOf } from '../gmail/message-resource.ts';
import { type Message, messageHeader, OUTSIDE, partsOf } from '../mailboxes.ts';
import { parseAddresses } from '../mime/addresses.ts';
import { allParts } from '../mime/parts.ts';
import type { World } from '../world.ts';
import { html } from './render.ts';

const PAGE = 50;

/** The lists of a web mailbox: /mail/<address> (inbox), /mail/<address>/sent, and /mail/outside. */
export function mailPages(world: World): Router {
  const router = Router();

  router.get('/mail/:mailbox', (req, res) => list(req, res, 'inbox'));
  router.get('/mail/:mailbox/sent', (req, res) => list(req, res, 'sent'));

  function list(req: Request, res: Response, folder: 'inbox' | 'sent') {
    const mailbox = String(req.params['mailbox']).toLowerCase();
    const account = world.accounts.byEmail(mailbox) ?? null;
    if (!account && mailbox !== OUTSIDE) return html(res, 'missing', { title: 'No such mailbox' }, 404);
    const label = folder === 'inbox' ? 'INBOX' : 'SENT';
    const all = world.mail
      .all(mailbox)
      .filter((message) => message.labels.includes(label))
      .reverse();
    const page = Math.max(1, Number(req.query['page'] ?? 1) || 1);
    const shown = all.slice((page - 1) * PAGE, page * PAGE).map((message) => listed(message, folder));
    return html(res, 'mail/list', {
      title: account ? `${folder === 'inbox' ? 'Inbox' : 'Sent'}, ${account.email}` : 'Outside world',
      account,
      mailbox,
      folder,
      messages: shown,
      total: all.length,
      page,
      pages: Math.ceil(all.length / PAGE),
    });
  }

  return router;
}

function listed(message: Message, folder: 'inbox' | 'sent'): Record<string, unknown> {
  const whole = partsOf(message);
  const people = parseAddresses(messageHeader(message, folder === 'sent' ? 'To' : 'From') ?? '');
  return {
    id: message.id,
    at: message.at,
    unread: message.labels.includes('UNREAD'),
    who: people.map(({ name, address }) => name || address).join(', '),
    to: message.mailbox === OUTSIDE ? message.envelope.join(', ') : null,
    subject: messageHeader(message, 'Subject') || '(no subject)',
    snippet: snippetOf(whole),
    attachments: allParts(whole).filter((part) => part.filename !== '').length,
  };
}
