/** A tag, or what holds text in which no tag may stand: those are left as they are. Quoted attributes may hold a `>`. */
const markup =
  /<(textarea|title|option|script|style)\b[\s\S]*?<\/\1>|<!--[\s\S]*?-->|<\/?[a-z](?:"[^"]*"|'[^']*'|[^'">])*>/gi;

/** An address in a text. It begins where a word begins, so that a very long word is looked through once. */
const address = /(?<![\p{L}\p{N}._%+-])([\p{L}\p{N}._%+-]+)@([\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*)/gu;

/** So many letters fit beside each other on a phone; what is longer may break at its dots and hyphens, too. */
const fits = 22;

/**
 * Lets the addresses in a page break where a person would break them: before the `@`, and a long part of one after a
 * dot, hyphen, underscore or plus. Without such places a browser breaks them after any letter, or not at all.
 *
 * @param html a page, or a piece of one, as it was rendered
 */
export function breakAddresses(html: string): string {
  if (!html.includes('@')) return html;
  let broken = '';
  let end = 0;
  for (const { 0: found, index } of html.matchAll(markup)) {
    broken += inText(html.slice(end, index)) + found;
    end = index + found.length;
  }
  return broken + inText(html.slice(end));
}

function inText(text: string): string {
  if (!text.includes('@')) return text;
  return text.replaceAll(address, (_all, local: string, domain: string) => `${part(local)}<wbr>@${part(domain)}`);
}

function part(text: string): string {
  return text.length > fits ? text.replaceAll(/[.\-_+](?=.)/g, '$&<wbr>') : text;
}
