import { createHash } from 'node:crypto';
import { type Request, Router } from 'express';
import { readAttachedFile } from '../deliveries/attached-files.ts';
import { getAttachment, getDelivery } from '../deliveries/delivery.ts';
import { freezeToLook } from '../deliveries/freeze.ts';
import { inTenant } from '../tenants/scope.ts';
import type { WebContext } from './context.ts';
import { found, PageError } from './errors.ts';
import { onlyIds } from './query.ts';
import { pdfTrouble, sendAttachment, sendInline } from './record-pdf.ts';
import { onlookerOf, param, viewerOf } from './viewer.ts';

/** What is attached to an email, to look at and to keep: its PDF, and the record's files that go along with it. */
export function deliveryFiles(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get('/deliveries/:id/attachments/:name', async (req, res) => {
    const viewer = viewerOf(res);
    const { tenantId } = viewer;
    const onlooker = onlookerOf(viewer);
    const id = param(req, 'id');
    const name = param(req, 'name');
    const delivery = found(await inTenant(ctx.db, tenantId, (trx) => getDelivery(trx, tenantId, onlooker, id)));
    // Whoever looks before it is sent sees, and freezes, the very bytes that will be.
    if (delivery.pdfToMake === name) await freeze(ctx, tenantId, id);
    const file = found(await inTenant(ctx.db, tenantId, (trx) => getAttachment(trx, tenantId, onlooker, id, name)));
    res.set('Repr-Digest', checked(ctx, tenantId, id, file));
    sendInline(res, file.mediaType, file.fileName, file.bytes);
  });

  // Never shown by the browser: anybody may have put it into the file that was imported.
  router.get('/deliveries/:id/files/:position', async (req, res) => {
    const viewer = viewerOf(res);
    const { tenantId } = viewer;
    const onlooker = onlookerOf(viewer);
    const id = param(req, 'id');
    const position = positionIn(req);
    const file = found(
      await inTenant(ctx.db, tenantId, (trx) => readAttachedFile(trx, tenantId, onlooker, id, position)),
    );
    res.set('Repr-Digest', checked(ctx, tenantId, id, file));
    sendAttachment(res, file.fileName, file.bytes);
  });

  return router;
}

function positionIn(req: Request): number {
  const position = param(req, 'position');
  return found(/^[1-9]\d{0,3}$/.test(position) ? Number(position) : undefined);
}

/** RFC 9530: whoever keeps a file can hold it against what was sent. @throws {PageError} where it is not that any more */
function checked(
  ctx: WebContext,
  tenantId: string,
  deliveryId: string,
  file: { readonly bytes: Uint8Array; readonly sha256: string },
): string {
  const digest = createHash('sha256').update(file.bytes).digest();
  if (digest.toString('hex') !== file.sha256) {
    ctx.log.error({ tenantId, deliveryId }, 'an attachment is not the bytes that were kept');
    throw damaged(deliveryId);
  }
  return `sha-256=:${digest.toString('base64')}:`;
}

async function freeze(ctx: WebContext, tenantId: string, deliveryId: string): Promise<void> {
  try {
    await freezeToLook(ctx, tenantId, deliveryId);
  } catch (cause) {
    throw pdfTrouble(cause, { href: `/deliveries/${deliveryId}`, label: 'Back to the email' });
  }
}

/** What is kept is not what was sent: it must not be shown as that. */
function damaged(deliveryId: string): PageError {
  return new PageError(500, 'damaged', {
    title: 'This file is damaged',
    message:
      'What is kept of it is not what was attached to the email, so it is not shown. It was written down for whoever runs Letterhead. The email itself is in Gmail, with the right file.',
    next: { href: `/deliveries/${deliveryId}`, label: 'Back to the email' },
  });
}
