import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { founder, type Visitor, visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let dana: Visitor;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  dana = await founder(letterhead);
});
afterAll(() => letterhead.close());

const writes = [
  '/sign-in/google',
  '/welcome',
  '/mailboxes/connection',
  '/settings/email/sender-rule',
  '/settings/email/test-deliveries',
  '/sign-out',
];

describe('a write', () => {
  it.each<[string, Record<string, string>]>([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a neighbouring name', { 'sec-fetch-site': 'same-site' }],
    ['the address bar', { 'sec-fetch-site': 'none' }],
    ['another site, with our origin beside it', { 'sec-fetch-site': 'cross-site', origin: 'OURS' }],
    ['a foreign origin', { origin: 'https://evil.example' }],
    ['an origin that begins as ours', { origin: 'OURS.evil.example' }],
    ['a sandboxed page', { origin: 'null' }],
    ['nobody knows where', {}],
  ])('from %s is refused, and changes nothing', async (_what, headers) => {
    const sent = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace('OURS', letterhead.url)]),
    );
    for (const path of writes) {
      const page = await dana.post(path, { mode: 'current_user', name: 'Evil Ltd' }, sent);
      expect(page.status, path).toBe(403);
      expect(page.text).toContain('This did not come from Letterhead');
    }
    expect((await dana.get('/settings/email')).text).toMatch(/value="default" checked/);
    expect((await dana.get('/')).text).not.toContain('Evil Ltd');
  });

  it('from our own pages is taken, also from a browser that only says its origin', async () => {
    for (const headers of [{ 'sec-fetch-site': 'same-origin' }, { origin: letterhead.url }]) {
      const page = await dana.post('/settings/email/sender-rule', { mode: 'default' }, headers);
      expect(page.status).toBe(303);
    }
  });
});

describe('the headers', () => {
  it('allow nothing inline and nothing from elsewhere; forms may lead to Google', async () => {
    const pages = [
      await visitor(letterhead).get('/sign-in'),
      await dana.get('/settings/email'),
      await dana.get('/nowhere'),
    ];
    for (const { headers } of pages) {
      const policy = headers.get('content-security-policy') ?? '';
      const directives = Object.fromEntries(
        policy.split(';').map((each) => [each.split(' ')[0], each.split(' ').slice(1).join(' ')]),
      );
      expect(policy).not.toMatch(/unsafe|\*|https?:(?!\/\/127\.0\.0\.1)/);
      expect(directives).toMatchObject({
        'default-src': "'self'",
        'base-uri': "'none'",
        'object-src': "'none'",
        'frame-ancestors': "'self'",
      });
      expect(directives['form-action']).toBe(`'self' ${letterhead.google.url}`);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('same-origin');
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });
});
