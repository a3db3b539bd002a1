import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { getTenant } from '../../src/tenants/tenants.ts';
import { createApp } from '../../src/web/app.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { routesOf } from '../support/routes.ts';
import { anInvoice } from '../support/send-page.ts';
import { said, type Visitor, visitor } from '../support/visitor.ts';

/** Forms that belong to a person, or to nobody: they are no company's. */
const personal = [
  'POST /google/risc',
  'POST /invitations/:id/acceptance',
  'POST /invitations/:id/decline',
  'POST /sign-in/google',
  'POST /sign-out',
  'POST /tenant-switch',
  'POST /welcome',
];

let letterhead: TestLetterhead;
let first: Company;
/** Another company of the same person, which they look at. */
let second: { readonly tenantId: string };
let dana: Visitor;

beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  first = await company(letterhead);
  dana = first.founder;
  await dana.post('/welcome', { name: 'Second Ltd', country: 'DE', currency: 'EUR', timeZone: 'Europe/Berlin' });
  second = { tenantId: await shownTo(dana) };
});
afterAll(() => letterhead.close());

/** The company whose pages somebody looks at. */
async function shownTo(visitor: Visitor): Promise<string> {
  const { text } = await visitor.raw('/settings/company');
  return /"\/sign-out\?company=([^"]+)"/.exec(text)?.[1] ?? '';
}

const stored = ({ tenantId }: { readonly tenantId: string }) =>
  inTenant(letterhead.database.db, tenantId, (trx) => getTenant(trx, tenantId));

describe('every route that writes', () => {
  const writes = () =>
    routesOf(createApp(letterhead.context, letterhead.database.pool)).filter((route) => !/^(GET|HEAD) /.test(route));

  it('is known: those that belong to no company are these, and no more', () => {
    expect(writes().length).toBeGreaterThan(30);
    expect(writes()).toEqual(expect.arrayContaining(personal));
  });

  it('refuses a form of another company, of a strange one, and one that names none', async () => {
    const strange = [
      `company=${randomUUID()}`,
      'company=',
      `company=${first.tenantId}&company=x`,
      'switch=yes&company=',
    ];
    for (const [number, route] of writes()
      .filter((each) => !personal.includes(each))
      .entries()) {
      const address = route.replace(/^\w+ /, '').replaceAll(/:\w+/g, randomUUID());
      // All of them meet the same check: one of the strange ones each.
      for (const query of [`company=${first.tenantId}`, strange[number % strange.length] ?? '']) {
        const page = await dana.post(`${address}?${query}`, { name: 'Overwritten' });
        expect([page.status, query], `${route} ${page.text.slice(-400)}`).toEqual([409, query]);
      }
    }
  });
});

describe('every page', () => {
  it('is made where the company is written into its forms', async () => {
    const web = path.join(import.meta.dirname, '../../src/web');
    const files = (await readdir(web, { recursive: true })).filter((file) => file.endsWith('.ts'));
    expect(files.length).toBeGreaterThan(50);
    for (const file of files.filter((each) => each !== 'render.ts')) {
      expect(await readFile(path.join(web, file), 'utf8'), file).not.toMatch(/renderFile|\.type\('html'\)|from 'ejs'/);
    }
  });

  it('that a walk from the start page reaches names its company in each form and each request', async () => {
    const record = await anInvoice(letterhead, first);
    const walker = visitor(letterhead);
    await walker.signIn(first.account);
    await walker.post('/tenant-switch', { tenantId: first.tenantId });
    await first.send();
    const [seen, waiting] = [new Set<string>(), ['/', `/documents/${record.id}/deliveries/new`, '/nothing']];
    let forms = 0;
    while (waiting.length > 0 && seen.size < 120) {
      const address = waiting.shift() ?? '';
      // One of each kind is enough.
      const kind = address.replaceAll(/[0-9a-f-]{36}/g, ':id').replace(/[?#].*/, '');
      if (seen.has(kind)) continue;
      seen.add(kind);
      const { status, text, headers } = await walker.raw(address);
      if (!headers.get('content-type')?.includes('html')) continue;
      for (const [tag] of text.matchAll(/<[a-z](?:"[^"]*"|[^">])*>/gi)) {
        const leads = [...tag.matchAll(/\s(?:formaction|hx-(?:get|post))="([^"]*)"/g)].map(([, to = '']) => to);
        if (/^<form/.test(tag) && /method="post"/.test(tag)) leads.push(/\saction="([^"]*)"/.exec(tag)?.[1] ?? '');
        for (const to of leads) expect(to, `${address} (${status}): ${tag}`).toContain(`company=${first.tenantId}`);
        forms += leads.length;
      }
      for (const [, href = ''] of text.matchAll(/\shref="(\/[^"]*)"/g)) waiting.push(href.replaceAll('&amp;', '&'));
    }
    expect([...seen]).toEqual(
      expect.arrayContaining(['/settings/company', '/documents/:id', '/runs', '/mailboxes/:id']),
    );
    expect(forms).toBeGreaterThan(60);
  });
});

