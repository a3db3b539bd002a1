import type { Page, Visitor } from './visitor.ts';

/** The page that starts a run, filled in as it was shown, ready to be posted. */
export async function runForm(visitor: Visitor, query: string): Promise<Record<string, string>> {
  const page = await visitor.get(`/runs/new?${query}`);
  if (page.status !== 200) throw new Error(`The page answered ${page.status}: ${page.text.slice(-800)}`);
  return { ...Object.fromEntries(new URLSearchParams(query)), ...filledIn(page) };
}

/** What a page that starts a run says in its hidden fields and its texts. */
export function filledIn({ text }: Page): { key: string; fingerprint: string; subject: string; message: string } {
  const value = (name: string) => unescaped(new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? '');
  const message = unescaped(/<textarea id="message"[^>]*>([^<]*)</.exec(text)?.[1] ?? '');
  return { key: value('key'), fingerprint: value('fingerprint'), subject: value('subject'), message };
}

/** Starts a run over the pages; returns its id. */
export async function startRunOf(visitor: Visitor, query: string, over: Record<string, string> = {}): Promise<string> {
  const page = await visitor.post('/runs', { ...(await runForm(visitor, query)), ...over });
  const id = page.location?.replace('/runs/', '');
  if (page.status !== 303 || !id) throw new Error(`It was not started: ${page.status} ${page.text.slice(-800)}`);
  return id;
}

function unescaped(html: string): string {
  const signs: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&#34;': '"', '&#39;': "'" };
  return html.replaceAll(/&(?:amp|lt|gt|#34|#39);/g, (sign) => signs[sign] ?? sign);
}
