/** What the person does on the sign-in pages. */
export interface Approval {
  /** The address of the account to choose. */
  account: string;
  /** Scopes to tick, as full names or the last part (`gmail.send`); left out, all of them. */
  tick?: readonly string[];
  /** true: says no on the consent page. */
  refuse?: boolean;
}

/**
 * Walks the sign-in pages over HTTP as a browser without JavaScript would, and answers the app's callback address, which
 * is not fetched. Throws with the page's heading when Local Google shows an error of its own.
 */
export async function approve(authorizeUrl: string, approval: Approval): Promise<string> {
  let cookie = '';
  let request: { url: string; form?: URLSearchParams } = { url: authorizeUrl };
  const origin = new URL(authorizeUrl).origin;
  for (let steps = 0; steps < 20; steps += 1) {
    const response = await fetch(request.url, {
      redirect: 'manual',
      headers: cookie === '' ? {} : { cookie },
      ...(request.form ? { method: 'POST', body: request.form } : {}),
    });
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie;
    const location = response.headers.get('location');
    if (location !== null) {
      const next = new URL(location, request.url);
      if (next.origin !== origin || next.searchParams.has('code') || next.searchParams.has('error')) return next.href;
      request = { url: next.href };
      continue;
    }
    const page = await response.text();
    if (response.status !== 200) throw new Error(`Local Google answered ${response.status}: ${headingOf(page)}`);
    request = fillIn(new URL(request.url), page, approval);
  }
  throw new Error('The sign-in pages of Local Google go round in circles');
}

function fillIn(at: URL, page: string, approval: Approval): { url: string; form: URLSearchParams } {
  const action = (step: string) => `${at.origin}${at.pathname}/${step}`;
  switch (/data-step="(\w+)"/.exec(page)?.[1]) {
    case 'account':
      return { url: action('account'), form: new URLSearchParams({ email: approval.account }) };
    case 'warning':
      return { url: action('unsafe'), form: new URLSearchParams() };
    case 'consent': {
      if (approval.refuse) return { url: action('decision'), form: new URLSearchParams({ decision: 'cancel' }) };
      const form = new URLSearchParams({ decision: 'allow' });
      for (const [, scope = ''] of page.matchAll(/name="scope" value="([^"]+)"/g)) {
        if (!approval.tick || approval.tick.some((name) => scope === name || scope.endsWith(`/${name}`))) {
          form.append('scope', scope);
        }
      }
      return { url: action('decision'), form };
    }
    default:
      throw new Error(`Local Google shows a page that nobody expected: ${headingOf(page)}`);
  }
}

function headingOf(page: string): string {
  return (/<h1[^>]*>([^<]*)/.exec(page)?.[1] ?? page.slice(0, 200)).trim();
}
