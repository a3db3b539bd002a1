import { fileURLToPath } from 'node:url';
import ejs from 'ejs';
import type { Response } from 'express';

const VIEWS = fileURLToPath(new URL('../../views/', import.meta.url));

/** What a page needs beyond its own origin. */
export interface Html {
  /** An origin that a form of this page may end up at. */
  formAction?: string;
}

/**
 * Renders `views/<view>.ejs` inside the layout and sends it, under a policy without inline script or style. `title`
 * among the data names the page. A broken view becomes the error of the request.
 */
export function html(
  res: Response,
  view: string,
  data: { title: string } & Record<string, unknown>,
  status = 200,
  { formAction }: Html = {},
): void {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    `form-action 'self'${formAction ? ` ${formAction}` : ''}`,
  ];
  draw(view, data)
    .then((page) =>
      res
        .status(status)
        .set({
          'Content-Security-Policy': policy.join('; '),
          'Referrer-Policy': 'no-referrer',
          'Cache-Control': 'no-store',
        })
        .type('html')
        .send(page),
    )
    .catch((error: unknown) =>
      res
        .status(500)
        .type('text')
        .send(`Local Google could not draw this page: ${String(error)}`),
    );
}

async function draw(view: string, data: { title: string } & Record<string, unknown>): Promise<string> {
  const content = await ejs.renderFile(`${VIEWS}${view}.ejs`, { ...data, words });
  return ejs.renderFile(`${VIEWS}layout.ejs`, {
    narrow: view.startsWith('sign-in/'),
    sheet: SHEETS[view] ?? null,
    ...data,
    content,
  });
}

/** Views with a style sheet of their own. */
const SHEETS: Readonly<Record<string, string>> = { control: 'control', 'mail/compose': 'control' };

/** Small wordings that several views share. */
const words = {
  date: (at: number) =>
    new Date(at).toLocaleString('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }),
  fullDate: (at: number) => new Date(at).toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'short' }),
  duration: (ms: number) => {
    const hours = Math.round(ms / 3_600_000);
    const [count, unit] = hours >= 48 ? [Math.round(hours / 24), 'days'] : [hours, hours === 1 ? 'hour' : 'hours'];
    return count === 0 ? 'less than an hour' : `${count} ${unit}`;
  },
  size: (bytes: number) =>
    bytes < 1024
      ? `${bytes} bytes`
      : bytes < 1_048_576
        ? `${Math.round(bytes / 1024)} KB`
        : `${(bytes / 1_048_576).toFixed(1)} MB`,
  initial: (name: string) => [...name][0]?.toUpperCase() ?? '?',
  path: (text: string) => encodeURIComponent(text).replaceAll('%40', '@'),
};
