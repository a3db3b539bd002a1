import { type Request, type Response, Router } from 'express';
import { type Message, messageHeader, OUTSIDE, partsOf, rawOf } from '../mailboxes.ts';
import { parseHeaders } from '../mime/headers.ts';
import { allParts, type Part, partText } from '../mime/parts.ts';
import { decodeWords } from '../mime/words.ts';
import type { World } from '../world.ts';
import { html } from './render.ts';

/** One message: as a page, its HTML for the frame, its attachments, and its source. */
export function messagePages(world: World): Router {
  const router = Router();
  const path = '/mail/:mailbox/messages/:id';

  router.get(
    path,
    withMessage((message, _req, res) => {
      const { mailbox, id, labels } = message;
      if (labels.includes('UNREAD')) world.mail.label(message, without(labels, 'UNREAD'));
      const parts = allParts(partsOf(message));
      const plain = parts.find((part) => isBody(part, 'text/plain'));
      html(res, 'mail/message', {
        title: messageHeader(message, 'Subject') || '(no subject)',
        account: world.accounts.byEmail(mailbox) ?? null,
        mailbox,
        folder: labels.includes('SENT') && !labels.includes('INBOX') ? 'sent' : 'inbox',
        message,
        base: `/mail/${encodeURIComponent(mailbox)}/messages/${id}`,
        header: (name: string) => messageHeader(message, name) ?? '',
        headers: parseHeaders(message.head).map(({ name, value }) => ({ name, value: decodeWords(value) })),
        text: plain ? withLinks(partText(plain)) : null,
        rich: parts.some((part) => isBody(part, 'text/html')),
        attachments: parts.filter((part) => part.filename !== ''),
      });
    }),
  );

  router.get(
    `${path}/html`,
    withMessage((message, _req, res) => {
      const parts = allParts(partsOf(message));
      const rich = parts.find((part) => isBody(part, 'text/html'));
      if (!rich) return void res.status(404).type('text').send('This message has no HTML.');
      const base = `/mail/${encodeURIComponent(message.mailbox)}/messages/${message.id}`;
      res.set({
        // Mail is a stranger's page: it may style itself and show its own pictures, and nothing else. It runs no script,
        // and so allow-same-origin only lets our page measure its height.
        'Content-Security-Policy':
          "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; sandbox allow-same-origin",
        'X-Content-Type-Options': 'nosniff',
      });
      return void res.type('html').send(withPictures(partText(rich), parts, base));
    }),
  );

  router.get(
    `${path}/parts/:part`,
    withMessage((message, req, res) => {
      const part = allParts(partsOf(message)).find(({ partId }) => partId === String(req.params['part']));
      if (!part) return void res.status(404).type('text').send('This message has no such part.');
      const shown =
        req.query['download'] === undefined &&
        /^(?:application\/pdf|image\/(?:png|jpeg|gif|webp))$/.test(part.mimeType);
      res.set({
        'Content-Type': shown ? part.mimeType : 'application/octet-stream',
        'Content-Disposition': `${shown ? 'inline' : 'attachment'}; filename*=UTF-8''${encodeURIComponent(part.filename || 'part')}`,
        'X-Content-Type-Options': 'nosniff',
      });
      return void res.send(part.content);
    }),
  );

  router.get(
    `${path}/source`,
    withMessage((message, _req, res) => {
      res.set('X-Content-Type-Options', 'nosniff').type('text/plain; charset=utf-8').send(rawOf(message));
    }),
  );

  function withMessage(show: (message: Message, req: Request, res: Response) => void) {
    return (req: Request, res: Response): void => {
      const mailbox = String(req.params['mailbox']).toLowerCase();
      const message = world.mail.get(mailbox, String(req.params['id']));
      if (message) show(message, req, res);
      else html(res, 'missing', { title: mailbox === OUTSIDE ? 'No such message outside' : 'No such message' }, 404);
    };
  }

  return router;
}

/** Plain text in pieces, addresses of web pages apart, so that people can follow them. */
function withLinks(text: string): { text: string; link: boolean }[] {
  return text.split(/(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)])/).map((piece, n) => ({ text: piece, link: n % 2 === 1 }));
}

function isBody(part: Part, mimeType: string): boolean {
  return part.mimeType === mimeType && part.filename === '' && part.parts.length === 0;
}

function without(labels: readonly string[], label: string): string[] {
  return labels.filter((other) => other !== label);
}

/** `cid:` pictures point at the parts that hold them. */
function withPictures(text: string, parts: readonly Part[], base: string): string {
  return text.replace(/cid:([^"'\s)>]+)/gi, (whole, id: string) => {
    const part = parts.find(({ contentId }) => contentId === decodeURIComponent(id));
    return part ? `${base}/parts/${part.partId}` : whole;
  });
}
