import type { Permission } from '../../src/web/permission-words.ts';
import { found, type Seat } from './found.ts';
import type { Product } from './product.ts';
import { type Cookie, sessionCookie } from './session.ts';

/** Fields of a form; as pairs where one comes several times. */
export type FormFields = Record<string, string> | [string, string][];

/** Somebody at the pages, without a browser: keeps cookies, follows nothing by itself. */
export interface Visitor {
  get(path: string): Promise<Page>;
  /** The same with everything that is in the page, also where an address may break and which company each form names. */
  raw(path: string): Promise<Page>;
  /** Brings Google's answer; returns what the callback answered, or the page about an answer that came to nothing. */
  bring(callback: string): Promise<Page>;
  /** Posts a form as one of our own pages would; `headers` to be somebody else. */
  post(
    path: string,
    form?: Record<string, string> | [string, string][],
    headers?: Record<string, string>,
  ): Promise<Page>;
  /** The same, with everything that is in the page that answers it. */
  postRaw(path: string, form?: FormFields, headers?: Record<string, string>): Promise<Page>;
  /** Posts files from a file field, as a browser does. */
  upload(
    path: string,
    field: string,
    files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
  ): Promise<Page>;
  /** Signs in at Google as this account. */
  signIn(account: string): Promise<void>;
  /** The same, and accepts every invitation to it. */
  join(account: string): Promise<void>;
  /** Connects Gmail; returns the page that the callback led to. */
  connect(account: string, options?: AtGoogle & { kind?: 'shared' | 'personal'; mailboxId?: string }): Promise<Page>;
  /** Switches a permission of this account's mailbox on, at Google; returns the page that the callback led to. */
  permit(permission: Permission, account: string, options?: AtGoogle): Promise<Page>;
}

/** What somebody does on Google's page: ticks only these boxes, or says no. */
export interface AtGoogle {
  readonly tick?: readonly string[];
  readonly refuse?: boolean;
}

/** An answer. */
export interface Page {
  readonly status: number;
  readonly location: string | null;
  readonly text: string;
  readonly headers: Headers;
}

/** What a page says, without its markup. */
export function said({ text }: Page): string {
  return text
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', '’')
    .replace(/\s+/g, ' ');
}

/** A session that is there before the first page. */
interface Session {
  readonly cookie: Cookie;
  /** The company that it looks at. */
  readonly tenantId: string;
}

/** How a browser says that a form is one of our own pages. */
const ours = { 'sec-fetch-site': 'same-origin' };

/** Addresses of forms that belong to the person and to no company; after them it may be another company. */
const isPersonal = (path: string) => /^\/(sign-in\/google|sign-out|tenant-switch|welcome|invitations\/)/.test(path);

/**
 * A new visitor with an empty cookie jar, unless a session is begun already; its forms name the company whose pages it last
 * saw.
 */
export function visitor({ url, google }: Pick<Product, 'url' | 'google'>, begun?: Session): Visitor {
  const jar = new Map(begun && [[begun.cookie.name, begun.cookie.value]]);
  // The company of the pages it looks at: each form of theirs names it. Undefined where it may be another one now.
  let company = begun?.tenantId;

  const ask = async (path: string, init: RequestInit): Promise<Page> => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...(cookie && { cookie }), ...init.headers };
    const response = await fetch(new URL(path, url), { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    const text = await response.text();
    company = /"\/sign-out\?company=([0-9a-f-]{36})"/.exec(text)?.[1] ?? company;
    return { status: response.status, location: response.headers.get('location'), text, headers: response.headers };
  };
  /** Where an address may break is no business of what a page says, nor which company each form names. */
  const plain = (page: Page): Page => ({
    ...page,
    text: page.text.replaceAll('<wbr>', '').replaceAll(/(?:\?|&amp;)company=[0-9a-f-]{36}(?=["&])/g, ''),
  });
  const get = async (path: string) => plain(await ask(path, {}));
  /** Sees which company it is. Any page says it; asked for as a piece of one, it leaves what the next page is to say. */
  const look = async () => {
    company = undefined;
    await ask('/-', { headers: { 'hx-request': 'true' } });
  };
  /** The address that a form on a page would have: with the company of the page. */
  const ofCompany = (path: string) => {
    if (isPersonal(path) || path.includes('company=')) return path;
    return company === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}company=${company}`;
  };
  const send = async (path: string, form: FormFields, headers: Record<string, string>) => {
    const page = await ask(ofCompany(path), { method: 'POST', body: new URLSearchParams(form), headers });
    if (isPersonal(path) && page.status === 303) await look();
    return page;
  };
  const post: Visitor['post'] = async (path, form = {}, headers = ours) => plain(await send(path, form, headers));

  const bring = async (callback: string) => {
    const page = await get(callback);
    return page.location === '/google/answer' ? get(page.location) : page;
  };
  const atGoogle = async (start: Page, account: string, { tick, refuse }: AtGoogle) => {
    const approval = { account, ...(tick && { tick }), ...(refuse && { refuse }) };
    const page = await get(await google.approve(start.location ?? '', approval));
    return page.location ? get(page.location) : page;
  };

  const signIn = async (account: string) => {
    const start = await post('/sign-in/google');
    const page = await bring(await google.approve(start.location ?? '', { account }));
    if (page.status !== 303)
      throw new Error(`Signing in as ${account} answered ${page.status}: ${page.text.slice(-800)}`);
    await look();
  };

  return {
    get,
    signIn,
    raw: (path) => ask(path, {}),
    postRaw: (path, form = {}, headers = ours) => send(path, form, headers),
    bring,
    post,
    async upload(path, field, files) {
      const body = new FormData();
      for (const { name, bytes } of files) body.append(field, new File([Uint8Array.from(bytes)], name));
      return plain(await ask(ofCompany(path), { method: 'POST', body, headers: ours }));
    },
    async join(account) {
      await signIn(account);
      const listed = await get('/companies');
      const { text } = listed.location ? await get(listed.location) : listed;
      for (const [, invitation = ''] of text.matchAll(/href="(\/invitations\/[^"]+)"/g)) {
        const role = /name="role" value="([^"]+)"/.exec((await get(invitation)).text)?.[1] ?? '';
        const page = await post(`${invitation}/acceptance`, { role });
        if (page.status !== 303) throw new Error(`Accepting answered ${page.status}: ${page.text.slice(-800)}`);
      }
    },
    connect: async (account, { kind = 'shared', mailboxId = '', ...answer } = {}) =>
      atGoogle(await post('/mailboxes/connection', { kind, mailboxId }), account, answer),
    async permit(permission, account, answer = {}) {
      const [, id] = new RegExp(`id="mailbox-([^"]+)">${account}<`).exec((await get('/settings/email')).text) ?? [];
      return atGoogle(await post(`/mailboxes/${id}/permissions/${permission}`, { switch: 'on' }), account, answer);
    },
  };
}

/** A visitor who is signed in, as if they had come by Google's pages. */
export async function signedIn(letterhead: Product, { personId, tenantId }: Seat): Promise<Visitor> {
  return visitor(letterhead, { cookie: await sessionCookie(letterhead, { personId, tenantId }), tenantId });
}

/** A visitor who founded a company, in which what is sent leaves at once. */
export async function founder(
  letterhead: Product,
  account = 'dana@brightwater.example',
  name = 'Brightwater Joinery',
): Promise<Visitor> {
  return signedIn(letterhead, await found(letterhead, account, name));
}
