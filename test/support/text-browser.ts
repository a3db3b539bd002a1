import { type HTMLElement, parse } from 'node-html-parser';
import type { Cookie } from './session.ts';

/** A page as it was answered. */
interface Seen {
  readonly url: URL;
  readonly status: number;
  readonly root: HTMLElement;
  readonly html: string;
  readonly csp: string;
  /** Whether its address alone shows it again. */
  readonly got: boolean;
}

/** What a file field is given. */
export interface ChosenFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * A browser of words: it keeps cookies, follows redirects, fills in the forms that are on a page and presses the buttons
 * that are there, as somebody does who sees neither styles nor scripts. For what a page says and what a button does it is as
 * good as Chromium, at a hundredth of the cost. Where layout or scripts matter, use Chromium.
 */
export class TextBrowser {
  readonly #base: string;
  readonly #jars = new Map<string, Map<string, string>>();
  readonly #files = new Map<HTMLElement, ChosenFile>();
  #seen: Seen | undefined;

  constructor(base: string) {
    this.#base = base;
  }

  /** Sets a cookie of the site it begins with. */
  setCookie({ name, value }: Cookie): void {
    this.#jarOf(new URL(this.#base)).set(name, value);
  }

  /** The cookies of the site it begins with. */
  cookies(): Cookie[] {
    return [...this.#jarOf(new URL(this.#base))].map(([name, value]) => ({ name, value }));
  }

  get url(): URL {
    return this.#page.url;
  }

  get status(): number {
    return this.#page.status;
  }

  /** The page at hand where it was the answer to a form, so that its address alone does not show it again. */
  get answered(): { readonly html: string; readonly csp: string } | null {
    return this.#page.got ? null : this.#page;
  }

  async goto(address: string): Promise<void> {
    await this.#ask(new URL(address, this.#base), { method: 'GET' });
  }

  async reload(): Promise<void> {
    await this.#ask(this.url, { method: 'GET' });
  }

  /** What the one element says, with white space as a reader sees it. */
  text(selector = '#main'): string {
    return words(this.#one(selector));
  }

  /** What each of these elements says. */
  texts(selector: string): string[] {
    return this.all(selector).map(words);
  }

  all(selector: string): HTMLElement[] {
    return this.#page.root.querySelectorAll(selector);
  }

  attribute(selector: string, name: string): string | undefined {
    return this.#one(selector).getAttribute(name);
  }

  /** The buttons of this name, in this part of the page. */
  buttons(name: string | RegExp, within = this.#page.root): HTMLElement[] {
    return within.querySelectorAll('button').filter((each) => named(each, name));
  }

  links(name: string | RegExp): HTMLElement[] {
    return this.all('a[href]').filter((each) => named(each, name));
  }

  /** The control that has this label, in this part of the page. */
  field(label: string | RegExp, within = this.#page.root): HTMLElement {
    const labels = within.querySelectorAll('label').filter((each) => named(each, label));
    const exact = labels.filter((each) => words(each) === label);
    for (const each of exact.length > 0 ? exact : labels) {
      const id = each.getAttribute('for');
      const control = id ? this.all(`[id="${id}"]`)[0] : each.querySelector('input, select, textarea');
      if (control) return control;
    }
    const aria = this.all('[aria-label]').find((each) => matches(each.getAttribute('aria-label') ?? '', label));
    if (aria) return aria;
    throw new Error(`Nothing at ${this.url} has the label ${label}: ${this.texts('label').join(' | ')}`);
  }

  fill(label: string | RegExp, value: string, within?: HTMLElement): void {
    const field = this.field(label, within);
    if (field.tagName === 'TEXTAREA') field.textContent = value;
    else field.setAttribute('value', value);
  }

  /** Ticks a box, or chooses one of several. */
  check(label: string | RegExp): void {
    const field = this.field(label);
    if (field.hasAttribute('disabled')) throw new Error(`${label} cannot be chosen.`);
    if (field.getAttribute('type') === 'radio')
      for (const each of this.all(`input[name="${field.getAttribute('name')}"]`)) each.removeAttribute('checked');
    field.setAttribute('checked', '');
  }

  /** Chooses the option that says so. */
  select(label: string | RegExp, option: string): void {
    const options = this.field(label).querySelectorAll('option');
    const chosen = options.find((each) => words(each) === option);
    if (!chosen) throw new Error(`${label} offers no ${option}: ${options.map(words).join(' | ')}`);
    if (chosen.hasAttribute('disabled')) throw new Error(`${option} cannot be chosen.`);
    for (const each of options) each.removeAttribute('selected');
    chosen.setAttribute('selected', '');
  }

  chooseFile(label: string | RegExp, file: ChosenFile): void {
    this.#files.set(this.field(label), file);
  }

  /** Follows a link; of several of that name, the first. */
  async follow(name: string | RegExp): Promise<void> {
    await this.#ask(this.#addressOf(name), { method: 'GET' });
  }

  /** What a link of this name lets somebody download; the page stays. */
  download(name: string | RegExp): Promise<{ readonly fileName: string; readonly text: string }> {
    return this.#save(this.#addressOf(name), { method: 'GET' });
  }

  /** The same by a button. */
  pressToDownload(
    name: string | RegExp,
    within?: HTMLElement,
  ): Promise<{ readonly fileName: string; readonly text: string }> {
    return this.#save(...this.#requestOf(name, within));
  }

  /** Presses a button that sends a form; of several of that name, the first that is no mere opener. */
  async press(name: string | RegExp, within?: HTMLElement): Promise<void> {
    await this.#ask(...this.#requestOf(name, within));
  }

  #addressOf(link: string | RegExp): URL {
    const [found] = this.links(link);
    if (!found) throw new Error(`No link ${link} at ${this.url}: ${this.texts('a').join(' | ')}`);
    return new URL(found.getAttribute('href') ?? '', this.url);
  }

  #requestOf(name: string | RegExp, within?: HTMLElement): [URL, RequestInit] {
    const button = this.buttons(name, within).find((each) => each.getAttribute('type') !== 'button');
    if (!button) throw new Error(`No button ${name} at ${this.url}: ${this.texts('button').join(' | ')}`);
    if (button.hasAttribute('disabled')) throw new Error(`${name} cannot be pressed.`);
    const form = this.#formOf(button);
    const action = button.getAttribute('formaction') ?? form.getAttribute('action') ?? '';
    const target = new URL(action || this.url.href, this.url);
    const pairs = this.#fieldsOf(form);
    const own = button.getAttribute('name');
    if (own) pairs.push([own, button.getAttribute('value') ?? '']);
    if (form.getAttribute('method')?.toLowerCase() !== 'post') {
      target.search = new URLSearchParams(
        pairs.map(([key, value]): [string, string] => [key, String(value)]),
      ).toString();
      return [target, { method: 'GET' }];
    }
    const body = form.getAttribute('enctype') === 'multipart/form-data' ? new FormData() : new URLSearchParams();
    for (const [key, value] of pairs)
      if (typeof value === 'string') body.append(key, value);
      else if (body instanceof FormData) body.append(key, value);
    const site = target.origin === this.url.origin ? 'same-origin' : 'cross-site';
    return [target, { method: 'POST', body, headers: { origin: this.url.origin, 'sec-fetch-site': site } }];
  }

