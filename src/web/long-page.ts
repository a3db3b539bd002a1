import type { Response } from 'express';
import { turn } from '../platform/turns.ts';

/**
 * Pages with lists whose length somebody else decides: a record may have thousands of lines. Their rows are kept beside the
 * page in pieces and never become one text with it: to put it together alone would keep everybody waiting. In the page a mark
 * stands in their place, with U+0000, which no text of anybody can hold.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
const mark = /\u0000rows (\d+)\u0000/;

/** Keeps the rows of a list for the page that is answered with; returns the mark that stands for them. */
export function keepRows(res: Response, pieces: string[]): string {
  const kept = keptOf(res);
  kept.push(pieces);
  return `\u0000rows ${kept.length - 1}\u0000`;
}

/** Changes a page and the rows in it, piece by piece in their order. */
export async function throughPieces(res: Response, html: string, change: (piece: string) => string): Promise<string> {
  const parts: string[] = [];
  for (const [index, part] of html.split(mark).entries()) {
    const rows = index % 2 === 1 ? keptOf(res)[Number(part)] : undefined;
    if (!rows) {
      parts.push(change(part));
      continue;
    }
    for (const [at, piece] of rows.entries()) {
      rows[at] = change(piece);
      await turn();
    }
    parts.push(`\u0000rows ${part}\u0000`);
  }
  return parts.join('');
}

/** Answers with a page that is finished, and lets others have their turn between pieces of it. */
export async function sendInPieces(res: Response, html: string): Promise<void> {
  const parts = html.split(mark);
  if (parts.length === 1) return void res.send(html);
  for (const [index, part] of parts.entries()) {
    const rows = index % 2 === 1 ? (keptOf(res)[Number(part)] ?? []) : [part];
    for (const piece of rows) {
      res.write(piece);
      await turn();
    }
  }
  res.end();
}

function keptOf(res: Response): string[][] {
  res.locals['rows'] ??= [];
  return res.locals['rows'];
}
