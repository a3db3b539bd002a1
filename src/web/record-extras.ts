import type { Response } from 'express';
import type { Extra } from '../documents/document.ts';
import { extraText } from '../documents/format.ts';
import type { DocumentRecord } from '../documents/store.ts';
import { rowsOf } from './render.ts';

const mostLineExtras = 50;

/** What the file of a record said besides, as the page shows it; of its lines the first that have any. */
export async function extrasOf(res: Response, { source, content }: DocumentRecord) {
  if (!source) return {};
  const shown = (extras: readonly Extra[]) => rowsOf(res, 'documents/extra-rows', extras, { extraText });
  const lines = content.lines.flatMap(({ extras }, index) =>
    extras.length > 0 ? [{ number: index + 1, extras }] : [],
  );
  const lineExtras: { number: number; extras: string }[] = [];
  for (const { number, extras } of lines.slice(0, mostLineExtras))
    lineExtras.push({ number, extras: await shown(extras) });
  return { extras: await shown(content.extras), lineExtras };
}
