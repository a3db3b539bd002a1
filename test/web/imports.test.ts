import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { signedInCookie } from './signed-in.ts';

const samples = path.join(import.meta.dirname, '../fixtures/ubl');

let letterhead: TestLetterhead;
let cookie: string;
/** The company that the form names. */
let company: string;

beforeAll(async () => {
  letterhead = await sharedLetterhead();
  const { name, value } = await signedInCookie(letterhead);
  cookie = `${name}=${value}`;
  company = /company=([0-9a-f-]{36})/.exec((await get('/imports')).text)?.[1] ?? '';
});
afterAll(() => letterhead.close());

describe('importing files', () => {
  it('stores each good file as a record, and says of each bad one what is wrong', async () => {
    const page = await upload({
      'invoice.xml': await sample('peppol-base-example.xml'),
      'order.xml': await sample('peppol-order-uc1.xml'),
      'broken.xml': '<Invoice',
      'Größe.txt': 'no xml at all',
    });
    expect(page.status).toBe(200);
    expect(page.text).toContain('2 of 4 files imported');
    expect(page.text).toContain('Größe.txt');
    expect(page.text.match(/Not imported/g)).toHaveLength(2);
    const record = /href="(\/documents\/[0-9a-f-]{36})"/.exec(page.text)?.[1] ?? '';
    expect((await get(record)).text).toContain('From the imported file');
    expect((await get('/documents?kind=invoice')).text.match(/Imported/g)).toHaveLength(1);
  });

  it('stores the same file once, and leads to the first', async () => {
    const file = await sample('en16931-example1.xml');
    const first = await upload({ 'a.xml': file });
    const again = await upload({ 'b.xml': file });
    const link = /href="(\/documents\/[0-9a-f-]{36})"/.exec(first.text)?.[1] ?? 'none';
    expect(again.text).toContain('Here already');
    expect(again.text).toContain(link);
  });

  it('turns away a file that is too large, and takes the others', async () => {
    const page = await upload({
      'large.xml': 'x'.repeat(5 * 1024 * 1024 + 1),
      'b.xml': await sample('en16931-example3.xml'),
    });
    expect(page.text).toContain('It is larger than 5 MB');
    expect(page.text).toContain('1 of 2 files imported');
  });

  it('turns away too many files at once, and a form without any', async () => {
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`${index}.xml`, 'x']));
    const page = await upload(many);
    expect(page.status).toBe(413);
    expect(page.text).toContain('Choose at most 20 files');
    const none = await upload({});
    expect(none.status).toBe(422);
    expect(none.text).toContain('No file was chosen');
  });

  it('is not for other sites', async () => {
    const page = await upload({ 'a.xml': 'x' }, { 'sec-fetch-site': 'cross-site' });
    expect(page.status).toBe(403);
  });
});

function sample(name: string): Promise<string> {
  return readFile(path.join(samples, name), 'utf8');
}

async function upload(files: Record<string, string>, headers = { 'sec-fetch-site': 'same-origin' }) {
  const body = new FormData();
  for (const [name, text] of Object.entries(files)) body.append('files', new Blob([text]), name);
  const response = await fetch(`${letterhead.url}/imports?company=${company}`, {
    ...{ method: 'POST', body, headers: { ...headers, cookie } },
  });
  return { status: response.status, text: await response.text() };
}

async function get(address: string) {
  const response = await fetch(letterhead.url + address, { headers: { cookie } });
  return { status: response.status, text: await response.text() };
}