  async #save(url: URL, request: RequestInit) {
    const response = await fetch(url, { ...request, headers: { cookie: this.#cookieFor(url), ...request.headers } });
    const [, fileName = ''] = /filename="?([^";]+)/.exec(response.headers.get('content-disposition') ?? '') ?? [];
    return { fileName, text: await response.text() };
  }

  get #page(): Seen {
    if (!this.#seen) throw new Error('No page is open yet.');
    return this.#seen;
  }

  #one(selector: string): HTMLElement {
    const [found] = this.all(selector);
    if (!found) throw new Error(`Nothing at ${this.url} is ${selector}: ${words(this.#page.root).slice(0, 400)}`);
    return found;
  }

  #formOf(button: HTMLElement): HTMLElement {
    const id = button.getAttribute('form');
    const form = id ? this.all(`form[id="${id}"]`)[0] : button.closest('form');
    if (!form) throw new Error(`The button ${words(button)} at ${this.url} belongs to no form.`);
    return form;
  }

  /** What of a form is sent, by the rules of HTML. */
  #fieldsOf(form: HTMLElement): [string, string | File][] {
    const id = form.getAttribute('id');
    const elsewhere = id ? this.all(`[form="${id}"]`) : [];
    const controls = [
      ...form.querySelectorAll('input, select, textarea').filter((c) => !c.hasAttribute('form')),
      ...elsewhere,
    ];
    return controls.flatMap((control): [string, string | File][] => {
      const name = control.getAttribute('name');
      if (!name || control.hasAttribute('disabled') || control.closest('fieldset[disabled]')) return [];
      if (control.tagName === 'BUTTON') return [];
      if (control.tagName === 'TEXTAREA') return [[name, control.textContent.replace(/^\n/, '')]];
      if (control.tagName === 'SELECT') return chosen(control).map((value) => [name, value]);
      const type = control.getAttribute('type') ?? 'text';
      if (['submit', 'button', 'image', 'reset'].includes(type)) return [];
      const file = this.#files.get(control);
      if (type === 'file') return [[name, new File(file ? [file.bytes] : [], file?.name ?? '')]];
      const ticked = type === 'checkbox' || type === 'radio';
      if (ticked && !control.hasAttribute('checked')) return [];
      return [[name, control.getAttribute('value') ?? (ticked ? 'on' : '')]];
    });
  }

  async #ask(first: URL, init: RequestInit): Promise<void> {
    let [url, request] = [first, init];
    for (let redirects = 0; redirects < 20; redirects += 1) {
      const cookie = this.#cookieFor(url);
      const headers = { accept: 'text/html', ...(cookie && { cookie }), ...request.headers };
      const response = await fetch(url, { ...request, headers, redirect: 'manual' });
      for (const line of response.headers.getSetCookie()) keep(this.#jarOf(url), line);
      const text = await response.text();
      const location = response.headers.get('location');
      if (location === null || response.status < 300 || response.status >= 400) {
        const root = parse(text);
        const csp = response.headers.get('content-security-policy') ?? '';
        this.#seen = { url, status: response.status, root, html: text, csp, got: request.method === 'GET' };
        this.#files.clear();
        return;
      }
      url = new URL(location, url);
      request = { method: 'GET' };
    }
    throw new Error(`${first} leads from page to page without end.`);
  }

  #cookieFor(url: URL): string {
    return [...this.#jarOf(url)].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  #jarOf({ origin }: URL): Map<string, string> {
    const jar = this.#jars.get(origin) ?? new Map<string, string>();
    this.#jars.set(origin, jar);
    return jar;
  }
}

const words = (element: HTMLElement) => element.text.replace(/\s+/g, ' ').trim();

function matches(text: string, name: string | RegExp): boolean {
  return typeof name === 'string' ? text.toLowerCase().includes(name.toLowerCase()) : name.test(text);
}

function named(element: HTMLElement, name: string | RegExp): boolean {
  return matches(element.getAttribute('aria-label') ?? words(element), name);
}

function chosen(select: HTMLElement): string[] {
  const options = select.querySelectorAll('option');
  const selected = options.filter((option) => option.hasAttribute('selected'));
  const sent = selected.length > 0 || select.hasAttribute('multiple') ? selected : options.slice(0, 1);
  return sent.map((option) => option.getAttribute('value') ?? words(option));
}

function keep(jar: Map<string, string>, line: string): void {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
  if (/max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
  else jar.set(name, value);
}
