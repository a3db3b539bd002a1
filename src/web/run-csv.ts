import type { Response } from 'express';
import type { ReportRow } from '../deliveries/runs/report.ts';
import { formatAddress } from '../platform/address.ts';
import { pillOf } from './record-words.ts';
import { heldWords } from './run-words.ts';

/**
 * A cell of a table that Excel opens (RFC 4180). A text that begins like a formula is kept from being one by the
 * apostrophe that Excel itself uses for that (OWASP, "CSV Injection").
 */
export function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** A line of cells, with the end of line that the format asks for. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/** The first line of a run's report. */
export function reportHead(timeZone: string): string {
  const at = (what: string) => `${what} (${timeZone})`;
  // Excel takes the file for UTF-8 by this mark.
  return `\u{feff}${csvLine(['Number', 'Name', 'To', 'From', 'State', 'What happened', at('Started'), at('Sent'), 'Gmail message', 'SHA-256 of the PDF', 'Delivery'])}`;
}

/** One delivery in a run's report. */
export function reportLine(row: ReportRow, timeZone: string): string {
  const time = (date: Date | null) => (date === null ? '' : timeIn(timeZone, date));
  return csvLine([
    row.number,
    row.partyName,
    row.recipients.to.map(formatAddress).join(', '),
    row.fromEmail,
    pillOf(row).word,
    whatHappened(row),
    time(row.createdAt),
    time(row.sentAt),
    row.providerMessageId ?? '',
    row.sha256 ?? '',
    row.id,
  ]);
}

function whatHappened({ state, heldReason, lastDetail, replacedBy }: ReportRow): string {
  if (replacedBy !== null) return `Sent again as ${replacedBy}`;
  if (state === 'held' && heldReason !== null) return heldWords(heldReason).text;
  return lastDetail ?? '';
}

/** `2026-11-21 09:41:07`: sorts as it reads, and Excel knows it for a time. */
function timeIn(timeZone: string, date: Date): string {
  const known = formats.get(timeZone);
  const format = known ?? new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  if (!known) formats.set(timeZone, format);
  return format.format(date);
}
const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * Answers with a table, page by page, as fast as the browser takes it: never all of it in memory.
 *
 * @param pages each a text of whole lines
 */
export async function sendCsv(res: Response, fileName: string, pages: AsyncIterable<string>): Promise<void> {
  res.set({
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="${fileName}"`,
    'Cache-Control': 'private, no-store',
  });
  for await (const text of pages) {
    if (res.destroyed) return;
    if (!res.write(text)) await drained(res);
  }
  res.end();
}

function drained(res: Response): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      res.off('drain', done);
      res.off('close', done);
      resolve();
    };
    res.on('drain', done);
    res.on('close', done);
  });
}