describe('a form of one company, saved while looking at another', () => {
  const typed = {
    country: 'IE',
    currency: 'EUR',
    timeZone: 'Europe/Dublin',
    street: '1 Quay "Street" <b>',
    extraStreet: '',
    city: '',
  };
  const form = {
    ...typed,
    name: 'Renamed Ltd',
    postalCode: '',
    region: '',
    taxId: '',
    email: '',
    phone: '',
    website: '',
    paymentDetails: '\n\nIBAN 1',
  };

  it('changes nothing, names both, keeps what was typed, and is saved after switching back', async () => {
    const before = [await stored(first), await stored(second)];
    const page = await dana.post(`/settings/company?company=${first.tenantId}`, form);
    expect(page.status).toBe(409);
    expect(said(page)).toContain(`This page belongs to ${before[0]?.name}`);
    expect(said(page)).toContain('Second Ltd');
    expect([await stored(first), await stored(second)]).toEqual(before);

    // The next form is that of the page: everything typed, and the wish to switch.
    const raw = await dana.postRaw(`/settings/company?company=${first.tenantId}`, form);
    const action = /<form method="post" action="(\/settings[^"]*)"/.exec(raw.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect(action).toBe(`/settings/company?company=${first.tenantId}&switch=yes`);
    const kept = [...raw.text.matchAll(/<textarea hidden name="([^"]*)">\n([^<]*)<\/textarea>/g)];
    const fields = Object.fromEntries(kept.map(([, name = '', value = '']) => [name, unescaped(value)]));
    expect(fields).toEqual(form);
    const saved = await dana.post(action, fields);
    expect([saved.status, saved.location]).toEqual([303, '/settings/company']);
    expect(await stored(first)).toMatchObject({ name: 'Renamed Ltd', street: '1 Quay "Street" <b>' });
    expect(await stored(second)).toEqual(before[1]);
    expect(await shownTo(dana)).toBe(first.tenantId);
    await dana.post('/tenant-switch', { tenantId: second.tenantId });
  });

  it('is not switched back by anybody but a member, and by no link', async () => {
    const stranger = await company(letterhead);
    const refused = await dana.post(`/settings/company?company=${stranger.tenantId}&switch=yes`, form);
    expect([refused.status, said(refused)]).toEqual([409, expect.not.stringContaining((await stored(stranger)).name)]);
    await dana.get(`/settings/company?company=${first.tenantId}&switch=yes`);
    expect(await shownTo(dana)).toBe(second.tenantId);
    const cross = { 'sec-fetch-site': 'cross-site' };
    expect((await dana.post(`/settings/company?company=${first.tenantId}&switch=yes`, form, cross)).status).toBe(403);
    expect((await dana.post('/tenant-switch', { tenantId: first.tenantId }, cross)).status).toBe(403);
    expect(await shownTo(dana)).toBe(second.tenantId);
  });

  it('with files says that they are to be chosen again', async () => {
    const page = await dana.upload(`/imports?company=${first.tenantId}`, 'files', [
      { name: 'a.xml', bytes: new Uint8Array([60]) },
    ]);
    expect([page.status, said(page)]).toEqual([409, expect.stringContaining('Files are not kept')]);
  });

  it('invites nobody, and connects no Gmail', async () => {
    const invitation = { email: 'x@outside.example', role: 'admin' };
    expect((await dana.post(`/settings/members/invitations?company=${first.tenantId}`, invitation)).status).toBe(409);
    const start = await dana.post(`/mailboxes/connection?company=${first.tenantId}`, { kind: 'shared' });
    expect([start.status, start.location]).toEqual([409, null]);
    expect((await dana.get('/settings/members')).text).not.toContain('x@outside.example');
  });
});

