/** What holds text in which no tag of the page stands, or a tag. Quoted attributes may hold a `>`. */
const markup = /<(textarea|title|script|style)\b[\s\S]*?<\/\1>|<!--[\s\S]*?-->|<[a-z](?:"[^"]*"|'[^']*'|[^'">])*>/gi;

/** An attribute of a tag, with its name and its value. */
const attribute = /(?<=\s)([a-z][a-z-]*)(?:="([^"]*)"|='([^']*)')?/gi;

/** Attributes that name where something is asked for or sent to, whatever the tag. */
const leading = new Set(['formaction', 'hx-get', 'hx-post', 'hx-put', 'hx-patch', 'hx-delete']);

/** The name of the parameter, in the query of an address: it is read before any body is. */
export const companyParam = 'company';

/**
 * Writes the company into every place of a page from which something is written: the action of each form that posts, the
 * `formaction` of a button, the request of htmx. No view can forget it. What a page asks for by itself carries it too:
 * otherwise a tab that stayed open would be filled with another company's data.
 *
 * @param html a page, or a piece of one, as it was rendered
 * @param tenantId of the company whose page it is
 * @param here path and query of the page: where a form without an action leads
 */
export function carryCompany(html: string, tenantId: string, here: string): string {
  return html.replaceAll(markup, (tag, holdsText: string | undefined) => {
    if (holdsText !== undefined || tag.startsWith('<!--')) return tag;
    // Most tags of a long page lead nowhere.
    if (!/^<form\b|action|\shx-/i.test(tag)) return tag;
    const carried = tag.replaceAll(attribute, (whole, name: string, double?: string, single?: string) => {
      const value = double ?? single;
      const leads = leading.has(name.toLowerCase()) || (name.toLowerCase() === 'action' && isPost(tag));
      return leads && value ? `${name}="${withCompany(value, tenantId, '&amp;')}"` : whole;
    });
    if (!isPost(tag) || /\saction="[^"]/i.test(carried)) return carried;
    const action = withCompany(withoutCompany(here), tenantId, '&').replaceAll('&', '&amp;').replaceAll('"', '&quot;');
    return carried.replace(/\saction(?:=(?:""|''))?(?=[\s>])/i, '').replace(/^<form/i, `<form action="${action}"`);
  });
}

function isPost(tag: string): boolean {
  return /^<form\b/i.test(tag) && /\smethod=["']?post\b/i.test(tag);
}

/**
 * An address of ours with the company in its query. One of another site, and one that names a company, stay as they are.
 *
 * @param and what stands between two parameters: `&`, or `&amp;` within HTML
 */
export function withCompany(address: string, tenantId: string, and: '&' | '&amp;'): string {
  if (!address.startsWith('/') || address.startsWith('//') || /[?&;]company=/.test(address)) return address;
  const [path = '', hash] = address.split('#', 2);
  const carried = `${path}${path.includes('?') ? and : '?'}${companyParam}=${tenantId}`;
  return hash === undefined ? carried : `${carried}#${hash}`;
}

/** An address without what {@link carryCompany} wrote into it, without a wish to switch or a form that was kept. */
export function withoutCompany(address: string): string {
  const [path = '', query = ''] = address.split('?', 2);
  const rest = query.split('&').filter((part) => part !== '' && !/^(company|switch|kept)=/.test(part));
  return rest.length === 0 ? path : `${path}?${rest.join('&')}`;
}