describe('a consent that was begun for one company', () => {
  it('connects nothing for another one, and names both', async () => {
    await dana.post('/tenant-switch', { tenantId: first.tenantId });
    letterhead.google.accounts.add({ email: 'more@office.example', name: 'More' });
    const start = await dana.post('/mailboxes/connection', { kind: 'shared' });
    const callback = await letterhead.google.approve(start.location ?? '', { account: 'more@office.example' });
    await dana.post('/tenant-switch', { tenantId: second.tenantId });
    const page = await dana.bring(callback);
    expect(page.status).toBe(409);
    expect(said(page)).toContain((await stored(first)).name);
    expect(said(page)).toContain('Second Ltd');
    for (const { tenantId } of [first, second]) {
      const mailboxes = await inTenant(letterhead.database.db, tenantId, (trx) =>
        trx.selectFrom('mailboxes').select('email').where('email', '=', 'more@office.example').execute(),
      );
      expect(mailboxes).toEqual([]);
    }
  });
});

describe('a link', () => {
  it('that names another company of theirs offers to switch, and leads on', async () => {
    const page = await dana.get(`/settings/members?q=a&company=${first.tenantId}`);
    expect([page.status, said(page)]).toEqual([409, expect.stringContaining('This page belongs to')]);
    expect(await shownTo(dana)).toBe(second.tenantId);
    const switched = await dana.post('/tenant-switch', { tenantId: first.tenantId, returnTo: '/settings/members?q=a' });
    expect(switched.location).toBe('/settings/members?q=a');
    const away = await dana.post('/tenant-switch', { tenantId: second.tenantId, returnTo: '//evil.example' });
    expect(away.location).toBe('/');
  });

  it('that names a company of others finds nothing, as one that names none there is', async () => {
    const stranger = await company(letterhead);
    for (const id of [stranger.tenantId, randomUUID(), 'x']) {
      const page = await dana.get(`/settings/members?company=${id}`);
      expect([page.status, said(page)]).toEqual([404, expect.stringContaining('Nothing here')]);
    }
  });

  it('to a record of another company of theirs offers to switch; to one of others it finds nothing', async () => {
    const record = await anInvoice(letterhead, first);
    const theirs = await dana.get(`/documents/${record.id}/edit`);
    expect([theirs.status, said(theirs)]).toEqual([409, expect.stringContaining('This page belongs to Renamed Ltd')]);
    expect(theirs.text).toContain(`name="returnTo" value="/documents/${record.id}/edit"`);
    const deliveryId = await first.send();
    for (const address of [`/parties/${record.partyId}`, `/deliveries/${deliveryId}`, `/mailboxes/${first.mailboxId}`])
      expect((await dana.get(address)).status, address).toBe(409);
    const stranger = await company(letterhead);
    const other = await anInvoice(letterhead, stranger);
    expect((await dana.get(`/documents/${other.id}/edit`)).status).toBe(404);
  });
});

describe('after signing in', () => {
  it('somebody is where they were last, in whichever browser that was', async () => {
    const again = visitor(letterhead);
    for (const { tenantId } of [second, first, second]) {
      await dana.post('/tenant-switch', { tenantId });
      await dana.post('/sign-out');
      await dana.signIn(first.account);
      expect(await shownTo(dana)).toBe(tenantId);
      await again.signIn(first.account);
      expect(await shownTo(again)).toBe(tenantId);
    }
  });
});

function unescaped(html: string): string {
  const signs: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&#34;': '"', '&#39;': "'" };
  return html.replaceAll(/&(?:amp|lt|gt|#34|#39);/g, (sign) => signs[sign] ?? sign);
}
